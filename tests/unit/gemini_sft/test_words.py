import unicodedata
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.words import ascii_words, folded, readable, unicode_words, words_of
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


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("the kettle", True),
        ("15", True),
        ("15 °C — 20 €", True),
        ("Größe", True),
        ("Các bạn có khỏe không?", True),
        ("Tokyo (東京)", True),
        ("ab 東京", True),
        ("a 東京", False),
        ("AIは危険だ", False),
        ("Москва 1", False),
        ("2024年", False),
        ("한국어 GPT", True),
        ("한국어다 GPT", False),
        ("a 🍕🍕🍕🍕", True),
        ("\u212a", False),
        ("é", False),
        ("…", False),
        ("", False),
    ],
)
def test_ascii_reads_what_has_a_word_and_is_mostly_ascii(text: str, can: bool) -> None:
    assert readable(text, Tokenizer.ASCII) == can


@given(TEXTS)
@settings(deadline=None, max_examples=300)
def test_half_of_the_letters_are_enough(text: str) -> None:
    letters = [one for one in text if unicodedata.category(one).startswith("L")]
    half = 2 * sum(one.isascii() for one in letters) >= len(letters)
    assert readable(text, Tokenizer.ASCII) == (half and bool(ascii_words(text)))


@given(TEXTS)
@settings(deadline=None, max_examples=200)
def test_unicode_reads_whatever_has_a_word(text: str) -> None:
    assert readable(text, Tokenizer.UNICODE) == bool(words_of(Tokenizer.UNICODE)(text))
