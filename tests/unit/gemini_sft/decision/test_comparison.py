import math
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.decision import Comparison, Verdict, compare
from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES
from gemini_sft.decision.comparison import paired_differences
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import Gate, Task
from gemini_sft.inference import Outcome
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.metrics import metrics_of
from gemini_sft.metrics.rouge import NAMES

SCORES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=16)
GATES = st.builds(Gate, min_gain=st.sampled_from([0.0, 0.05]), confidence=st.sampled_from([0.8, 0.95]))


@pytest.fixture(scope="module", autouse=True)
def fewer_resamples() -> Iterator[None]:
    """A small part of the work: what is tested here holds for any number of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gemini_sft.decision.bootstrap.RESAMPLES", 250)
        yield


def evaluation(
    scores: Sequence[float], model: str = "m", *, prefix: str = "e", names: Sequence[str] = NAMES
) -> EvaluationResult:
    """An evaluation in which every metric of an example has the same value."""
    return EvaluationResult(
        model=model,
        served_by="s",
        n=len(scores),
        outcomes={Outcome.ANSWERED: len(scores)},
        metrics=dict.fromkeys(names, math.fsum(scores) / max(len(scores), 1)),
        scores={f"{prefix}{position}": dict.fromkeys(names, score) for position, score in enumerate(scores)},
        failed=[],
    )


def compared(base: Sequence[float], candidate: Sequence[float], gate: Gate | None = None) -> Comparison:
    return compare(Task.SUMMARIZATION, gate or Gate(), evaluation(base), evaluation(candidate))


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
        assert one.wins == sum(after > before for before, after in pairs)
        assert one.mean == pytest.approx(comparison.candidate.metrics[name] - comparison.base.metrics[name], abs=1e-9)
        assert one.low - 1e-9 <= one.mean <= one.high + 1e-9


@given(SCORES, st.randoms())
@settings(deadline=None, max_examples=12)
def test_the_order_of_the_examples_does_not_matter(pairs: list[tuple[float, float]], random: object) -> None:
    base, candidate = evaluation([one for one, _ in pairs]), evaluation([two for _, two in pairs])
    items = list(candidate.scores.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    shuffled = candidate.model_copy(update={"scores": dict(items)})
    assert compare(Task.SUMMARIZATION, Gate(), base, shuffled).difference.model_dump() == pytest.approx(
        compare(Task.SUMMARIZATION, Gate(), base, candidate).difference.model_dump(), abs=1e-12
    )


@pytest.mark.parametrize(
    ("gains", "min_gain", "verdict", "ending"),
    [
        ([0.25] * 12, 0.0, Verdict.PROMOTE, ": it lies wholly above zero"),
        ([0.25] * 12, 0.2, Verdict.PROMOTE, ": it lies wholly above the gain of 0.2 that was asked"),
        ([0.25] * 12, 0.25, Verdict.REJECT, ": it does not reach above the gain of 0.25 that was asked"),
        ([0.25] * 12, 0.3, Verdict.REJECT, ": it does not reach above the gain of 0.3 that was asked"),
        ([0.0] * 12, 0.0, Verdict.REJECT, ": it does not reach above zero"),
        ([-0.25] * 12, 0.0, Verdict.REJECT, ": it does not reach above zero"),
        ([0.5, -0.25] * 6, 0.0, Verdict.INCONCLUSIVE, ": it holds zero, so these examples cannot tell"),
        (
            [0.5, -0.25] * 6,
            0.125,
            Verdict.INCONCLUSIVE,
            ": it holds the gain of 0.125 that was asked, so these examples cannot tell",
        ),
        ([0.5, 0.0] * 6, 0.5, Verdict.REJECT, ": it does not reach above the gain of 0.5 that was asked"),
    ],
)
def test_the_gate(gains: list[float], min_gain: float, verdict: Verdict, ending: str) -> None:
    base = [0.25] * len(gains)
    candidate = [before + gain for before, gain in zip(base, gains, strict=True)]
    comparison = compared(base, candidate, Gate(min_gain=min_gain))
    (reason,) = comparison.reasons
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
    comparison = compare(Task.SUMMARIZATION, Gate(), base, candidate.model_copy(update={"scores": scores}))
    assert comparison.verdict is Verdict.REJECT and comparison.difference.mean == -0.25
    assert comparison.differences["rouge1_f"].mean == 0.25


@pytest.mark.parametrize("task", Task)
def test_every_task_is_decided_by_its_own_primary_metric(task: Task) -> None:
    metrics = metrics_of(task)
    base, candidate = (evaluation([score] * 12, names=metrics.names) for score in (0.0, 1.0))
    comparison = compare(task, Gate(), base, candidate)
    assert (comparison.verdict, comparison.primary_metric) == (Verdict.PROMOTE, metrics.primary)
    assert tuple(comparison.differences) == metrics.names
    assert comparison.reasons[0].startswith(f"{metrics.primary} changed by +1.0000 over 12 examples")


def test_failures_count_on_both_sides() -> None:
    """Scores of examples without an answer are zeros in the table, so they pull the difference down."""
    assert compared([0.5, 0.5], [0.75, 0.0]).difference.mean == -0.125


@pytest.mark.parametrize("position", [0, 3])
def test_a_score_that_is_no_number_rejects(position: int) -> None:
    candidate = [0.9] * 5
    candidate[position] = math.nan
    comparison = compared([0.1] * 5, candidate)
    assert comparison.verdict is Verdict.REJECT
    assert comparison.reasons == ["rougeL_f could not be computed for every example"]


def test_different_examples_are_not_compared() -> None:
    base = evaluation([0.5, 0.5, 0.5])
    for other, count in ((evaluation([0.5, 0.5]), 1), (evaluation([0.5] * 3, prefix="f"), 6)):
        with pytest.raises(EvaluationError) as caught:
            compare(Task.SUMMARIZATION, Gate(), base, other)
        assert (
            str(caught.value)
            == f"base and tuned model were not asked the same examples: {count} stand on one side only"
        )


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(EvaluationError, match=r"^there are no examples to compare on$"):
        compared([], [])


def test_pairs_are_matched_by_id() -> None:
    base, candidate = evaluation([0.25, 0.75]), evaluation([0.5, 0.75])
    turned = candidate.model_copy(update={"scores": dict(reversed(candidate.scores.items()))})
    assert paired_differences(base, turned)["rouge1_f"].to_dict() == {"e0": 0.25, "e1": 0.0}


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
    }
    assert (comparison.base.n, comparison.base.outcomes) == (12, {Outcome.ANSWERED: 12})
    assert Comparison.model_validate(comparison.model_dump(mode="json")) == comparison


def test_two_models_are_scored_with_the_same_metrics() -> None:
    base, candidate = evaluation([0.5] * 12), evaluation([0.5] * 12, names=[*NAMES, "own"])
    with pytest.raises(EvaluationError, match="not scored with the same metrics"):
        compare(Task.SUMMARIZATION, Gate(), base, candidate)
    both = compare(Task.SUMMARIZATION, Gate(), candidate, candidate)
    assert "own" in both.differences and both.primary_metric == "rougeL_f"


def test_of_metrics_of_the_whole_split_there_is_a_difference_if_both_have_one() -> None:
    base = evaluation([0.5] * 12).model_copy(update={"corpus": {"bleu": 12.0, "macro_f1": None}, "unreadable": 2})
    candidate = base.model_copy(update={"corpus": {"bleu": 10.0, "macro_f1": 0.5}, "unreadable": 0})
    comparison = compare(Task.SUMMARIZATION, Gate(), base, candidate)
    assert comparison.corpus_differences() == {"bleu": -2.0, "macro_f1": None}
    assert (comparison.base.failures, comparison.candidate.failures) == (2, 0)
