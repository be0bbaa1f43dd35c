import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.metrics.classification import NAMES, score


@pytest.mark.parametrize(
    ("answer", "references", "right"),
    [
        ("spam", ("spam",), 1),
        (" spam\n", ("spam",), 1),
        ("spam", ("spam ",), 1),
        ("very  good", ("very good",), 0),
        ("Spam", ("spam",), 0),
        ("spam.", ("spam",), 0),
        ("spam, ham", ("spam",), 0),
        ("", ("spam",), 0),
        ("ham", ("spam", "ham"), 1),
        ("eggs", ("spam", "ham"), 0),
    ],
)
def test_a_label_is_right_letter_by_letter(answer: str, references: tuple[str, ...], right: float) -> None:
    assert score(answer, references) == {"accuracy": right}


@given(st.text(max_size=10), st.lists(st.text(max_size=10), max_size=3))
def test_what_is_among_the_references_is_right(answer: str, others: list[str]) -> None:
    assert tuple(score(answer, (*others, answer))) == NAMES
    assert score(answer, (*others, answer))["accuracy"] == 1


@given(st.sampled_from("ab"), st.lists(st.sampled_from("abc"), min_size=1), st.sampled_from("abc"))
def test_another_reference_never_lowers(answer: str, references: list[str], another: str) -> None:
    assert score(answer, (*references, another))["accuracy"] >= score(answer, tuple(references))["accuracy"]
