import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.decision.bootstrap import interval

VALUES = st.lists(st.floats(-1, 1).map(lambda value: round(value, 6)), min_size=1, max_size=25)
CONFIDENCES = st.sampled_from([0.8, 0.9, 0.95, 0.99])
ROUNDING = 1e-12


@given(VALUES, CONFIDENCES)
@settings(deadline=None, max_examples=12)
def test_it_holds_the_mean_and_lies_among_the_values(values: list[float], confidence: float) -> None:
    low, high = interval(np.array(values), confidence)
    assert low - ROUNDING <= float(np.mean(values)) <= high + ROUNDING
    assert min(values) - ROUNDING <= low <= high <= max(values) + ROUNDING


@given(VALUES, st.randoms())
@settings(deadline=None, max_examples=12)
def test_neither_order_nor_repetition_matters(values: list[float], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first = interval(np.array(values), 0.95)
    assert interval(np.array(shuffled), 0.95) == first == interval(np.array(values), 0.95)


@given(VALUES)
@settings(deadline=None, max_examples=12)
def test_more_confidence_is_a_wider_interval(values: list[float]) -> None:
    (low, high), (lower, higher) = (interval(np.array(values), confidence) for confidence in (0.8, 0.95))
    assert lower <= low and high <= higher


@pytest.mark.parametrize("value", [0.0, 0.1, -1 / 3])
@pytest.mark.parametrize("n", [1, 2, 7, 64])
def test_equal_values_leave_no_doubt(value: float, n: int) -> None:
    low, high = interval(np.full(n, value), 0.95)
    assert low == high == pytest.approx(value, abs=ROUNDING)


def test_against_the_closed_form() -> None:
    """Means of resampled zeros and ones are binomial, so the ends are quantiles of that distribution."""
    below = np.cumsum([math.comb(100, ones) / 2**100 for ones in range(101)])
    expected = (np.searchsorted(below, 0.05) / 100, np.searchsorted(below, 0.95) / 100)
    assert expected == (0.42, 0.58)
    assert interval(np.repeat([0.0, 1.0], 50), 0.9) == pytest.approx(expected, abs=0.011)


def test_it_covers_the_true_mean_about_as_often_as_it_says() -> None:
    """The mean of 40 draws from a skewed distribution; the percentile interval is known to fall a little short."""
    generator = np.random.default_rng(7)
    truth, rounds = 1.0, 80
    covered = 0
    for _ in range(rounds):
        low, high = interval(generator.exponential(truth, 40), 0.9)
        covered += low <= truth <= high
    assert 0.81 <= covered / rounds <= 0.95
