"""What is wrong with a line that is not good JSON, and keys that stand twice in one that looks good."""

import json
import re
from typing import Any

from gemini_sft.data.findings import Fault

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def diagnose(line: bytes, *, last: bool) -> Fault:
    """Returns what is wrong with a line that the JSON parser refused.

    Args:
        line: As it stands in the file, without its line feed.
        last: Whether it is the file's last line and no line feed ends it.
    """
    if b"\x00" in line:
        return Fault("encoding", "holds NUL bytes: the file is UTF-16, or damaged")
    try:
        return _diagnose(line.decode(), last=last)
    except UnicodeDecodeError as error:
        if last and error.reason == "unexpected end of data":
            return Fault("truncated", "breaks off in the middle of a character")
        return Fault("encoding", f"is not UTF-8 (byte {error.start + 1} of the line)")


def _diagnose(text: str, *, last: bool) -> Fault:
    try:
        value = json.loads(text, parse_constant=_constant, object_pairs_hook=_pairs)
    except Fault as fault:
        return fault
    except json.JSONDecodeError as error:
        if last and _is_cut(text[error.pos :].strip(), error.msg):
            return Fault("truncated", "breaks off in the middle: the file is cut off here", text)
        return Fault("json", f"is not JSON: {_said(error, text)}", text)
    except (RecursionError, ValueError) as error:
        deep = isinstance(error, RecursionError)
        return Fault("json", "is nested too deeply" if deep else "holds a number that is too long")
    if _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        return Fault("lone_surrogate", "has half of a surrogate pair, such as \\ud83d alone, which is no character")
    return Fault("json", "is not JSON that can be taken: a number is too large, or it is nested too deeply", text)


def check_keys(line: bytes) -> None:
    """Checks that no object of a line has a key twice.

    Raises:
        Fault: One has.
    """
    json.loads(line, object_pairs_hook=_pairs)


def exactly(line: bytes) -> dict[str, Any]:
    """Returns a parsed line with long integers as they stand there: the fast parser makes floats of them."""
    record: dict[str, Any] = json.loads(line)
    return record


def count_keys(value: Any) -> int:
    """Returns how many keys all objects inside a value have together."""
    if type(value) is dict:
        return len(value) + sum(map(count_keys, value.values()))
    return sum(map(count_keys, value)) if type(value) is list else 0


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Fault("duplicate_key", f"has the key {twice[:40]!r} twice in one object")
    return made


def _constant(name: str) -> Any:
    raise Fault("not_a_number", f"holds {name}, which is not JSON")


def _is_cut(rest: str, message: str) -> bool:
    """Returns whether more characters could mend a text that cannot be parsed from `rest` on."""
    return not rest or message.startswith("Unterminated string") or (len(rest) <= 6 and not rest.endswith(("}", "]")))


def _said(error: json.JSONDecodeError, text: str) -> str:
    if "\ufeff" in text:
        return "a byte order mark stands in it, as where files were joined"
    if "\r" in text.strip():
        return "its lines end in CR alone: save it with LF"
    return f"{error.msg[:1].lower()}{error.msg[1:]} (column {error.colno})"
