"""Finds the answers that a prompt offers: lists in brackets, after a colon, in bullets or in a sentence."""

import re
from collections.abc import Sequence

_MAX_ENTRY_WORDS = 8
_MAX_INTRODUCTION = 120
_MAX_LABEL = 31
_LIST_WORD = re.compile(
    r"\b(class(es)?|labels?|categor(y|ies)|options?|choices?|intents?|topics?|types?|one of)\b", re.IGNORECASE
)
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_COLON = re.compile(r":\s+")
_CLAUSE_START = re.compile(r".*[:.!?]", re.DOTALL)
_CLAUSE_END = re.compile(r"[.!?](?:\s|$)")
_CHOICE = re.compile(
    r"\b(?:one of|as|into|either|between)\s+(?:either\s+)?"
    r"(?P<entries>[\w'\"`-]+(?:\s*,\s*[\w'\"`-]+)*,?\s+(?:or|and)\s+[\w'\"`-]+)\s*(?:[.:!?]|$)"
)
_BULLET = re.compile(r"(?:[-*•–]|\(?\d{1,3}[.)])\s+(?P<entry>\S.*)")
_EXPLAINED = re.compile(r"(?P<entry>[^:]{1,60}):\s")
_SEPARATOR = re.compile(r"\s*[,;|]\s*(?:(?:or|and)\s+)?|\s+or\s+")
_QUOTES = " \t'\"`*‘’“”"
_LONG_LINE = 60


def offered_entries(lines: Sequence[str], is_instruction: Sequence[bool]) -> tuple[list[str], set[int]]:
    """Collect the entries that lines of a prompt offer as answers.

    Args:
        lines: Lines of the prompt, stripped, none empty.
        is_instruction: For each line, whether it tells the model what to do; prose that only happens to
            enumerate things must not become a list of answers.

    Returns:
        The distinct entries in order, and the numbers of the lines that hold a list.
    """
    entries: list[str] = []
    holders: set[int] = set()
    bulleted = _bullet_runs(lines)
    for number, line in enumerate(lines):
        found = bulleted.get(number) or _inline_entries(line, is_instruction[number])
        if found:
            entries.extend(found)
            holders.add(number)
    return list(dict.fromkeys(entries)), holders


def _inline_entries(line: str, instruction: bool) -> list[str]:
    prose = len(line.split()) >= _LONG_LINE and not _LIST_WORD.search(line)
    if not prose:
        for match in _BRACKETS.finditer(line):
            if found := _split(match.group(1)):
                return found
    for colon in _COLON.finditer(line):
        nearby = line[max(0, colon.start() - _MAX_INTRODUCTION) : colon.start()]
        before = _CLAUSE_START.sub("", nearby).strip()
        named = _LIST_WORD.search(before) is not None
        if named and (instruction or len(before) <= _MAX_LABEL) and not before.lower().startswith("there "):
            end = _CLAUSE_END.search(line, colon.end())
            if found := _split(line[colon.end() : end.start() if end else None]):
                return found
    if instruction and (choice := _CHOICE.search(line)):
        return _split(re.sub(r"\s+and\s+", ", ", choice["entries"]))
    return []


def _bullet_runs(lines: Sequence[str]) -> dict[int, list[str]]:
    """Return the entries of bulleted lines whose introducing line speaks of labels."""
    found: dict[int, list[str]] = {}
    introduced = False
    for number, line in enumerate(lines):
        bullet = _BULLET.match(line)
        if bullet is None:
            introduced = line.endswith(":") and _LIST_WORD.search(line) is not None
            continue
        explained = _EXPLAINED.match(bullet["entry"])
        entry = (explained["entry"] if explained else bullet["entry"]).strip(_QUOTES)
        if introduced and entry and len(entry.split()) <= _MAX_ENTRY_WORDS + 1:
            found[number] = [entry]
    return found if len(found) >= 2 else {}


def _split(text: str) -> list[str]:
    pieces = _SEPARATOR.split(" ".join(text.split()))
    entries = [entry for piece in pieces if (entry := piece.strip(_QUOTES).rstrip(".").strip(_QUOTES))]
    usable = len(entries) >= 2 and all(len(entry.split()) <= _MAX_ENTRY_WORDS for entry in entries)
    return entries if usable else []
