from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemini_sft.experiment import Task
from gemini_sft.metrics import metrics_of
from gemini_sft.metrics.rouge import NAMES, rouge

WORDS = st.lists(st.sampled_from(["the", "boil", "boiling", "boiled", "kettle", "2", "a's", "naïve", "🍕", "THE"]))
TEXTS = st.text(max_size=40) | WORDS.map(" ".join)


@pytest.fixture(scope="module")
def scorer() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)


@given(TEXTS, TEXTS)
@settings(deadline=None, max_examples=50)
@example("", "")
@example("", "the kettle")
@example("the kettle", "")
@example("boil the kettle twice", "the kettle was boiled twice")
def test_the_numbers_are_those_of_rouge_score(scorer: Any, answer: str, reference: str) -> None:
    ours, theirs = rouge(answer, reference), scorer.score(reference, answer)
    assert tuple(ours) == NAMES
    for kind in ("rouge1", "rouge2", "rougeL"):
        assert ours[f"{kind}_precision"] == theirs[kind].precision
        assert ours[f"{kind}_recall"] == theirs[kind].recall
        assert ours[f"{kind}_f"] == theirs[kind].fmeasure
    assert all(0 <= value <= 1 for value in ours.values())


def test_worked_by_hand() -> None:
    """Five words against four, three of them in common and in order, two pairs among them."""
    scores = rouge("boil the kettle once more", "boil the kettle twice")
    assert scores == pytest.approx(
        {
            "rouge1_precision": 3 / 5,
            "rouge1_recall": 3 / 4,
            "rouge1_f": 2 / 3,
            "rouge2_precision": 2 / 4,
            "rouge2_recall": 2 / 3,
            "rouge2_f": 4 / 7,
            "rougeL_precision": 3 / 5,
            "rougeL_recall": 3 / 4,
            "rougeL_f": 2 / 3,
        }
    )


def test_words_are_stemmed() -> None:
    assert rouge("boiling kettles", "boiled kettle")["rouge1_f"] == 1


@pytest.mark.parametrize(("answer", "reference"), [("", ""), ("", "a b"), ("a b", ""), ("!?", "a b"), (" \n", "a")])
def test_without_words_everything_is_zero(answer: str, reference: str) -> None:
    assert rouge(answer, reference) == dict.fromkeys(NAMES, 0.0)


@pytest.mark.parametrize("task", Task)
def test_every_task_has_metrics_of_which_one_decides(task: Task) -> None:
    metrics = metrics_of(task)
    assert metrics.primary in metrics.names and len({*metrics.names}) == len(metrics.names)
    assert tuple(metrics.score("an answer", "a reference")) == metrics.names
    assert metrics.score("an answer", "an answer")[metrics.primary] == 1


def test_summaries_are_decided_by_rouge_l() -> None:
    assert metrics_of(Task.SUMMARIZATION).primary == "rougeL_f"
