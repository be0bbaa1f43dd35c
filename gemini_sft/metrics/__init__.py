"""Scores of one answer against the answers that are right, and which of them each task uses."""

from gemini_sft.metrics.table import MetricSet, is_main, metrics_of

__all__ = ["MetricSet", "is_main", "metrics_of"]
