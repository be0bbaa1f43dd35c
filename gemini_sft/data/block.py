"""A run of records, and what is made of it: what worker processes are given and give back."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gemini_sft.data.findings import Fault, Finding
from gemini_sft.data.keys import hash64
from gemini_sft.data.near import Sketch
from gemini_sft.data.reading import Shape
from gemini_sft.data.sources import changed
from gemini_sft.errors import DataError, Problem

ROW = np.dtype(
    [
        ("line", "u4"),
        ("id", "u8"),
        ("key", "u8"),
        ("target", "u8"),
        ("group", "u8"),
        ("instruction", "u8"),
        ("prompt_characters", "u4"),
        ("target_characters", "u4"),
        ("record_end", "u4"),
        ("source_end", "u4"),
        ("alive", "?"),
    ]
)
"""What is kept of an example in memory: hashes, lengths, its ends in the files of its block, whether it stays."""


@dataclass(frozen=True)
class Block:
    """A run of records of one file.

    Attributes:
        number: Of the block, over all files: its results are files of that name.
        source: The file, as findings name it.
        shape: Of the file's records.
        count: How many records it has; blank lines count too.
        first_line: Of the block.
        lines: The lines themselves, if they are not to be read from a file, nor rows.
        span: Path, offset and size in bytes of lines in a local file, and their hash.
        rows: Line and row of each record of a table.
        unfinished: Whether no line feed ends the block.
        faults: What is wrong with the file at this place, with its line.
    """

    number: int
    source: str
    shape: Shape
    count: int
    first_line: int = 1
    lines: bytes | None = None
    span: tuple[str, int, int, int] | None = None
    rows: tuple[tuple[int, dict[str, Any] | Fault], ...] = ()
    unfinished: bool = False
    faults: tuple[tuple[int, Fault], ...] = ()

    def content(self) -> bytes:
        """Returns the lines.

        Raises:
            DataError: They are not in the file any more.
        """
        if self.span is None:
            return self.lines or b""
        path, offset, size, digest = self.span
        with Path(path).open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        if hash64(content) != digest:
            raise DataError([Problem(self.source, changed())])
        return content


@dataclass
class Drafted:
    """What was made of a block.

    Attributes:
        source: The file that it was read from.
        shape: Of its records.
        records: Where the records lie, one a line.
        sources: Where it lies which came from where, a line for each.
        rows: One `ROW` for each of them.
        findings: What was found in it.
        dropped: Records that have become no row.
        labels: Text of the targets by hash, for a classification.
        instructions: Text of the system instructions by hash.
        resolutions: The values of mediaResolution that occur, each with the line of the first.
        sketch: For near-duplicates; None if they are not looked for.
        unreadable: Rows here none of whose right answers the metrics can read.
        beginnings: Of conversations with several answers, each a prompt in itself: its row here, and its key.
        columns: Those that any of the records has; empty if the experiment names none.
    """

    source: str
    shape: Shape
    records: Path
    sources: Path
    rows: NDArray[np.void]
    findings: list[Finding]
    dropped: int
    labels: dict[int, str] = field(default_factory=dict)
    instructions: dict[int, str] = field(default_factory=dict)
    resolutions: dict[str, int] = field(default_factory=dict)
    sketch: Sketch | None = None
    unreadable: list[int] = field(default_factory=list)
    beginnings: list[tuple[int, int]] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
