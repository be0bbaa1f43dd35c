"""Text of unknown origin, made fit to be looked at.

Escaping for HTML is Jinja's work; this is about what survives escaping and still misleads or breaks a page.
"""

import re
from dataclasses import dataclass

_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
_SURROGATE = r"[\ud800-\udfff]"
_NONCHARACTER = r"[\ufdd0-\ufdef\ufffe\uffff]"
# Embeddings, overrides and isolates reorder what follows them. The plain marks (LRM, RLM, ALM) belong to honest text.
_REORDERING = r"[\u202a-\u202e\u2066-\u2069]"
_SEPARATOR = r"[\u2028\u2029]"
_UNFIT = re.compile("|".join((_CONTROL, _SURROGATE, _NONCHARACTER, _REORDERING, _SEPARATOR)))

_LONG = 1200
_OPEN = 700


@dataclass(frozen=True)
class Passage:
    """A text as it is shown.

    Attributes:
        text: Its beginning, or all of it.
        length: Characters of the whole.
    """

    text: str
    length: int

    @property
    def hidden(self) -> int:
        """How many characters are not shown."""
        return self.length - len(self.text)

    @property
    def folded(self) -> tuple[str, str]:
        """The text in two parts, the second of which is empty unless the text is long."""
        if len(self.text) <= _LONG:
            return self.text, ""
        space = self.text.rfind(" ", _OPEN - 100, _OPEN)
        cut = space if space > 0 else _OPEN
        return self.text[:cut], self.text[cut:].lstrip()


def visible(text: str) -> str:
    """Returns the text with every character that cannot be seen, or that reorders others, replaced by a sign for it."""
    return _UNFIT.sub(_sign, text.replace("\r\n", "\n"))


def passage(text: str, limit: int) -> Passage:
    """Returns at most `limit` characters of a text."""
    shown = visible(text)
    return Passage(shown[:limit], len(shown))


def _sign(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"[U+{code:04X}]"
