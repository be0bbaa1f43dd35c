"""How often intervals hold the true mean, by simulation. What a column is resampled with is the same for all."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from gemini_sft.decision.bootstrap import Worlds, worlds

WORLDS = 1500
CONFIDENCES = [0.8, 0.9, 0.95, 0.99]
_SIMULATIONS = 2500
_CHANCE = 4
"""Standard deviations of a share of so many simulations."""

Drawn = NDArray[np.float64]


def normal(generator: np.random.Generator, n: int) -> Drawn:
    return generator.normal(0, 1, (n, _SIMULATIONS))


def skewed(generator: np.random.Generator, n: int) -> Drawn:
    return generator.exponential(1, (n, _SIMULATIONS)) - 1


def f1(generator: np.random.Generator, n: int) -> Drawn:
    """Differences of scores that heap up at both ends."""
    return generator.beta(0.3, 0.3, (n, _SIMULATIONS)) - generator.beta(0.3, 0.3, (n, _SIMULATIONS))


def ties(generator: np.random.Generator, n: int) -> Drawn:
    """One in ten got worse, two in ten better, all others are as right or wrong as they were."""
    return generator.choice([-1.0, 0, 1], p=[0.1, 0.7, 0.2], size=(n, _SIMULATIONS)) - 0.1


def missed(found: Worlds, confidence: float) -> tuple[float, float]:
    """Returns in which share of the simulations the true mean, zero, lies below and above the interval."""
    ends = np.array([found.interval(column, confidence) for column in range(_SIMULATIONS)])
    return float(np.mean(ends[:, 0] > 0)), float(np.mean(ends[:, 1] < 0))


def chance(share: float) -> float:
    return _CHANCE * math.sqrt(share * (1 - share) / _SIMULATIONS)


@pytest.mark.parametrize(
    ("drawn", "n", "short", "over"),
    [
        (normal, 12, 0.005, 0.005),
        (normal, 20, 0.005, 0.005),
        (normal, 100, 0.005, 0.005),
        (f1, 12, 0.01, 0.005),
        (f1, 20, 0.005, 0.005),
        (f1, 100, 0.005, 0.005),
        # Of so few zeros and ones the mean takes few values, and often no example got worse at all.
        (ties, 12, 0.07, 0.03),
        (ties, 20, 0.01, 0.05),
        (ties, 100, 0.005, 0.03),
        # Percentiles are known to fall short where a few large differences carry the mean.
        (skewed, 12, 0.04, 0),
        (skewed, 20, 0.03, 0),
        (skewed, 100, 0.015, 0),
    ],
)
def test_an_interval_holds_the_true_mean_as_often_as_it_says(
    drawn: Callable[[np.random.Generator, int], Drawn], n: int, short: float, over: float
) -> None:
    found = worlds(drawn(np.random.default_rng(n), n))
    for confidence in CONFIDENCES:
        below, above = missed(found, confidence)
        room = chance(confidence)
        assert confidence - short - room <= 1 - below - above <= confidence + over + room, confidence
        if drawn in (normal, f1):
            tail = (1 - confidence) / 2
            assert [below, above] == pytest.approx([tail, tail], abs=short / 2 + chance(tail)), confidence


@pytest.mark.parametrize("clusters", [12, 40])
def test_examples_that_belong_together_are_drawn_together(clusters: int) -> None:
    """Clusters of one to nine examples, which share half of what makes them differ."""
    generator = np.random.default_rng(clusters)
    belongs = np.repeat(range(clusters), generator.integers(1, 10, clusters))
    shared, own = generator.normal(0, 1, (clusters, _SIMULATIONS)), normal(generator, len(belongs))
    values = shared[belongs] + own
    together, apart = worlds(values, belongs.tolist()), worlds(values)
    for confidence in CONFIDENCES[:3]:
        room = chance(confidence) + (0.04 if clusters == 12 else 0.02)
        assert abs(1 - sum(missed(together, confidence)) - confidence) <= room
        assert 1 - sum(missed(apart, confidence)) < confidence - 0.15
