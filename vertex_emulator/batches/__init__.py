"""Batch prediction jobs of Gemini: JSONL in Cloud Storage is answered line by line into JSONL in Cloud Storage."""

from vertex_emulator.batches.handlers import routes

__all__ = ["routes"]
