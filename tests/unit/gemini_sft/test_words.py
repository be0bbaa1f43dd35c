import unicodedata
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.words import ascii_words, folded, has_words, unicode_words, words_of
from tests.unit.gemini_sft.metrics.hostile import ASCII, TEXTS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # Case, width, ligatures, composed and decomposed letters, and what nobody sees.
        ("Größe GRÖSSE", ["grösse", "grösse"]),
        ("ﬁ ＦＩ fi", ["fi", "fi", "fi"]),
        ("e\u0301 é É", ["é", "é", "é"]),
        ("soft\u00adhyphen, zero\u200dwidth", ["softhyphen", "zerowidth"]),
        ("ΣΊΣΥΦΟΣ σίσυφος", ["σίσυφοσ", "σίσυφοσ"]),
        ("\u0390", ["\u0390"]),
        ("½ ㎏ ①", ["1", "2", "kg", "1"]),
        # Words end at what is no letter, digit or mark.
        ("don’t stop_it U.S.", ["don", "t", "stop", "it", "u", "s"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("שָׁלוֹם", ["שָׁלוֹם"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        # Each character apart, with its marks, where no spaces stand between words.
        ("東京へ行く。", ["東", "京", "へ", "行", "く"]),
        ("コーヒー", ["コ", "ー", "ヒ", "ー"]),
        ("えーー", ["え", "ー", "ー"]),
        ("か\u3099 ｶﾞ", ["が", "ガ"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("ខ្មែរ", ["ខ្", "មែ", "រ"]),
        ("ສະບາຍ", ["ສ", "ະ", "ບ", "າ", "ຍ"]),
        ("မြန်", ["မြ", "န်"]),
        ("iPhone15を買う", ["iphone15", "を", "買", "う"]),
        # No words at all.
        ("🍕👩‍🚀 … — ?!", []),
        ("\u0301\u115f", []),
    ],
)
def test_unicode(text: str, words: list[str]) -> None:
    assert unicode_words(text) == [unicodedata.normalize("NFC", word) for word in words]


def test_ascii_sees_nothing_of_other_scripts() -> None:
    assert ascii_words("Größe 東京 K\u212a U.S. 15") == ["gr", "e", "kk", "u", "s", "15"]


@given(ASCII)
@settings(deadline=None, max_examples=100)
def test_ascii_text_has_the_same_words_in_both(text: str) -> None:
    assert unicode_words(text) == ascii_words(text)


@given(TEXTS, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
@settings(deadline=None, max_examples=200)
def test_how_a_character_is_written_does_not_matter(text: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]) -> None:
    assert unicode_words(unicodedata.normalize(form, text)) == unicode_words(text)


@given(TEXTS)
@settings(deadline=None, max_examples=200)
def test_words_of_words_are_the_same(text: str) -> None:
    words = unicode_words(text)
    assert unicode_words(" ".join(words)) == words
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(("text", "has"), [("\u212a", True), ("\u0130", True), ("é", False), ("", False), ("…", False)])
def test_what_becomes_ascii_in_lower_case_has_words(text: str, has: bool) -> None:
    assert bool(ascii_words(text)) == has_words(text, Tokenizer.ASCII) == has


@given(TEXTS, st.sampled_from(Tokenizer))
@settings(deadline=None, max_examples=200)
def test_a_text_has_words_if_any_are_found(text: str, tokenizer: Tokenizer) -> None:
    assert has_words(text, tokenizer) == bool(words_of(tokenizer)(text))
