"""The common case, fast: lines of `messages` with one question and one answer in plain text.

Most large files of tuning data are such lines and nothing else. Their shape is checked by the JSON parser while it
parses (msgspec is given it as a type), and many lines are read and written by one call, so that little is left to do
for Python. Whatever is not exactly of that shape is left to `gemini_sft.data.records`, which says what is wrong with
it; what both can read, they read alike.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from gemini_sft.data.keys import hash64
from gemini_sft.data.reading import CHARACTERS_PER_TOKEN, Reading
from gemini_sft.experiment import Task

_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _System(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system"]
    content: _Text


class _User(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["user"]
    content: _Text


class _Model(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["assistant", "model"]
    content: _Text


class _Instructed(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: tuple[_System, _User, _Model]


class _Bare(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    messages: tuple[_User, _Model]


class _Part(msgspec.Struct, gc=False):
    text: str


class _Instruction(msgspec.Struct, gc=False):
    parts: tuple[_Part]


class _Turn(msgspec.Struct, gc=False):
    role: str
    parts: tuple[_Part]


class _Record(msgspec.Struct, gc=False):
    contents: tuple[_Turn, _Turn]


class _InstructedRecord(msgspec.Struct, gc=False):
    systemInstruction: _Instruction
    contents: tuple[_Turn, _Turn]


_decode_instructed = msgspec.json.Decoder(_Instructed).decode_lines
_decode_bare = msgspec.json.Decoder(_Bare).decode_lines
_encode = msgspec.json.Encoder().encode_lines


@dataclass(frozen=True)
class PlainLines:
    """Examples that were read together.

    Attributes:
        records: One record a line.
        sizes: Of each of them in bytes, with its line feed; shape (n,).
        ids: The hash of each, without it.
        instructions: The system instruction of each; None for none.
        prompts: The user's texts.
        targets: The model's texts.
    """

    records: bytes
    sizes: NDArray[np.int64]
    ids: list[int]
    instructions: list[str | None]
    prompts: list[str]
    targets: list[str]


def can_be_plain(reading: Reading) -> bool:
    """Returns whether an experiment asks nothing of a line that is not looked at here."""
    return reading.group is None and not reading.slices and reading.task is not Task.EXTRACTION


def read_plain(lines: bytes, reading: Reading) -> PlainLines | None:
    """Reads lines of which every one is plain; returns None if any is not.

    Args:
        lines: Whole lines, each with its line feed.
        reading: What the experiment says; see `can_be_plain`.
    """
    try:
        instructions, prompts, targets = _read(lines)
    except msgspec.MsgspecError:
        return None
    if any(map(str.isspace, prompts)) or any(map(str.isspace, targets)) or any(map(_is_blank, set(instructions))):
        return None
    records = _encode(list(_made(instructions, prompts, targets)))
    sizes, given = _sizes(records), _sizes(lines)
    # Without needless escapes, and without keys that stand twice, a line is longer than its record by what the two
    # shapes alone make out.
    before = ("system",) if instructions and instructions[0] is not None else ()
    gaps = _GAPS[before, lines.startswith(b'{"messages": ')]
    if len(given) != len(sizes) or not np.isin(given - sizes, gaps).all():
        return None
    if sizes.max(initial=0) > CHARACTERS_PER_TOKEN * reading.max_tokens:
        return None
    ends = np.cumsum(sizes).tolist()
    view = memoryview(records)
    ids = [hash64(view[begin : end - 1]) for begin, end in zip([0, *ends], ends, strict=False)]
    return PlainLines(records, sizes, ids, instructions, prompts, targets)


def _read(lines: bytes) -> tuple[list[str | None], list[str], list[str]]:
    try:
        instructed = [one.messages for one in _decode_instructed(lines)]
    except msgspec.MsgspecError:
        bare = [one.messages for one in _decode_bare(lines)]
        return [None] * len(bare), [user.content for user, _ in bare], [model.content for _, model in bare]
    return (
        [system.content for system, _, _ in instructed],
        [user.content for _, user, _ in instructed],
        [model.content for _, _, model in instructed],
    )


def _made(
    instructions: list[str | None], prompts: list[str], targets: list[str]
) -> Iterator[_Record | _InstructedRecord]:
    known = {one: _Instruction((_Part(one),)) for one in set(instructions) if one is not None}
    for instruction, prompt, target in zip(instructions, prompts, targets, strict=True):
        contents = (_Turn("user", (_Part(prompt),)), _Turn("model", (_Part(target),)))
        if instruction is None:
            yield _Record(contents)
        else:
            yield _InstructedRecord(known[instruction], contents)


def _is_blank(instruction: str | None) -> bool:
    return instruction is not None and instruction.isspace()


def _sizes(lines: bytes) -> NDArray[np.int64]:
    ends = np.flatnonzero(np.frombuffer(lines, np.uint8) == ord("\n")) + 1
    return np.diff(ends, prepend=0)


def _gaps(before: tuple[str, ...], separators: tuple[str, str]) -> list[int]:
    """Returns by how much a plain line can be longer than its record, also with CR LF behind it."""
    contents = (_Turn("user", (_Part("x"),)), _Turn("model", (_Part("x"),)))
    record = _InstructedRecord(_Instruction((_Part("x"),)), contents) if before else _Record(contents)
    lines = [
        json.dumps(
            {"messages": [{"role": role, "content": "x"} for role in (*before, "user", answers)]}, separators=separators
        )
        for answers in ("assistant", "model")
    ]
    return [len(line) - len(msgspec.json.encode(record)) + more for line in lines for more in (0, 1)]


_GAPS = {
    (before, spaced): _gaps(before, (", ", ": ") if spaced else (",", ":"))
    for before in ((), ("system",))
    for spaced in (False, True)
}
