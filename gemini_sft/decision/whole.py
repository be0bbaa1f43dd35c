"""Metrics that only a split as a whole has: how surely the candidate is better in them.

Their difference is resampled as means are, by the same worlds, from sums over the examples of each: P. Koehn,
"Statistical Significance Tests for Machine Translation Evaluation", 2004.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gemini_sft.data import Example
from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES, resampled
from gemini_sft.decision.comparison import CorpusInterval
from gemini_sft.inference import Prediction
from gemini_sft.metrics import MetricSet
from gemini_sft.metrics.whole import Statistics


@dataclass(frozen=True)
class Whole:
    """What these metrics are computed from.

    Attributes:
        ids: Of the examples, in the order of the rows of both.
        base: Of the base model.
        candidate: Of the tuned model.
    """

    ids: Sequence[str]
    base: Statistics
    candidate: Statistics


def whole(
    metrics: MetricSet, examples: Sequence[Example], base: Sequence[Prediction], candidate: Sequence[Prediction]
) -> Whole | None:
    """Returns that, from the predictions of both models in the order of the examples; None if the task has none."""
    if not metrics.whole_names:
        return None
    references = [one.references for one in examples]
    sides = ([one.text if one.outcome.has_answer else "" for one in side] for side in (base, candidate))
    return Whole([one.id for one in examples], *(metrics.statistics(answers, references) for answers in sides))


def corpus_intervals(found: Whole, clusters: Mapping[str, str], confidence: float) -> dict[str, CorpusInterval]:
    """Returns the interval of each difference; without those of too few examples, or that are none in some world.

    Args:
        found: What the metrics are computed from.
        clusters: What each example belongs to, by its id; those that are missing stand for themselves.
        confidence: Of the intervals.
    """
    order = sorted(range(len(found.ids)), key=found.ids.__getitem__)
    ids = [found.ids[row] for row in order]
    belongs = [clusters.get(one, one) for one in ids] if clusters else None
    if len(set(belongs or ids)) < FEWEST_EXAMPLES:
        return {}
    split = found.base.rows.shape[1]

    def gained(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return found.candidate.score(sums[:, split:]) - found.base.score(sums[:, :split])

    worlds = resampled(np.hstack([found.base.rows, found.candidate.rows])[order], gained, belongs)
    ends = {name: worlds.interval(column, confidence) for column, name in enumerate(found.base.names)}
    return {
        name: CorpusInterval(low=low, high=high, confidence=confidence, won=worlds.share_above(column))
        for column, (name, (low, high)) in enumerate(ends.items())
        if np.isfinite(low)
    }
