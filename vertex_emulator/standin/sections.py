"""Cuts a prompt into the parts that it introduces by name: "Answer A:", "[B]", "<reference>", "## Question"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from vertex_emulator.standin.words import PART, word_set

_HEAD = re.compile(
    r"(?P<open>[\s#*\[(<|=_-]*)(?P<name>[^:\n\])>]{1,60}?)[\s*\])>|=_-]*(?:(?P<colon>:)(?P<rest>.*)|$)", re.DOTALL
)
_MAX_HEAD_WORDS = 8
_ID = re.compile(r"[\s_-][0-9a-f]{8,}$")
"""What keeps a mark from being foreseen: "<answer-A-1f2e3d4c>"."""
_ANSWER = word_set("answer response output candidate prediction summary reply completion")
_REFERENCE = word_set("reference expected ideal gold golden truth target")
_OTHER = word_set(
    """instruction instructions question task prompt criteria rubric rules context source article text document input
    request user system verdict decision judgement judgment grade score rating scale label format note"""
)


@dataclass
class Sections:
    """The parts of a prompt.

    Attributes:
        named: Text of the part that is introduced by each value's name, for those values that name one.
        reference: Text that the prompt calls right; empty if there is none.
        answer: Text that is introduced as an answer, but by no value's name.
        rest: All other text.
    """

    named: dict[str, str] = field(default_factory=dict)
    reference: str = ""
    answer: str = ""
    rest: str = ""


def cut_sections(text: str, values: Sequence[str]) -> Sections:
    """Cuts a prompt at its headings.

    A heading begins a line, has at most eight words, and ends in a colon, or is a line of its own inside brackets or
    after signs such as `##`; a random number at its end is passed over. It names a value with its last word ("Answer
    A", "<answer_b>", "Assistant A's Answer"), or the kind of text that follows ("Reference answer"). A paragraph or
    line that speaks of several values, as the question at the end does, ends the part before it.

    Args:
        text: The prompt.
        values: What parts may be named after.
    """
    heads = {tuple(_words(value)): value for value in values}
    found: dict[str, list[str]] = {}
    key = "rest"
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.split("\n")
        if key.startswith("=") and _read_head(lines[0], heads)[0] is None and _mentions(paragraph, values) > 1:
            key = "rest"
        for line in lines:
            new, rest = _read_head(line, heads)
            key = new or ("rest" if key.startswith("=") and _mentions(line, values) > 1 else key)
            found.setdefault(key, []).append(rest)
    texts = {name: "\n".join(lines).strip() for name, lines in found.items()}
    named = {value: texts[f"={value}"] for value in values if f"={value}" in texts}
    return Sections(named, texts.get("reference", ""), texts.get("answer", ""), texts.get("rest", ""))


def _read_head(line: str, heads: dict[tuple[str, ...], str]) -> tuple[str | None, str]:
    """Returns the key of the part that a line begins, None if it begins none, and the rest of the line."""
    match = _HEAD.match(line)
    name = _ID.sub("", match["name"]) if match else ""
    words = _words(name)
    if match is None or not (match["colon"] or match["open"].strip()) or not 0 < len(words) <= _MAX_HEAD_WORDS:
        return None, line
    rest = (match["rest"] or "").strip(" *")
    lowered = {word.lower() for word in words}
    if name.startswith("/") or "end" in lowered:
        return "rest", rest
    if not lowered.isdisjoint(_REFERENCE):
        return "reference", rest
    named = [value for head, value in heads.items() if _ends_with(words, head)]
    if named and _mentions(name, list(heads.values())) < 2:
        return f"={named[-1]}", rest
    if not lowered.isdisjoint(_ANSWER):
        return "answer", rest
    return (None, line) if lowered.isdisjoint(_OTHER) else ("rest", rest)


def _ends_with(words: Sequence[str], head: tuple[str, ...]) -> bool:
    """Tells whether words end with a value's, or have them in the possessive: "The Start of Assistant A's Answer"."""
    length = len(head)
    starts = (start for start in range(len(words) - length + 1) if tuple(words[start : start + length]) == head)
    return any(words[start + length : start + length + 1] in ([], ["s"]) for start in starts)


def _words(text: str) -> list[str]:
    return PART.findall(text)


def _mentions(paragraph: str, values: Sequence[str]) -> int:
    return sum(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", paragraph) is not None for value in values)
