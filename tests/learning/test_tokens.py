"""The stand-in tokenizer."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertex_emulator.standin.tokens import VOCABULARY_SIZE, Token, count, encode, truncate

PROSE = (
    "The committee published its findings on Tuesday, after three months of interviews with residents and "
    "former officials. Most of its advice was expected; a few ideas, such as a proposal to close the bridge "
    "in the north for two years, came as a surprise to everybody."
)


@settings(deadline=None, max_examples=60)
@given(st.text())
def test_pieces_give_back_the_text(text: str) -> None:
    assert "".join(token.text for token in encode(text)) == text
    assert all(token.text and 0 <= token.id < VOCABULARY_SIZE for token in encode(text))


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.characters(categories=["Cs", "Co", "So", "Zs", "Lo"])))
def test_odd_characters_survive(text: str) -> None:
    assert "".join(token.text for token in encode(text)) == text
    assert count(text) == len(encode(text))


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=" aB9.,\n\té語🙂"), st.integers(0, 30))
def test_truncated_text_has_as_many_tokens_as_asked_for(text: str, n: int) -> None:
    kept = truncate(text, n)
    assert text.startswith(kept)
    assert count(kept) == min(n, count(text))
    assert encode(kept) == encode(text)[:n]


def test_prose_has_about_13_tokens_for_10_words() -> None:
    assert 1.15 <= count(PROSE) / len(PROSE.split()) <= 1.45


def test_ids_depend_on_the_piece_alone() -> None:
    first, second = encode("bread bread")
    assert first.text == "bread"
    assert second.text == " bread"
    assert encode(" bread") == [second]
    assert encode("bread")[0].id != second.id


def test_ids_are_the_same_in_every_process() -> None:
    code = "from vertex_emulator.standin.tokens import encode; print([t.id for t in encode('One, zwei.')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str([token.id for token in encode("One, zwei.")])


def test_nothing_has_no_tokens() -> None:
    assert encode("") == []
    assert count("") == 0
    assert encode("7") == [Token("7", encode("7")[0].id)]


def test_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 tokens"):
        truncate("text", -1)
