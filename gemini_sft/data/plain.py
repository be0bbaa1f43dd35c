"""The common case, fast: a line of `messages` with one question and one answer in plain text.

Most large files of tuning data are such lines and nothing else. Their shape is checked by the JSON parser while it
parses (msgspec is given it as a type), so that little is left to do for Python. Whatever is not exactly of that shape
is left to `gemini_sft.data.records`, which says what is wrong with it; where both can read a line, they agree.
"""

import json
from typing import Annotated, Literal

import msgspec
import orjson

from gemini_sft.data.reading import CHARACTERS_PER_TOKEN, Reading
from gemini_sft.experiment import Task

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Said(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    content: _Text


class _System(_Said, forbid_unknown_fields=True, gc=False):
    role: Literal["system"]


class _User(_Said, forbid_unknown_fields=True, gc=False):
    role: Literal["user"]


class _Model(_Said, forbid_unknown_fields=True, gc=False):
    role: Literal["assistant", "model"]


class _Instructed(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: tuple[_System, _User, _Model]


class _Bare(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: tuple[_User, _Model]


_decode_instructed = msgspec.json.Decoder(_Instructed).decode
_decode_bare = msgspec.json.Decoder(_Bare).decode


class PlainReader:
    """Reads plain lines of one file; most of them bring the same system instruction, or none."""

    def __init__(self, reading: Reading) -> None:
        """Takes what the experiment says, for some of which no line is plain."""
        never = reading.group is not None or reading.task is Task.EXTRACTION
        self._longest = -1 if never else CHARACTERS_PER_TOKEN * reading.max_tokens
        self._is_instructed = True
        self._fronts: dict[str, bytes] = {}

    def read(self, line: bytes) -> tuple[bytes, str | None, str, str] | None:
        """Returns the record as a line of JSON, system instruction, prompt and target; None if it is not plain."""
        system: str | None = None
        try:
            if self._is_instructed:
                first, user, model = _decode_instructed(line).messages
                system = first.content
            else:
                user, model = _decode_bare(line).messages
        except msgspec.MsgspecError:
            return self._other(line)
        return self._record(line, system, user.content, model.content)

    def _other(self, line: bytes) -> tuple[bytes, str | None, str, str] | None:
        """Tries the shape that the line before did not have."""
        try:
            if self._is_instructed:
                user, model = _decode_bare(line).messages
                made = self._record(line, None, user.content, model.content)
            else:
                first, user, model = _decode_instructed(line).messages
                made = self._record(line, first.content, user.content, model.content)
        except msgspec.MsgspecError:
            return None
        self._is_instructed = not self._is_instructed
        return made

    def _record(
        self, line: bytes, system: str | None, prompt: str, target: str
    ) -> tuple[bytes, str | None, str, str] | None:
        front = self._fronts.get(system or "")
        if front is None:
            front = self._front(system)
        # Blank texts are for the other reader to refuse, and so are keys that stand twice: without them, and with no
        # needless escapes, the line is longer or shorter than the record by what the shape alone makes out.
        if not front or prompt.isspace() or target.isspace():
            return None
        encoded = b"%b%b%b%b%b" % (front, orjson.dumps(prompt), _MIDDLE, orjson.dumps(target), _END)
        gaps = _GAPS_BARE if system is None else _GAPS_INSTRUCTED
        if len(encoded) > self._longest or len(line) - len(encoded) not in gaps:
            return None
        return encoded, system, prompt, target

    def _front(self, system: str | None) -> bytes:
        """Returns what a record begins with; nothing for a blank instruction."""
        if system is None:
            front = b'{"contents":[' + _TURN
        elif system.isspace():
            front = b""
        else:
            parts = orjson.dumps({"parts": [{"text": system}]})
            front = b'{"systemInstruction":%b,"contents":[%b' % (parts, _TURN)
        if len(self._fronts) < _MOST_FRONTS:
            self._fronts[system or ""] = front
        return front


_TURN = b'{"role":"user","parts":[{"text":'
_MIDDLE = b'}]},{"role":"model","parts":[{"text":'
_END = b"}]}]}\n"
_MOST_FRONTS = 100


def _gaps(*before: str) -> frozenset[int]:
    """Returns by how much a plain line is longer than its record, in the two styles that JSON is written in."""
    record = orjson.dumps({"systemInstruction": {"parts": [{"text": "x"}]}} if before else {})
    made = (len(record) - 2 + bool(before)) + len(b'{"contents":[' + _TURN + b'"x"' + _MIDDLE + b'"x"' + _END)
    lines = [
        json.dumps(
            {"messages": [{"role": role, "content": "x"} for role in (*before, "user", answers)]}, separators=separators
        )
        for answers in ("assistant", "model")
        for separators in ((", ", ": "), (",", ":"))
    ]
    return frozenset(len(line) - made for line in lines)


_GAPS_BARE, _GAPS_INSTRUCTED = _gaps(), _gaps("system")
