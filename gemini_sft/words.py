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

Whether a text can be read is more than whether it has a word. To `ascii`, "AIは危険だ" and "AIは安全だ" both are the
word "ai", so they would score as equal; where most letters are not seen, what is seen says nothing.
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
"""Tasks in which only a text that can be read can be scored. In question answering one without a word is an answer:
that there is none.
"""

_ASCII = re.compile("[a-z0-9]+")
_HAS_ASCII = re.compile("[a-zA-Z0-9]")
_NO_LETTERS = bytes(one for one in range(128) if not chr(one).isalpha())
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


def readable(text: str, tokenizer: Tokenizer) -> bool:
    """Returns whether scores of a text by its words mean anything.

    It must have a word; and with `ascii` at least half of its letters (general category L) must be ASCII. Costs almost
    nothing for a text in Latin script that begins with a word.
    """
    if tokenizer is Tokenizer.UNICODE:
        return bool(_HAS_ASCII.search(text) or unicode_words(text[:_BEGIN]) or unicode_words(text))
    return bool(_HAS_ASCII.search(text)) and (text.isascii() or _mostly_ascii(text))


def _mostly_ascii(text: str) -> bool:
    seen = text.encode("ascii", "ignore")
    letters = len(seen.translate(None, _NO_LETTERS))
    unseen = len(text) - len(seen)  # at most so many letters are not ASCII
    return letters >= unseen or 2 * letters >= sum(map(str.isalpha, text))


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
