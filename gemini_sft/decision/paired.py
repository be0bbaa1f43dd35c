"""Two evaluations, example by example."""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gemini_sft.decision.bootstrap import DIGITS, Worlds, worlds
from gemini_sft.decision.comparison import Difference
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment.schema import FAILURE_RATE
from gemini_sft.inference.evaluation import EvaluationResult

if TYPE_CHECKING:
    import pandas as pd


class Paired:
    """Candidate minus another model, of every metric and example.

    Args:
        other: What the other model scored.
        candidate: What the candidate scored.
        lower_is_better: The metrics of which less is better.
        clusters: What each example belongs to, by its id; those that are missing stand for themselves.

    Raises:
        EvaluationError: They were not asked the same examples with the same prompt, not scored with the same metrics,
            or there are no examples.
    """

    def __init__(
        self,
        other: EvaluationResult,
        candidate: EvaluationResult,
        lower_is_better: Collection[str] = (),
        clusters: Mapping[str, str] | None = None,
    ) -> None:
        _check(other, candidate)
        self.ids = sorted(other.scores)
        """In an order of their own: whichever order the examples came in, the worlds are the same."""
        self._lower = {*lower_is_better, FAILURE_RATE}
        self._clusters = clusters or {}
        before, after = (_table(one, self.ids) for one in (other, candidate))
        self.before, self.after = before, after
        self._changes: pd.DataFrame = (after - before).round(DIGITS)

    def part(self, ids: Collection[str]) -> "Paired":
        """Returns the same of some examples only."""
        part = object.__new__(Paired)
        part.__dict__.update(self.__dict__)
        part.ids = [one for one in self.ids if one in ids]
        for name in ("before", "after", "_changes"):
            setattr(part, name, getattr(self, name).loc[part.ids])
        return part

    @property
    def clusters(self) -> list[str] | None:
        """What each example belongs to; None if each stands for itself."""
        return [self._clusters.get(one, one) for one in self.ids] if self._clusters else None

    @property
    def independent(self) -> int:
        """How many clusters there are, or else examples."""
        return len(set(self.clusters or self.ids))

    def worlds(self, metrics: Sequence[str]) -> Worlds:
        """Returns the mean changes of some metrics in resampled worlds."""
        return worlds(self._of(metrics), self.clusters)

    def differences(self, metrics: Sequence[str], confidence: float) -> dict[str, Difference]:
        """Returns the difference of each metric with its interval."""
        resampled, changes = self.worlds(metrics), self._of(metrics)
        return {
            name: self._difference(name, changes[:, column], resampled, column, confidence)
            for column, name in enumerate(metrics)
        }

    def _of(self, metrics: Sequence[str]) -> NDArray[np.float64]:
        return self._changes[list(metrics)].to_numpy(np.float64)

    def _difference(
        self, name: str, changes: NDArray[np.float64], resampled: Worlds, column: int, confidence: float
    ) -> Difference:
        low, high = resampled.interval(column, confidence)
        up, down = int((changes > 0).sum()), int((changes < 0).sum())
        won = resampled.share_above(column)
        lower = name in self._lower
        if lower:
            up, down, won = down, up, resampled.share_below(column)
        return Difference(
            mean=float(changes.mean()),
            low=low,
            high=high,
            confidence=confidence,
            won=won,
            wins=up,
            ties=int((changes == 0).sum()),
            losses=down,
            lower_is_better=lower,
        )


def _check(other: EvaluationResult, candidate: EvaluationResult) -> None:
    if other.scores.keys() != candidate.scores.keys():
        only = len(other.scores.keys() ^ candidate.scores.keys())
        raise EvaluationError(
            f"{other.model} and {candidate.model} were not asked the same examples: {only} stand on one side only"
        )
    if not other.scores:
        raise EvaluationError("there are no examples to compare on")
    if other.metrics.keys() != candidate.metrics.keys():
        raise EvaluationError(f"{other.model} and {candidate.model} were not scored with the same metrics")
    if other.prompt and candidate.prompt and other.prompt != candidate.prompt:
        raise EvaluationError(
            f"{other.model} and {candidate.model} were asked with different prompts: their fingerprints are"
            f" {other.prompt} and {candidate.prompt}"
        )


def _table(result: EvaluationResult, ids: Sequence[str]) -> "pd.DataFrame":
    """Returns one row per example and one column per metric, failures among them."""
    import pandas as pd  # most tasks know of comparisons and make none

    table = pd.DataFrame.from_dict(result.scores, orient="index").loc[list(ids)]
    failed = set(result.failed)
    table[FAILURE_RATE] = [float(one in failed) for one in ids]
    return table
