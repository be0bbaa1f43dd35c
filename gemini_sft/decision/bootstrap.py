"""The interval in which a mean lies, by resampling.

B. Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979; the percentile interval.
"""

import numpy as np
from numpy.typing import NDArray

FEWEST_EXAMPLES = 10
"""Below this a bootstrap interval is too narrow to be believed: with one example it has no width at all."""

RESAMPLES = 10_000
_SEED = 20261122
_CHUNK = 500


def interval(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Returns the bootstrap interval of the mean.

    Args:
        values: One number per example, shape (n,), n at least 1. For a paired comparison these are the differences.
        confidence: Share of the resampled means that lies inside.

    Returns:
        Lower and upper end. The resampling is seeded: the same values give the same interval in whatever order they
        come.
    """
    ordered = np.sort(values)
    generator = np.random.default_rng(_SEED)
    means = np.empty(RESAMPLES)
    for start in range(0, RESAMPLES, _CHUNK):
        picks = generator.integers(0, len(ordered), size=(min(_CHUNK, RESAMPLES - start), len(ordered)))
        means[start : start + len(picks)] = ordered[picks].mean(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
