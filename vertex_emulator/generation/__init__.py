"""generateContent, streamGenerateContent, countTokens and computeTokens, of base models and tuned endpoints."""

from vertex_emulator.generation.routes import routes

__all__ = ["routes"]
