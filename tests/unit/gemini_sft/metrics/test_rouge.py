from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemini_sft.metrics.rouge import NAMES, PRIMARY, score

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
    ours, theirs = score(answer, (reference,)), scorer.score(reference, answer)
    assert tuple(ours) == NAMES
    for kind in ("rouge1", "rouge2", "rougeL"):
        assert ours[f"{kind}_precision"] == theirs[kind].precision
        assert ours[f"{kind}_recall"] == theirs[kind].recall
        assert ours[f"{kind}_f"] == theirs[kind].fmeasure
    assert all(0 <= value <= 1 for value in ours.values())


def test_worked_by_hand() -> None:
    """Five words against four, three of them in common and in order, two pairs among them."""
    scores = score("boil the kettle once more", ("boil the kettle twice",))
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
    assert score("boiling kettles", ("boiled kettle",))["rouge1_f"] == 1


@pytest.mark.parametrize(("answer", "reference"), [("", ""), ("", "a b"), ("a b", ""), ("!?", "a b"), (" \n", "a")])
def test_without_words_everything_is_zero(answer: str, reference: str) -> None:
    assert score(answer, (reference,)) == dict.fromkeys(NAMES, 0.0)


def test_of_several_references_the_one_with_the_best_rouge_l_gives_all_scores() -> None:
    """The first has more words in common, the second more of them in the same order."""
    answer, first, second = "boil the kettle", "kettle boil the", "boil the kettle once more"
    assert score(answer, (first,))["rouge1_f"] == 1
    assert score(answer, (first, second)) == score(answer, (second,))
    assert score(answer, (second, first)) == score(answer, (second,))
    assert score(answer, (first, second))[PRIMARY] == pytest.approx(3 / 4)


def test_of_equally_good_references_the_first_counts() -> None:
    """Both have two of the answer's three words in order; only in the second do they follow each other."""
    answer, first, second = "boil the kettle", "boil a kettle", "boil the pot"
    assert score(answer, (first,))[PRIMARY] == score(answer, (second,))[PRIMARY] == pytest.approx(2 / 3)
    assert score(answer, (first, second))["rouge2_f"] == 0
    assert score(answer, (second, first))["rouge2_f"] == 1 / 2


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=3), TEXTS)
@settings(deadline=None, max_examples=30)
def test_another_reference_never_lowers_rouge_l(answer: str, references: list[str], another: str) -> None:
    assert score(answer, (*references, another))[PRIMARY] >= score(answer, tuple(references))[PRIMARY]
