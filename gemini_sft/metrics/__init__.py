"""Scores of one answer against the answers that are right, and which of them each task uses."""

from gemini_sft.metrics.table import MetricSet, metrics_of

__all__ = ["MetricSet", "metrics_of"]
