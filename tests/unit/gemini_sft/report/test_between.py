"""Which of two runs is better, and when nobody can know."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.experiment.schema import FAILURE_RATE
from gemini_sft.report.between import Between, FinishedRun, between
from gemini_sft.report.two_runs import headline, said
from tests.unit.gemini_sft.report.sample import sample_examples
from tests.unit.gemini_sft.report.two_sample import asked, finished_run

WORSE, BETTER = finished_run("worse", 0.4), finished_run("better", 0.9, seed=2)
PRIMARY = "rougeL_f"


def scoring(run: FinishedRun, values: list[float]) -> FinishedRun:
    """Returns the run with these values of the deciding metric, and as many examples."""
    kept = list(run.result.scores)[: len(values)]
    rows = {one: run.result.scores[one] | {PRIMARY: value} for one, value in zip(kept, values, strict=True)}
    return with_result(run, scores=rows, n=len(kept), failed=[])


def with_result(run: FinishedRun, **changes: Any) -> FinishedRun:
    return replace(run, result=run.result.model_copy(update=changes))


def with_comparison(run: FinishedRun, **changes: Any) -> FinishedRun:
    return replace(run, comparison=run.comparison.model_copy(update=changes))


def sentences(found: Between) -> str:
    return " ".join(said(found))


def test_the_better_one_is_named_whichever_comes_first() -> None:
    found, turned = between(WORSE, BETTER), between(BETTER, WORSE)
    assert (found.better, turned.better) == ("B", "A")
    assert headline(found) == "B is better"
    assert "B's gain over A in ROUGE-L F" in sentences(found) and "over the same 60 test examples" in sentences(found)
    assert found.difference and found.difference.mean == pytest.approx(
        BETTER.result.metrics[PRIMARY] - WORSE.result.metrics[PRIMARY]
    )


def test_every_metric_and_the_failures_are_compared() -> None:
    found = between(WORSE, BETTER)
    assert [*found.differences] == [*WORSE.result.metrics, FAILURE_RATE]
    gone = (len(BETTER.result.failed) - len(WORSE.result.failed)) / 60
    assert found.differences[FAILURE_RATE].mean == pytest.approx(gone)
    assert found.differences[FAILURE_RATE].lower_is_better


SCORES = st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 2), min_size=10, max_size=30)


@given(SCORES)
def test_swapping_the_runs_turns_signs_round_and_nothing_else(pairs: list[tuple[float, float]]) -> None:
    a, b = (scoring(WORSE, [pair[side] for pair in pairs]) for side in (0, 1))
    found, turned = between(a, b), between(b, a)
    one, other = found.difference, turned.difference
    assert one and other
    assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low), abs=1e-9)
    assert (one.wins, one.ties, one.losses) == (other.losses, other.ties, other.wins)
    assert {found.better, turned.better} in ({""}, {"A", "B"})


def test_no_clear_change_is_called_so() -> None:
    found = between(
        WORSE, scoring(WORSE, [one[PRIMARY] + (-0.1) ** n for n, one in enumerate(WORSE.result.scores.values())])
    )
    assert found.better == "" and headline(found) == "These examples cannot tell which is better"


def test_the_same_scores_are_called_the_same() -> None:
    found = between(WORSE, replace(WORSE, run_id="again"))
    assert headline(found) == "A and B score the same"
    assert "Both runs took the same model" in sentences(found)
    assert "Both runs took the same model" not in sentences(between(WORSE, BETTER))


def test_the_stricter_run_sets_the_confidence() -> None:
    strict = with_comparison(BETTER, confidence=0.99)
    assert between(WORSE, strict).confidence == between(strict, WORSE).confidence == 0.99
    assert "99% interval" in sentences(between(WORSE, strict))


OTHERS = sample_examples(61)[1:]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (
            finished_run("others", 0.9, test=OTHERS),
            "They were not asked the same test examples: of A's 60 and B's 60, 59 are the same.",
        ),
        (
            finished_run("fewer", 0.9, test=OTHERS[:20]),
            "They were not asked the same test examples: of A's 60 and B's 20, 20 are the same.",
        ),
        (
            with_result(BETTER, prompt="fedcba9876543210"),
            "They were asked with different prompts: the fingerprint of A's is 0123456789abcdef, that of B's"
            " fedcba9876543210.",
        ),
        (with_result(BETTER, prompt=""), "With which prompt they were asked is not known"),
        (
            with_result(BETTER, metrics={**BETTER.result.metrics, "brevity": 0.5}),
            "They were scored with different metrics: only B has brevity.",
        ),
        (
            replace(BETTER, **asked(BETTER, evaluation={"tokenizer": "unicode"})),
            "They were scored differently: evaluation.tokenizer is ascii for A and unicode for B.",
        ),
        (
            replace(BETTER, **asked(BETTER, evaluation={"metrics": ["gs://b/staging/x/0123456789abcdef/own.py:brevity"]})),
            "evaluation.metrics is empty for A and own.py:brevity (0123456789abcdef) for B.",
        ),
        (
            replace(
                BETTER,
                **asked(BETTER, evaluation={"metrics": ["gs://b/own.py:cost"], "lower_is_better": {"cost": 2.0}}),
            ),
            "evaluation.lower_is_better is empty for A and cost: 2 for B.",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_paired_is_not_and_says_why(other: FinishedRun, why: str) -> None:
    found = between(WORSE, other)
    assert not found.differences and found.better == ""
    assert headline(found) == "Which is better is not known"
    assert "Example by example they cannot be compared." in sentences(found) and why in sentences(found)


def test_the_same_metric_file_staged_for_another_experiment_is_the_same() -> None:
    runs = [
        replace(one, **asked(one, evaluation={"metrics": [f"gs://b/staging/{name}/0123456789abcdef/own.py:brevity"]}))
        for one, name in ((WORSE, "first"), (BETTER, "second"))
    ]
    assert between(*runs).better == "B"


def test_runs_that_were_decided_by_different_metrics_have_no_winner() -> None:
    found = between(WORSE, with_comparison(BETTER, primary_metric="rouge1_f"))
    assert found.differences and found.better == "" and headline(found) == "Which is better is not known"
    assert "decided by different metrics, A by rougeL_f and B by rouge1_f" in sentences(found)


@pytest.mark.parametrize("which", [0, 1])
def test_groups_that_are_not_at_hand_leave_it_open(which: int) -> None:
    runs = [WORSE, BETTER]
    runs[which] = with_comparison(runs[which], groups=12)
    found = between(*runs)
    assert found.better == "" and headline(found) == "Which is better is not known"
    assert "belong to 12 groups" in sentences(found)


def test_few_examples_decide_nothing() -> None:
    found = between(scoring(WORSE, [0.1] * 9), scoring(BETTER, [0.9] * 9))
    assert found.better == "" and "Fewer than 10 examples decide nothing." in sentences(found)
    assert between(scoring(WORSE, [0.1] * 10), scoring(BETTER, [0.9] * 10)).better == "B"


def test_of_a_metric_of_which_less_is_better_a_fall_is_a_gain() -> None:
    less = {"metrics": ["gs://b/own.py:cost"], "lower_is_better": {"cost": 2.0}}

    def costing(run: FinishedRun, cost: float) -> FinishedRun:
        rows = {one: {"cost": cost + n / 1000} for n, one in enumerate(run.result.scores)}
        scored = with_result(run, scores=rows, metrics={"cost": cost})
        return replace(with_comparison(scored, primary_metric="cost"), **asked(run, evaluation=less))

    assert between(costing(WORSE, 1.0), costing(BETTER, 0.2)).better == "B"
    assert between(costing(WORSE, 0.2), costing(BETTER, 1.0)).better == "A"
