import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gemini_sft.decision import bootstrap
from gemini_sft.decision.bootstrap import worlds

VALUES = st.lists(st.floats(-1, 1).map(lambda value: round(value, 6)), min_size=1, max_size=25).map(np.array)
CONFIDENCES = st.sampled_from([0.8, 0.9, 0.95, 0.99])
ROUNDING = 1e-12
DRAWN = np.random.default_rng(3).gamma(2.0, 1.0, (40, 3)).round(3)


def interval(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    return worlds(values[:, None]).interval(0, confidence)


@given(VALUES, CONFIDENCES)
@settings(deadline=None, max_examples=12)
def test_it_holds_the_mean_and_lies_among_the_values(values: NDArray[np.float64], confidence: float) -> None:
    low, high = interval(values, confidence)
    assert low - ROUNDING <= float(np.mean(values)) <= high + ROUNDING
    assert min(values) - ROUNDING <= low <= high <= max(values) + ROUNDING


@given(VALUES, CONFIDENCES)
@settings(deadline=None, max_examples=12)
def test_the_opposite_values_have_the_mirrored_interval(values: NDArray[np.float64], confidence: float) -> None:
    low, high = interval(values, confidence)
    assert interval(-values, confidence) == (-high, -low)
    one, other = worlds(values[:, None]), worlds(-values[:, None])
    assert (one.share_above(0), one.share_below(0)) == (other.share_below(0), other.share_above(0))


@given(VALUES)
@settings(deadline=None, max_examples=12)
def test_more_confidence_is_a_wider_interval(values: NDArray[np.float64]) -> None:
    (low, high), (lower, higher) = (interval(values, confidence) for confidence in (0.8, 0.95))
    assert lower <= low and high <= higher


@pytest.mark.parametrize("value", [0.0, 0.1, -1 / 3])
@pytest.mark.parametrize("n", [1, 2, 7, 64])
def test_equal_values_leave_no_doubt(value: float, n: int) -> None:
    low, high = interval(np.full(n, value), 0.95)
    assert low == high == pytest.approx(value, abs=ROUNDING)
    assert worlds(np.full((n, 1), value)).deviation(0) == 0


def test_the_same_values_have_the_same_interval_today_and_tomorrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is asked, however much is drawn at once, and on every machine."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 10_000)
    found = worlds(DRAWN).interval(1, 0.95)
    assert found == worlds(DRAWN[:, 1:]).interval(0, 0.95) == pytest.approx((1.798800000, 2.733325000), abs=1e-8)
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_ONCE", 1234)
    assert worlds(DRAWN).interval(1, 0.95) == found


def test_against_the_closed_form() -> None:
    """Means of resampled zeros and ones are binomial, so the ends are quantiles of that distribution."""
    below = np.cumsum([math.comb(100, ones) / 2**100 for ones in range(101)])
    expected = (np.searchsorted(below, 0.05) / 100, np.searchsorted(below, 0.95) / 100)
    assert expected == (0.42, 0.58)
    assert interval(np.repeat([0.0, 1.0], 50), 0.9) == pytest.approx(expected, abs=0.011)


def test_the_deviation_is_the_standard_error_of_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 20_000)
    for n in (5, 40):
        values = DRAWN[:n, :1]
        assert worlds(values).deviation(0) == pytest.approx(np.std(values, ddof=1) / math.sqrt(n), rel=0.03)


def test_an_interval_of_what_is_no_number_is_none() -> None:
    assert np.isnan(interval(np.array([math.nan, *[0.5] * 20]), 0.95)).all()


class TestClusters:
    def test_an_example_that_stands_for_itself_is_a_cluster_of_one(self) -> None:
        alone, clustered = worlds(DRAWN), worlds(DRAWN, [f"c{row}" for row in range(40)])
        assert np.array_equal(alone.means, clustered.means) and alone.clusters == clustered.clusters == 40

    def test_examples_that_repeat_each_other_tell_no_more_than_one(self) -> None:
        """Wherever they stand, as long as the clusters appear in the same order."""
        names = list(range(40))
        for rows in (np.repeat(names, 5), np.tile(names, 5)):
            assert np.array_equal(worlds(DRAWN[rows], rows.tolist()).means, worlds(DRAWN).means)

    def test_a_large_cluster_weighs_as_much_as_its_examples(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of two clusters, one 1 and three 0: drawn are both, or one of them twice."""
        monkeypatch.setattr(bootstrap, "RESAMPLES", 4000)
        means, counts = np.unique(worlds(np.array([[1.0], [0], [0], [0]]), "abbb").means, return_counts=True)
        assert means.tolist() == [0, 0.25, 1]
        assert counts / 4000 == pytest.approx([0.25, 0.5, 0.25], abs=4 * math.sqrt(0.25 / 4000))
