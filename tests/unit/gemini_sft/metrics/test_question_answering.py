import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.metrics.question_answering import NAMES, question_answering, score
from tests.unit.gemini_sft.metrics.hostile import ASCII

WORDS = st.lists(st.sampled_from(["New", "york", "the", "A", "an", "u.s.", "-", "theatre", "Ü"]), max_size=6)
TEXTS = st.text(max_size=30) | WORDS.map(" ".join)


@pytest.mark.parametrize(
    ("answer", "reference", "exact", "f1"),
    [
        ("New York", "New York", 1, 1),
        # Two of four words, both of two: precision 1/2, recall 1.
        ("New York New York", "New York", 0, 2 / 3),
        ("York", "New York", 0, 2 / 3),
        ("York New", "New York", 0, 1),
        ("in New York City", "New York", 0, 2 / 3),
        ("Boston", "New York", 0, 0),
        # A word counts as often as both sides have it: one "a b" of three words on one side, two on the other.
        ("b b c", "b d", 0, 2 / 5),
        # Case, ASCII punctuation, articles and white space.
        ("  the U.S.\n", "US", 1, 1),
        ("An apple, a day!", "apple day", 1, 1),
        ("don't", "dont", 1, 1),
        ("well-known", "well known", 0, 0),
        ("The Theatre", "theatre", 1, 1),
        ("the_end", "theend", 1, 1),
        # Articles go where a word ends by Unicode's rules: punctuation that is not ASCII stays and ends one.
        ("the—end", "—end", 1, 1),
        ("a\N{RIGHT SINGLE QUOTATION MARK}s", "\N{RIGHT SINGLE QUOTATION MARK}s", 1, 1),
        # Lower case is not the folding of German.
        ("STRASSE", "straße", 0, 0),
        ("ÉTÉ", "été", 1, 1),
        # Without a word on either side.
        ("", "", 1, 1),
        ("The.", "", 1, 1),
        ("", "New York", 0, 0),
        ("New York", "the", 0, 0),
    ],
)
def test_worked_by_hand(answer: str, reference: str, exact: float, f1: float) -> None:
    scores = score(answer, (reference,))
    assert (scores["exact_match"], scores["token_f1"]) == pytest.approx((exact, f1))


@pytest.mark.parametrize(
    ("answer", "reference", "exact", "f1"),
    [
        ("New  york\n", "new York", 1, 1),
        # Punctuation and articles are kept.
        ("the Nile", "Nile", 0, 2 / 3),
        ("Nile.", "Nile", 0, 0),
        ("1,000", "1000", 0, 0),
        # Without a word nothing is in common, also where that is right.
        ("", "", 1, 0),
        ("", "Nile", 0, 0),
    ],
)
def test_the_tutorials_metrics_worked_by_hand(answer: str, reference: str, exact: float, f1: float) -> None:
    scores = score(answer, (reference,))
    assert (scores["exact_match_tutorial"], scores["token_f1_tutorial"]) == pytest.approx((exact, f1))


def test_each_metric_is_its_best_over_the_references() -> None:
    references = ("the great city of New York", "Boston", "York New")
    for kind, articles in (("", 0), ("_tutorial", 1)):
        scores = score("New York", references)
        assert (scores[f"exact_match{kind}"], scores[f"token_f1{kind}"]) == (0, 1)
        scores = score("New York", references[:2])
        assert (scores[f"exact_match{kind}"], scores[f"token_f1{kind}"]) == pytest.approx((0, 4 / (7 + articles)))
        scores = score("Boston", references)
        assert (scores[f"exact_match{kind}"], scores[f"token_f1{kind}"]) == (1, 1)


def test_a_reference_without_a_word_counts_only_alone() -> None:
    """To the official script the answer A of a multiple choice is an article, and so none."""
    assert score("the", ("A", "An."))["exact_match"] == 1
    assert score("the", ("A", "New York"))["exact_match"] == 0
    assert score("A", ("A",))["token_f1"] == 1


@given(TEXTS, TEXTS)
@settings(deadline=None, max_examples=80)
@example("", "")
@example("the", "a b")
def test_symmetric_and_bounded(one: str, other: str) -> None:
    scores = score(one, (other,))
    assert tuple(scores) == NAMES and all(0 <= value <= 1 for value in scores.values())
    assert scores == pytest.approx(score(other, (one,)))
    assert scores["exact_match"] <= scores["token_f1"]


@given(TEXTS, st.lists(TEXTS, max_size=2))
@settings(deadline=None, max_examples=30)
def test_what_is_identical_to_a_reference_is_right(answer: str, others: list[str]) -> None:
    assume(score(answer, ("",))["exact_match"] == 0)
    assert score(answer, (*others, answer)) == dict.fromkeys(NAMES, 1.0)


@pytest.mark.parametrize(
    ("answer", "reference", "exact", "f1"),
    [
        ("STRASSE", "straße", 1, 1),
        ("「東京」", "東京", 1, 1),
        ("東京都", "東京", 0, 4 / 5),
        ("the—end", "end", 0, 0),
        ("the “end”", "end", 1, 1),
        ("don\N{RIGHT SINGLE QUOTATION MARK}t", "don't", 1, 1),
        ("e\u0301te\u0301", "ÉTÉ", 1, 1),
    ],
)
def test_with_unicode(answer: str, reference: str, exact: float, f1: float) -> None:
    scores = question_answering(Tokenizer.UNICODE)(answer, (reference,))
    assert (scores["exact_match"], scores["token_f1"]) == pytest.approx((exact, f1))


@given(ASCII, ASCII)
@settings(deadline=None, max_examples=100)
def test_ascii_text_scores_the_same_with_unicode(answer: str, reference: str) -> None:
    assert question_answering(Tokenizer.UNICODE)(answer, (reference,)) == score(answer, (reference,))
