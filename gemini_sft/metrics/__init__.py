"""Scores of answers against those that are right, one by one or all at once, and which of them a task uses."""

from gemini_sft.metrics.table import MetricSet, metrics_for, metrics_of

__all__ = ["MetricSet", "metrics_for", "metrics_of"]
