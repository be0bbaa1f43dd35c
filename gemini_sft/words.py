"""What counts as a word where texts are compared by their words.

`ascii` is what the package rouge-score does: the text in lower case, of which every run of the characters a-z and 0-9
is a word. Of other scripts it sees nothing, and of "Größe" only "gr" and "e".

`unicode` reads every language, and ASCII text exactly as `ascii` does:

1. The text is normalised: without Unicode's default ignorable characters (such as soft hyphens, joiners and variation
   selectors), in the form NFKC, case-folded, and once more NFKC. So "ﬁ", "ＦＩ" and "fi" are the same.
2. A letter or digit (general category L or N) of a script that is written without spaces between words, that is Han,
   Hiragana, Katakana, Thai, Lao, Khmer and Myanmar by their `Script_Extensions`, is a word of its own, together with
   the combining marks (category M) behind it.
3. Of everything else, every run of letters, digits and marks that begins with a letter or digit is a word.

Punctuation, symbols and emoji are no words in either.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

from gemini_sft.experiment.schema import Task, Tokenizer

Words = Callable[[str], list[str]]
"""From a text to its words."""

BY_WORDS = (Task.SUMMARIZATION, Task.CHAT, Task.GENERATION)
"""Tasks in which a text without a word cannot be scored. In question answering it is an answer: that there is none."""

_ASCII = re.compile("[a-z0-9]+")
# What is in lower case, or becomes it, in `ascii`: the Kelvin sign and the Turkish dotted I become k and i.
_HAS_ASCII = re.compile("[a-zA-Z0-9\u0130\u212a]")
_BEGIN = 16
_SCRIPTS = ("Han", "Hira", "Kana", "Thai", "Laoo", "Khmr", "Mymr")
_UNSPACED = "[[" + "".join(rf"\p{{Script_Extensions={one}}}" for one in _SCRIPTS) + r"]&&[\p{L}\p{N}]]"


def ascii_words(text: str) -> list[str]:
    """Returns the words as rouge-score has them, but for stemming."""
    return _ASCII.findall(text.lower())


def unicode_words(text: str) -> list[str]:
    """Returns the words of any language."""
    if text.isascii():
        return ascii_words(text)
    found: list[str] = _patterns()["word"].findall(folded(text))
    return found


def folded(text: str) -> str:
    """Returns a text in which case, width and other spellings of the same character do not differ: step 1."""
    visible = text if text.isascii() else _patterns()["ignorable"].sub("", text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())


def divided(word: str) -> list[str]:
    """Returns what a word without white space consists of: each character of step 2 apart, whatever else together."""
    found: list[str] = [word] if word.isascii() else _patterns()["unit"].findall(word)
    return found


def without_punctuation(text: str) -> str:
    """Returns a text without the punctuation of any script (general category P) and without the symbols of ASCII."""
    bare: str = _patterns()["punctuation"].sub("", text)
    return bare


def words_of(tokenizer: Tokenizer) -> Words:
    """Returns the function that finds the words."""
    return unicode_words if tokenizer is Tokenizer.UNICODE else ascii_words


def has_words(text: str, tokenizer: Tokenizer) -> bool:
    """Returns whether a text has any word; costs almost nothing for a text that begins like one."""
    if _HAS_ASCII.search(text):
        return True
    return tokenizer is Tokenizer.UNICODE and bool(unicode_words(text[:_BEGIN]) or unicode_words(text))


@cache
def _patterns() -> dict[str, Any]:
    import regex

    patterns = {
        "ignorable": r"\p{Default_Ignorable_Code_Point}+",
        "word": rf"{_UNSPACED}\p{{M}}*|[[\p{{L}}\p{{N}}]--{_UNSPACED}][[\p{{L}}\p{{N}}\p{{M}}]--{_UNSPACED}]*",
        "punctuation": r"[\p{P}$+<=>^`|~]+",
        "unit": rf"{_UNSPACED}\p{{M}}*|(?:(?!{_UNSPACED}).)+",
    }
    return {name: regex.compile(pattern, regex.V1 | regex.DOTALL) for name, pattern in patterns.items()}
