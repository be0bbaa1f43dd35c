"""Scores of predictions, and what is told of many of them.

BLEU is that of sacrebleu for a sentence, ROUGE the F-measure of rouge-score; both run from 0 to 1, as in Google's
results. Google's reference speaks of recall, its service's scores are not said to be.
"""

import logging
import statistics
from collections.abc import Callable, Sequence

import numpy as np

from vertex_emulator.tuning.evaluation.wishes import Metric

Score = Callable[[str, str], float]

AGGREGATIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "AVERAGE": lambda values: float(np.mean(values)),
    "MODE": statistics.mode,
    "STANDARD_DEVIATION": lambda values: float(np.std(values)),
    "VARIANCE": lambda values: float(np.var(values)),
    "MINIMUM": min,
    "MAXIMUM": max,
    "MEDIAN": lambda values: float(np.median(values)),
    "PERCENTILE_P90": lambda values: float(np.percentile(values, 90)),
    "PERCENTILE_P95": lambda values: float(np.percentile(values, 95)),
    "PERCENTILE_P99": lambda values: float(np.percentile(values, 99)),
}


def scorer(metric: Metric) -> Score:
    """Returns what scores a prediction by its reference, both as text, in this order."""
    if metric.kind == "bleu":
        return _bleu(metric.settings.get("use_effective_order", False))
    if metric.kind == "rouge":
        return _rouge(**metric.settings)
    return lambda prediction, reference: float(prediction == reference)


def _bleu(effective_order: bool) -> Score:
    from sacrebleu.metrics.bleu import BLEU

    logging.getLogger("sacrebleu").setLevel(logging.ERROR)  # it advises the effective order, which is the user's choice
    bleu = BLEU(effective_order=effective_order)
    return lambda prediction, reference: float(bleu.sentence_score(prediction, [reference]).score / 100)


def _rouge(rouge_type: str, use_stemmer: bool = False, split_summaries: bool = False) -> Score:
    from rouge_score.rouge_scorer import RougeScorer

    rouge = RougeScorer([rouge_type], use_stemmer=use_stemmer, split_summaries=split_summaries)
    return lambda prediction, reference: float(rouge.score(reference, prediction)[rouge_type].fmeasure)
