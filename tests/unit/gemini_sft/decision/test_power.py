"""What a test split can see, held against simulated test splits."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from gemini_sft.decision import Power, Verdict
from gemini_sft.decision.bootstrap import worlds
from gemini_sft.decision.power import POWER, words
from gemini_sft.experiment import Gate
from tests.unit.gemini_sft.decision.evaluations import compared, evaluation

WORLDS = 2000
_SIMULATIONS = 1500
_GROUP = 4
_NEAR = 4 * math.sqrt(POWER * (1 - POWER) / _SIMULATIONS) + 0.015


def exactly(mean: float, deviation: float, n: int) -> NDArray[np.float64]:
    """Returns normally distributed values that have just this mean and deviation."""
    drawn = np.random.default_rng(1).normal(0, 1, n)
    values: NDArray[np.float64] = (drawn - drawn.mean()) / drawn.std(ddof=1) * deviation + mean
    return values


def shown(gain: float, deviation: float, n: int, beyond: float) -> float:
    """Returns the share of simulated test splits that show so large a true gain to be more than something."""
    found = worlds(np.random.default_rng(2).normal(gain, deviation, (n, _SIMULATIONS)))
    return float(np.mean([found.interval(column, 0.95)[0] > beyond for column in range(_SIMULATIONS)]))


@pytest.mark.parametrize(
    ("seen", "min_gain", "beyond"),
    [(0.1, 0.0, 0.0), (0.1, 0.03, 0.03), (0.05, 0.1, 0.0)],
    ids=["seen", "seen, more than what was asked", "asked, more than zero"],
)
def test_so_many_examples_show_it_in_four_of_five_cases(seen: float, min_gain: float, beyond: float) -> None:
    values = exactly(seen, 0.5, 60)
    for sign, lower in ((1, []), (-1, ["rougeL_f"])):
        comparison = compared(np.zeros(60), sign * values, Gate(min_gain=min_gain), lower_is_better=lower)
        found = comparison.power
        assert comparison.verdict is Verdict.INCONCLUSIVE and found and found.gain and found.needed
        assert found.gain == pytest.approx(max(seen, min_gain))
        assert shown(found.gain, 0.5, found.needed, beyond) == pytest.approx(POWER, abs=_NEAR)
        assert shown(found.detectable, 0.5, 60, 0.0) == pytest.approx(POWER, abs=_NEAR)


def test_examples_that_belong_together_count_less() -> None:
    values = np.repeat(exactly(0.1, 0.5, 30), _GROUP)
    clusters = {f"e{row:03d}": str(row // _GROUP) for row in range(len(values))}
    found = compared(np.zeros(len(values)), values, clusters=clusters).power
    assert found and found.needed
    assert shown(0.1, 0.5, found.needed // _GROUP, 0.0) == pytest.approx(POWER, abs=_NEAR)


def test_there_is_none_where_nothing_varies() -> None:
    for after in (0.5, 0.75, math.nan):
        comparison = compared([0.5] * 20, [after] * 20)
        assert comparison.power is None and len(comparison.reasons) == 1


def test_without_a_gain_there_is_no_number_that_shows_one() -> None:
    found = compared(np.zeros(60), exactly(-0.01, 0.5, 60)).power
    assert found and (found.gain, found.needed) == (None, None) and found.detectable == pytest.approx(0.18, abs=0.01)


def test_it_is_told_if_these_examples_cannot_tell() -> None:
    reasons = [compared(np.zeros(60), exactly(gain, 0.5, 60)).reasons for gain in (0.05, 0.5, -0.5)]
    assert [len(one) for one in reasons] == [2, 1, 1]
    assert reasons[0][1].startswith("60 test examples show a gain of 0.19 in four of five cases; about 830")
    assert reasons[0][1].endswith(" would show that one of 0.05, as was seen here, is more than zero")


@pytest.mark.parametrize(
    ("found", "min_gain", "ending"),
    [
        (Power(detectable=0.2), 0.0, "60 test examples show a gain of 0.2 in four of five cases"),
        (Power(detectable=0.2, gain=0.1, needed=1234), 0.05, "; about 1,300 would show that one of 0.1, as was seen"
         " here, is more than the 0.05 that was asked"),
        (Power(detectable=0.2, gain=0.1, needed=1234), 0.1, "; about 1,300 would show that one of 0.1, as was asked,"
         " is more than zero"),
        (Power(detectable=0.2, gain=1e-6), 0.0, "; more than 10,000,000 would show that one of 1e-06, as was seen here,"
         " is more than zero"),
    ],
)  # fmt: skip
def test_its_words(found: Power, min_gain: float, ending: str) -> None:
    assert words(found, 60, min_gain).endswith(ending)


def test_it_is_about_what_is_in_use() -> None:
    """The candidate gains little over the champion, and over the base model a lot, or too little to tell as well."""
    champion = evaluation(exactly(0.5, 0.2, 60))
    for base in (np.zeros(60), exactly(0.49, 0.2, 60)):
        found = compared(base, champion_and(0.02), champion=champion, champion_name="models/7@1").power
        assert found and found.gain == pytest.approx(0.02)


def champion_and(gain: float) -> NDArray[np.float64]:
    return exactly(0.5, 0.2, 60) + exactly(gain, 0.3, 60)[::-1]
