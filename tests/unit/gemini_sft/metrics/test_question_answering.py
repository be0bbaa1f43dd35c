import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemini_sft.metrics.question_answering import NAMES, score

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
    assert score(answer, (reference,)) == pytest.approx({"exact_match": exact, "token_f1": f1})


def test_each_metric_is_its_best_over_the_references() -> None:
    references = ("the great city of New York", "Boston", "York New")
    assert score("New York", references) == {"exact_match": 0, "token_f1": 1}
    assert score("New York", references[:2]) == {"exact_match": 0, "token_f1": pytest.approx(4 / 7)}
    assert score("Boston", references) == {"exact_match": 1, "token_f1": 1}


@given(TEXTS, TEXTS)
@settings(deadline=None, max_examples=80)
@example("", "")
@example("the", "a b")
def test_symmetric_and_bounded(one: str, other: str) -> None:
    scores = score(one, (other,))
    assert tuple(scores) == NAMES and all(0 <= value <= 1 for value in scores.values())
    assert scores == score(other, (one,))
    assert scores["exact_match"] <= scores["token_f1"]


@given(TEXTS, st.lists(TEXTS, max_size=2))
@settings(deadline=None, max_examples=30)
def test_what_is_identical_to_a_reference_is_right(answer: str, others: list[str]) -> None:
    assert score(answer, (*others, answer)) == dict.fromkeys(NAMES, 1.0)


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=3), TEXTS)
@settings(deadline=None, max_examples=50)
def test_another_reference_never_lowers(answer: str, references: list[str], another: str) -> None:
    before, after = score(answer, tuple(references)), score(answer, (*references, another))
    assert all(after[name] >= before[name] for name in NAMES)
