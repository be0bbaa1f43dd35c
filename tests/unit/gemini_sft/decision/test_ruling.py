import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.decision import Difference, Verdict
from gemini_sft.decision.level import level
from gemini_sft.decision.ruling import Ruling, on_gain, together

VERDICTS = st.lists(st.sampled_from(Verdict), min_size=1, max_size=5)


def difference(low: float, high: float, lower_is_better: bool = False) -> Difference:
    """An interval of the gain, whichever way that is."""
    ends = (-high, -low) if lower_is_better else (low, high)
    return Difference(
        mean=(ends[0] + ends[1]) / 2, low=ends[0], high=ends[1], confidence=0.95, won=0.5, wins=0, ties=0, losses=0,
        lower_is_better=lower_is_better,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "min_gain", "verdict", "more", "less"),
    [
        (0.01, 0.1, 0.0, Verdict.PROMOTE, "it lies wholly above zero", "it lies wholly below zero"),
        (0.06, 0.1, 0.05, Verdict.PROMOTE, "it lies wholly beyond the gain of 0.05 that was asked", "fall"),
        (0.05, 0.1, 0.05, Verdict.INCONCLUSIVE, "it lies only partly beyond the gain of 0.05 that was asked,", "fall"),
        (0.0, 0.1, 0.0, Verdict.INCONCLUSIVE, "it lies only partly above zero,", "it lies only partly below zero,"),
        (-0.1, 0.1, 0.05, Verdict.INCONCLUSIVE, "it lies only partly beyond the gain of 0.05 that was asked,", "fall"),
        (0.01, 0.05, 0.05, Verdict.REJECT, "it does not reach beyond the gain of 0.05 that was asked", "fall"),
        (-0.1, 0.0, 0.0, Verdict.REJECT, "it does not reach above zero", "it does not reach below zero"),
        (-0.1, -0.01, 0.0, Verdict.REJECT, "it lies wholly below zero, the", "it lies wholly above zero, the"),
        (-0.1, -0.01, 0.05, Verdict.REJECT, "it lies wholly below zero, the", "it lies wholly above zero, the"),
    ],
)  # fmt: skip
def test_a_gain_must_lie_wholly_beyond_what_was_asked(
    low: float, high: float, min_gain: float, verdict: Verdict, more: str, less: str
) -> None:
    wanted = {False: more, True: more.replace("gain", "fall") if less == "fall" else less}
    for lower_is_better, words in wanted.items():
        found = on_gain("edits", difference(low, high, lower_is_better), min_gain, 40, 40)
        assert found.verdict is verdict and f": {words}" in found.words
        assert ("edits, of which less is better, changed" in found.words) is lower_is_better
        assert found.words.endswith("cannot tell") is (verdict is Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("n", "independent", "ending"),
    [
        (1, 1, "fewer than 10 examples decide nothing"),
        (9, 9, "fewer than 10 examples decide nothing"),
        (90, 9, "fewer than 10 groups of examples that belong together decide nothing"),
    ],
)
def test_too_few_decide_nothing(n: int, independent: int, ending: str) -> None:
    over = "1 example" if n == 1 else f"{n} examples"
    for one in (difference(0.1, 0.2), difference(-0.2, -0.1)):
        found = on_gain("edits", one, 0.0, n, independent, "the champion")
        assert found.verdict is Verdict.INCONCLUSIVE
        assert found.words == (
            f"against the champion, edits changed by {one.mean:+.4f} over {over}, 95% interval"
            f" [{one.low:+.4f}, {one.high:+.4f}]: {ending}"
        )
        assert on_gain("edits", one, 0.0, 10, 10).verdict is not Verdict.INCONCLUSIVE


@given(VERDICTS)
def test_everything_must_be_for_it(verdicts: list[Verdict]) -> None:
    found = {together([Ruling(one, "") for one in order]) for order in itertools.permutations(verdicts)}
    assert found == {
        Verdict.REJECT
        if Verdict.REJECT in verdicts
        else Verdict.INCONCLUSIVE
        if Verdict.INCONCLUSIVE in verdicts
        else Verdict.PROMOTE
    }


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.9, "90%"), (0.95, "95%"), (0.999, "99.9%"), (1 - 0.05 / 3, "98.33%"), (1 - 0.05 / 20, "99.75%"),
     (1 - 0.05 / 1000, "99.995%"), (1 - 0.01 / 5000, "99.9998%")],
)  # fmt: skip
def test_a_confidence_is_never_all(confidence: float, words: str) -> None:
    assert level(confidence) == words
