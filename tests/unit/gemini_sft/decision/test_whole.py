"""Metrics of a whole split: BLEU, chrF, F1."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from gemini_sft.data import Example
from gemini_sft.decision import Comparison, Whole, bootstrap, whole
from gemini_sft.decision.whole import corpus_intervals
from gemini_sft.experiment import Task
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.inference.evaluation import evaluate
from gemini_sft.metrics import MetricSet, metrics_of
from tests.unit.gemini_sft.decision.evaluations import compared

N = 40
GENERATION = metrics_of(Task.GENERATION)
CLASSIFICATION = metrics_of(Task.CLASSIFICATION, labels=("spam", "ham", "never"))
WORDS = ("the", "kettle", "boils", "again", "today", "in", "Rome")


def examples(references: Sequence[str]) -> list[Example]:
    return [Example(f"e{row:03d}", {"contents": []}, "f", row, (one,)) for row, one in enumerate(references)]


def predictions(answers: Sequence[str]) -> list[Prediction]:
    """What was answered; nothing stands for a request that failed, though it brought some text."""
    return [
        Prediction(example_id=f"e{row:03d}", outcome=Outcome.ANSWERED, text=one)
        if one
        else Prediction(example_id=f"e{row:03d}", outcome=Outcome.BLOCKED, text="the kettle boils")
        for row, one in enumerate(answers)
    ]


def drawn(choices: Sequence[str], words: int, seed: int, n: int = N) -> list[str]:
    choice = random.Random(seed)
    return [" ".join(choice.choices(choices, k=words)) for _ in range(n)]


RIGHT = drawn(WORDS, 8, seed=1)
NEARLY = [" ".join([*one.split()[:6], "no", "no"]) for one in RIGHT]
LABELS = drawn(("spam", "ham"), 1, seed=4)
GUESSED = drawn(("spam", "ham", "SPAM"), 1, seed=5)
OFTEN = [right if row % 4 else guess for row, (right, guess) in enumerate(zip(LABELS, GUESSED, strict=True))]


def found(metrics: MetricSet, right: list[str], before: list[str], after: list[str]) -> Whole:
    made = whole(metrics, examples(right), predictions(before), predictions(after))
    assert made is not None
    return made


def decided(metrics: MetricSet, right: list[str], before: list[str], after: list[str]) -> Comparison:
    base, candidate = (
        evaluate(metrics, "m", examples(right), predictions(answers), max_failure_rate=1) for answers in (before, after)
    )
    return compared(base, candidate, primary=metrics.primary, whole=found(metrics, right, before, after))


@pytest.mark.parametrize(
    ("metrics", "right", "before", "after"),
    [
        (GENERATION, RIGHT, drawn(WORDS, 6, seed=2), NEARLY),
        (GENERATION, RIGHT, NEARLY, [*RIGHT[:20], *[""] * 20]),
        (CLASSIFICATION, LABELS, GUESSED, OFTEN),
    ],
)
def test_the_interval_is_about_the_difference_that_is_shown(
    metrics: MetricSet, right: list[str], before: list[str], after: list[str]
) -> None:
    comparison = decided(metrics, right, before, after)
    assert tuple(comparison.corpus_intervals) == metrics.whole_names
    assert Comparison.model_validate(comparison.model_dump(mode="json")) == comparison
    both = found(metrics, right, before, after)
    ends = both.candidate.score(both.candidate.rows.sum(axis=0)[None]) - both.base.score(
        both.base.rows.sum(axis=0)[None]
    )
    for (name, change), end in zip(comparison.corpus_differences().items(), ends[0], strict=True):
        one = comparison.corpus_intervals[name]
        assert change == pytest.approx(end, abs=1e-9) and one.low < end < one.high and one.confidence == 0.95
        assert one.won == 1 or one.low < 0


def test_swapped_sides_have_the_mirrored_interval_and_the_order_does_not_matter() -> None:
    there, back = found(GENERATION, RIGHT, GUESSED, NEARLY), found(GENERATION, RIGHT, NEARLY, GUESSED)
    order = random.Random(6).sample(range(N), N)
    base, candidate = (replace(one, rows=one.rows[order]) for one in (there.base, there.candidate))
    shuffled = Whole([there.ids[row] for row in order], base, candidate)
    for clusters in ({}, {one: str(int(one[1:]) // 2) for one in there.ids}):
        forth = corpus_intervals(there, clusters, 0.9)
        assert corpus_intervals(shuffled, clusters, 0.9) == forth
        for name, one in corpus_intervals(back, clusters, 0.9).items():
            assert (one.low, one.high) == (-forth[name].high, -forth[name].low)
            assert one.won + forth[name].won == 1


def test_a_model_is_not_better_than_itself() -> None:
    for one in corpus_intervals(found(GENERATION, RIGHT, NEARLY, NEARLY), {}, 0.9).values():
        assert (one.low, one.high, one.won) == (0, 0, 0)


def test_the_worlds_are_those_of_the_means(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every label occurs and is given, micro F1 is the accuracy, a mean."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 400)
    one = decided(CLASSIFICATION, LABELS, LABELS[::-1], [label.lower() for label in OFTEN])
    assert one.corpus_intervals["micro_f1"].low == pytest.approx(one.difference.low)
    assert one.corpus_intervals["micro_f1"].won == pytest.approx(one.difference.won)


def test_examples_that_belong_together_are_drawn_together() -> None:
    groups = [row // 4 for row in range(N)]
    right, before, after = ([side[row] for row in groups] for side in (RIGHT, GUESSED, NEARLY))
    clusters = {f"e{row:03d}": str(group) for row, group in enumerate(groups)}
    together = corpus_intervals(found(GENERATION, right, before, after), clusters, 0.9)
    alone = corpus_intervals(found(GENERATION, right[::4], before[::4], after[::4]), {}, 0.9)
    for name, one in together.items():
        assert (one.low, one.high) == pytest.approx((alone[name].low, alone[name].high))


def test_of_too_few_examples_or_of_nothing_there_is_none() -> None:
    assert corpus_intervals(found(GENERATION, RIGHT[:9], NEARLY[:9], RIGHT[:9]), {}, 0.9) == {}
    assert len(corpus_intervals(found(GENERATION, RIGHT[:10], NEARLY[:10], RIGHT[:10]), {}, 0.9)) == 2
    one_group = {f"e{row:03d}": "all" for row in range(N)}
    assert corpus_intervals(found(GENERATION, RIGHT, NEARLY, RIGHT), one_group, 0.9) == {}
    outside = found(CLASSIFICATION, ["else"] * N, ["what"] * N, ["spam", *["what"] * (N - 1)])
    assert np.isnan(outside.base.score(outside.base.rows.sum(axis=0)[None])).all()
    assert corpus_intervals(outside, {}, 0.9) == {}
    assert whole(metrics_of(Task.SUMMARIZATION), examples(RIGHT), predictions(NEARLY), predictions(RIGHT)) is None
