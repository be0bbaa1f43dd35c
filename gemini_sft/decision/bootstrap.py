"""In which interval a mean lies, by resampling examples.

B. Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979. Where examples belong together (questions about one
document), whole clusters are drawn: A. C. Davison, D. V. Hinkley, "Bootstrap Methods and their Application", 1997,
section 3.8. Ends of an interval are percentiles, taken further out for small samples, of which plain percentiles make
too little: T. Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, section 3.3, expanded percentiles.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_EXAMPLES = 10
"""Below this, of examples or of clusters, no resampling tells anything."""

RESAMPLES = 10_000
_SEED = 20261122
DIGITS = 12
_DRAWN_AT_ONCE = 250_000
"""So many draws fit into a processor's cache with what is counted of them."""


@dataclass(frozen=True)
class Worlds:
    """Means, or what else there is, in resampled worlds.

    Attributes:
        means: Each column in each world, shape (worlds, columns), sorted along the worlds.
        clusters: How many independent things were drawn from.
    """

    means: NDArray[np.float64]
    clusters: int

    def interval(self, column: int, confidence: float) -> tuple[float, float]:
        """Returns the lower and upper end between which the mean lies; NaN if it is none in some world.

        Args:
            column: Which mean.
            confidence: Share of all such intervals that hold the true mean.
        """
        means = self.means[:, column]
        cut = min(int(_tail(confidence, self.clusters) * len(means)), (len(means) - 1) // 2)
        # Counted from both ends alike, so that the differences of swapped models have the mirrored interval.
        low, high = means[cut], means[len(means) - 1 - cut]
        return (float(low), float(high)) if np.isfinite(means[-1]) else (np.nan, np.nan)

    def share_above(self, column: int) -> float:
        """Returns the share of the worlds in which a mean is above zero."""
        return float(np.mean(self.means[:, column] > 0))

    def share_below(self, column: int) -> float:
        """Returns the share of the worlds in which a mean is below zero."""
        return float(np.mean(self.means[:, column] < 0))

    def deviation(self, column: int) -> float:
        """Returns the standard error of a mean."""
        return float(np.std(self.means[:, column])) * _widening(self.clusters)


def worlds(values: NDArray[np.float64], clusters: Sequence[Hashable] | None = None) -> Worlds:
    """Resamples means, the same rows for all columns.

    Args:
        values: One row per example, in an order that does not depend on chance; shape (n, columns), n at least 1.
        clusters: What each example belongs to; None if each stands for itself.

    Returns:
        The means in `RESAMPLES` worlds. The resampling is seeded: the same values in the same order give the same.
    """
    rows = np.column_stack([values, np.ones(len(values))])
    return resampled(rows, lambda sums: sums[:, :-1] / sums[:, -1:], clusters)


def resampled(
    rows: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    clusters: Sequence[Hashable] | None = None,
) -> Worlds:
    """Resamples whatever can be computed from sums over the examples; the examples of each world are those of `worlds`.

    Args:
        rows: One row per example, shape (n, k); see `worlds`.
        statistic: From the sums in some worlds, shape (worlds, k), to what they mean, shape (worlds, columns).
        clusters: What each example belongs to; None if each stands for itself.
    """
    sums = rows if clusters is None else _by_cluster(rows, clusters)
    n = len(sums)
    generator = np.random.default_rng(_SEED)
    chunk = max(1, _DRAWN_AT_ONCE // n)
    found = []
    for start in range(0, RESAMPLES, chunk):
        drawn = min(chunk, RESAMPLES - start)
        picks = generator.integers(0, n, size=(drawn, n), dtype=np.int32)
        picks += np.arange(0, drawn * n, n, dtype=np.int32)[:, None]
        times = np.bincount(picks.ravel(), minlength=drawn * n).reshape(drawn, n).astype(np.float64)
        found.append(statistic(times @ sums))
    # Sums of the same values differ in the last digits, and a mean that is what was asked must not seem more.
    return Worlds(np.sort(np.round(np.concatenate(found), DIGITS), axis=0), n)


def _by_cluster(rows: NDArray[np.float64], clusters: Sequence[Hashable]) -> NDArray[np.float64]:
    """Returns the sums of each cluster, in the order of their first examples."""
    numbers: dict[Hashable, int] = {}
    place = np.array([numbers.setdefault(one, len(numbers)) for one in clusters])
    sums = np.zeros((len(numbers), rows.shape[1]))
    np.add.at(sums, place, rows)
    return sums


def _widening(n: int) -> float:
    """Returns by how much resampled means vary too little: they have the variance of n, not of n - 1."""
    return float(np.sqrt(n / (n - 1))) if n > 1 else 1.0


def _tail(confidence: float, n: int) -> float:
    """Returns the share of the worlds beyond each end of an interval."""
    from scipy.special import ndtr, stdtrit

    tail = (1 - confidence) / 2
    return float(ndtr(_widening(n) * stdtrit(n - 1, tail))) if n > 1 else tail
