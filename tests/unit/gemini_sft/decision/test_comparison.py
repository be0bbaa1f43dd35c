import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.decision import Comparison, Verdict
from gemini_sft.decision.bootstrap import DIGITS, FEWEST_EXAMPLES
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import Gate, Task
from gemini_sft.inference import Outcome
from gemini_sft.metrics import metrics_of
from gemini_sft.metrics.rouge import NAMES
from tests.unit.gemini_sft.decision.evaluations import compared, evaluation

SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=16)
GATES = st.builds(Gate, min_gain=st.sampled_from([0.0, 0.05]), confidence=st.sampled_from([0.8, 0.95]))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=16), GATES)
@settings(deadline=None, max_examples=12)
def test_a_model_is_never_better_than_itself(scores: list[float], gate: Gate) -> None:
    comparison = compared(scores, scores, gate)
    assert comparison.verdict is (Verdict.REJECT if len(scores) >= FEWEST_EXAMPLES else Verdict.INCONCLUSIVE)
    assert (comparison.difference.mean, comparison.difference.low, comparison.difference.high) == (0, 0, 0)
    assert comparison.difference.ties == len(scores)


@given(SCORES, GATES)
@settings(deadline=None, max_examples=12)
def test_of_two_models_not_each_is_better_than_the_other(pairs: list[tuple[float, float]], gate: Gate) -> None:
    first, second = [one for one, _ in pairs], [two for _, two in pairs]
    verdicts = [compared(first, second, gate).verdict, compared(second, first, gate).verdict]
    assert verdicts != [Verdict.PROMOTE, Verdict.PROMOTE]


@given(SCORES)
@settings(deadline=None, max_examples=12)
def test_every_example_is_won_tied_or_lost_and_the_difference_is_that_of_the_means(
    pairs: list[tuple[float, float]],
) -> None:
    base, candidate = [one for one, _ in pairs], [two for _, two in pairs]
    comparison = compared(base, candidate)
    assert comparison.differences.keys() == {*NAMES}
    for name, one in comparison.differences.items():
        assert one.wins + one.ties + one.losses == len(pairs)
        assert one.wins == sum(round(after - before, DIGITS) > 0 for before, after in pairs)
        assert one.mean == pytest.approx(comparison.candidate.metrics[name] - comparison.base.metrics[name], abs=1e-9)
        assert one.low - 1e-9 <= one.mean <= one.high + 1e-9


@given(SCORES, st.randoms())
@settings(deadline=None, max_examples=12)
def test_the_order_of_the_examples_does_not_matter(pairs: list[tuple[float, float]], random: object) -> None:
    base, candidate = evaluation([one for one, _ in pairs]), evaluation([two for _, two in pairs])
    items = list(candidate.scores.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    shuffled = candidate.model_copy(update={"scores": dict(items)})
    assert compared(base, shuffled) == compared(base, candidate)


@pytest.mark.parametrize(
    ("gains", "min_gain", "verdict", "ending"),
    [
        ([0.25] * 12, 0.0, Verdict.PROMOTE, ": it lies wholly above zero"),
        ([0.25] * 12, 0.2, Verdict.PROMOTE, ": it lies wholly beyond the gain of 0.2 that was asked"),
        ([0.25] * 12, 0.25, Verdict.REJECT, ": it does not reach beyond the gain of 0.25 that was asked"),
        ([0.25] * 12, 0.3, Verdict.REJECT, ": it does not reach beyond the gain of 0.3 that was asked"),
        ([0.0] * 12, 0.0, Verdict.REJECT, ": it does not reach above zero"),
        ([-0.25] * 12, 0.0, Verdict.REJECT, ": it lies wholly below zero, the tuned model is worse"),
        (
            [0.5, -0.25] * 6,
            0.0,
            Verdict.INCONCLUSIVE,
            ": it lies only partly above zero, so these examples cannot tell",
        ),
        (
            [0.5, -0.25] * 6,
            0.125,
            Verdict.INCONCLUSIVE,
            ": it lies only partly beyond the gain of 0.125 that was asked, so these examples cannot tell",
        ),
        ([0.5, 0.0] * 6, 0.5, Verdict.REJECT, ": it does not reach beyond the gain of 0.5 that was asked"),
    ],
)
def test_the_gate(gains: list[float], min_gain: float, verdict: Verdict, ending: str) -> None:
    base = [0.25] * len(gains)
    candidate = [before + gain for before, gain in zip(base, gains, strict=True)]
    comparison = compared(base, candidate, Gate(min_gain=min_gain))
    reason = comparison.reasons[0]
    assert len(comparison.reasons) == 1 + (verdict is Verdict.INCONCLUSIVE)
    mean = sum(gains) / len(gains)
    assert comparison.verdict is verdict
    assert reason.startswith(f"rougeL_f changed by {mean:+.4f} over 12 examples, 95% interval [")
    assert reason.endswith(ending)


@pytest.mark.parametrize("n", [1, 9, 10])
@pytest.mark.parametrize("gain", [-0.25, 0.25])
def test_a_handful_of_examples_decides_nothing(n: int, gain: float) -> None:
    comparison = compared([0.5] * n, [0.5 + gain] * n)
    if n >= 10:
        assert comparison.verdict is (Verdict.PROMOTE if gain > 0 else Verdict.REJECT)
    else:
        assert comparison.verdict is Verdict.INCONCLUSIVE
        assert comparison.reasons[0].endswith(": fewer than 10 examples decide nothing")


def test_only_the_primary_metric_decides() -> None:
    base, candidate = evaluation([0.5] * 12), evaluation([0.75] * 12)
    scores = {name: one | {"rougeL_f": 0.25} for name, one in candidate.scores.items()}
    comparison = compared(base, candidate.model_copy(update={"scores": scores}))
    assert comparison.verdict is Verdict.REJECT and comparison.difference.mean == -0.25
    assert comparison.differences["rouge1_f"].mean == 0.25


@pytest.mark.parametrize("task", Task)
def test_every_task_is_decided_by_its_own_primary_metric(task: Task) -> None:
    metrics = metrics_of(task)
    base, candidate = (evaluation([score] * 12, names=metrics.names) for score in (0.0, 1.0))
    comparison = compared(base, candidate, primary=metrics.primary)
    assert (comparison.verdict, comparison.primary_metric) == (Verdict.PROMOTE, metrics.primary)
    assert tuple(comparison.differences) == metrics.names
    assert comparison.reasons[0].startswith(f"{metrics.primary} changed by +1.0000 over 12 examples")


def test_failures_count_on_both_sides() -> None:
    """Scores of examples without an answer are zeros in the table, so they pull the difference down."""
    assert compared([0.5, 0.5], [0.75, 0.0]).difference.mean == -0.125


@pytest.mark.parametrize("position", [0, 13])
@pytest.mark.parametrize("side", ["base", "candidate"])
def test_a_score_that_is_no_number_decides_nothing(position: int, side: str) -> None:
    sides = {"base": [0.1] * 14, "candidate": [0.9] * 14}
    sides[side][position] = math.nan
    comparison = compared(sides["base"], sides["candidate"])
    assert comparison.verdict is Verdict.INCONCLUSIVE
    assert comparison.reasons == ["rougeL_f could not be computed for every example"]


def test_different_examples_are_not_compared() -> None:
    base = evaluation([0.5, 0.5, 0.5], "base")
    for other, count in ((evaluation([0.5, 0.5], "tuned"), 1), (evaluation([0.5] * 3, "tuned", prefix="f"), 6)):
        with pytest.raises(EvaluationError) as caught:
            compared(base, other)
        assert str(caught.value) == f"base and tuned were not asked the same examples: {count} stand on one side only"


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(EvaluationError, match=r"^there are no examples to compare on$"):
        compared([], [])


def test_different_prompts_are_not_compared() -> None:
    base, candidate = evaluation([0.5] * 12, "base"), evaluation([0.5] * 12, "tuned")
    changed = candidate.model_copy(update={"prompt": "b2"})
    with pytest.raises(EvaluationError) as caught:
        compared(base.model_copy(update={"prompt": "a1"}), changed)
    assert str(caught.value) == ("base and tuned were asked with different prompts: their fingerprints are a1 and b2")


def test_pairs_are_matched_by_id() -> None:
    base, candidate = evaluation([0.25, 0.75]), evaluation([0.5, 0.75])
    turned = candidate.model_copy(update={"scores": dict(reversed(candidate.scores.items()))})
    difference = compared(base, turned).difference
    assert (difference.wins, difference.ties, difference.losses) == (1, 1, 0)


def test_the_headline_and_the_sides() -> None:
    comparison = compared([0.25] * 12, [0.5] * 12)
    assert comparison.headline() == {
        "verdict": "promote",
        "primary_metric": "rougeL_f",
        "base": 0.25,
        "candidate": 0.5,
        "difference": 0.25,
        "difference_low": 0.25,
        "difference_high": 0.25,
        "worlds_won": 1.0,
        "confidence": 0.95,
    }
    assert (comparison.base.n, comparison.base.outcomes) == (12, {Outcome.ANSWERED: 12})
    assert Comparison.model_validate(comparison.model_dump(mode="json")) == comparison


def test_two_models_are_scored_with_the_same_metrics() -> None:
    base, candidate = evaluation([0.5] * 12), evaluation([0.5] * 12, names=[*NAMES, "own"])
    with pytest.raises(EvaluationError, match="not scored with the same metrics"):
        compared(base, candidate)
    both = compared(candidate, candidate)
    assert "own" in both.differences and both.primary_metric == "rougeL_f"


def test_of_metrics_of_the_whole_split_there_is_a_difference_if_both_have_one() -> None:
    base = evaluation([0.5] * 12).model_copy(update={"corpus": {"bleu": 12.0, "macro_f1": None}, "unreadable": 2})
    candidate = base.model_copy(update={"corpus": {"bleu": 10.0, "macro_f1": 0.5}, "unreadable": 0})
    comparison = compared(base, candidate)
    assert comparison.corpus_differences() == {"bleu": -2.0, "macro_f1": None}
    assert (comparison.base.failures, comparison.candidate.failures) == (2, 0)
