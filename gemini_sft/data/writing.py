"""Writing the splits: copying records from the blocks in which they were drafted."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import orjson
from numpy.typing import NDArray

from gemini_sft import storage
from gemini_sft.data.across import repetitions
from gemini_sft.data.block import Drafted
from gemini_sft.data.dataset import examples_uri, labels_uri, prompt_uri, sources_uri
from gemini_sft.data.splitting import TEST, TRAIN, VALIDATION
from gemini_sft.data.table import Table


def write_splits(
    uris: Sequence[str], table: Table, instruction: str | None, fingerprint: str, labels: Sequence[str] = ()
) -> None:
    """Writes train, validation and test, as `write_split` does, each with the label set."""
    again = repetitions(table)
    for split, uri in zip((TRAIN, VALIDATION, TEST), uris, strict=True):
        write_split(uri, table, split, again, instruction, fingerprint)
        storage.write_json(labels_uri(uri), list(labels))


def write_split(
    uri: str, table: Table, split: int, again: dict[int, int], instruction: str | None, fingerprint: str
) -> None:
    """Writes the examples of a split below `uri`.

    Args:
        uri: Where; see `gemini_sft.data.dataset` for what lies there.
        table: All examples.
        split: Which of them.
        again: See `repetitions`.
        instruction: Put in front of those that bring none of their own.
        fingerprint: Of the prompt.

    Raises:
        ServiceError: It could not be written; no file is left half-written.
    """
    with (
        storage.open_writer(examples_uri(uri), "application/jsonl") as records,
        storage.open_writer(sources_uri(uri), "application/jsonl") as sources,
    ):
        for number, draft in enumerate(table.drafts):
            rows = table.rows_of(number)
            chosen = np.flatnonzero(table.alive[rows] & (table.part[rows] == split))
            if not len(chosen):
                continue
            _copy(draft, "records", chosen, records, _Instruction(draft, instruction))
            _copy(draft, "sources", chosen, sources, _Repetition(again, rows.start))
    storage.write_json(prompt_uri(uri), {"fingerprint": fingerprint})


def train_bytes(table: Table, instruction: str | None) -> int:
    """Returns how large the file of training examples will be."""
    front = len(_front(instruction))
    total = 0
    for number, draft in enumerate(table.drafts):
        rows = table.rows_of(number)
        chosen = table.alive[rows] & (table.part[rows] == TRAIN)
        sizes = np.diff(draft.rows["record_end"].astype(np.int64), prepend=0)
        total += int(sizes[chosen].sum()) + front * int((draft.rows["instruction"][chosen] == 0).sum())
    return total


def _front(instruction: str | None) -> bytes:
    """Returns what is put before a record instead of its first brace."""
    if instruction is None:
        return b""
    return b'{"systemInstruction":' + orjson.dumps({"parts": [{"text": instruction}]}) + b","


class _Instruction:
    """Puts the system instruction in front of a record that has none."""

    def __init__(self, draft: Drafted, instruction: str | None) -> None:
        self._own = draft.rows["instruction"]
        self._front = _front(instruction)

    def changes(self, chosen: NDArray[np.int64]) -> bool:
        return bool(self._front) and bool((self._own[chosen] == 0).any())

    def apply(self, row: int, line: bytes) -> bytes:
        return line if self._own[row] else self._front + line[1:]


class _Repetition:
    """Tells the ids of equal examples apart."""

    def __init__(self, again: dict[int, int], begin: int) -> None:
        self._again, self._begin = again, begin

    def changes(self, chosen: NDArray[np.int64]) -> bool:
        return bool(self._again) and any(int(row) + self._begin in self._again for row in chosen)

    def apply(self, row: int, line: bytes) -> bytes:
        number = self._again.get(int(row) + self._begin)
        if number is None:
            return line
        source = orjson.loads(line)
        source["id"] = f"{source['id']}-{number}"
        return orjson.dumps(source, option=orjson.OPT_APPEND_NEWLINE)


def _append(path: Path, target: BinaryIO) -> None:
    """Copies a whole file; from one local file to another the system can do it without us."""
    with path.open("rb") as source:
        try:
            target.flush()
            left = path.stat().st_size
            while left and (copied := os.copy_file_range(source.fileno(), target.fileno(), left)):
                left -= copied
        except (AttributeError, OSError):  # of another system, or an object that is no file
            shutil.copyfileobj(source, target, 2**20)


def _copy(
    draft: Drafted, kind: str, chosen: NDArray[np.int64], target: BinaryIO, change: _Instruction | _Repetition
) -> None:
    path: Path = getattr(draft, kind)
    changes = change.changes(chosen)
    if len(chosen) == len(draft.rows) and not changes:
        _append(path, target)
        return
    content = path.read_bytes()
    ends = draft.rows["record_end" if kind == "records" else "source_end"].astype(np.int64)
    begins = np.r_[0, ends[:-1]]
    lines = (content[begins[row] : ends[row]] for row in chosen)
    if changes:
        lines = (change.apply(row, line) for row, line in zip(chosen, lines, strict=True))
    target.write(b"".join(lines))
