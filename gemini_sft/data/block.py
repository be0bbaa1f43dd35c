"""Reading some thousand records at once: the part of the work that worker processes share."""

import gc
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from gemini_sft.data.example import text_of
from gemini_sft.data.findings import Fault, Finding
from gemini_sft.data.jsontext import check_keys, count_keys, diagnose
from gemini_sft.data.keys import hash64, normalised
from gemini_sft.data.near import Sketch, sketch
from gemini_sft.data.reading import Reading, Shape
from gemini_sft.data.records import Draft, read_record
from gemini_sft.data.sensitive import find_sensitive
from gemini_sft.experiment import Task
from gemini_sft.experiment.rules import Policy

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

_CHARACTERS_PER_TOKEN = 4
_COLUMNS = tuple(name for name in ROW.names or () if name != "alive")


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
        span: Path, offset and size in bytes of lines in a local file.
        rows: Line and row of each record of a table.
        unfinished: Whether no line feed ends the block.
    """

    number: int
    source: str
    shape: Shape
    count: int
    first_line: int = 1
    lines: bytes | None = None
    span: tuple[str, int, int] | None = None
    rows: tuple[tuple[int, dict[str, Any] | Fault], ...] = ()
    unfinished: bool = False

    def content(self) -> bytes:
        """Returns the lines."""
        if self.span is None:
            return self.lines or b""
        path, offset, size = self.span
        with Path(path).open("rb") as file:
            file.seek(offset)
            return file.read(size)


@dataclass
class Drafted:
    """What was made of a block.

    Attributes:
        source: The file that it was read from.
        records: Where the records lie, one a line.
        sources: Where it lies which came from where, a line for each.
        rows: One `ROW` for each of them.
        findings: What was found in it.
        dropped: Records that have become no row.
        labels: Text of the targets by hash, for a classification.
        instructions: Text of the system instructions by hash.
        resolutions: The values of mediaResolution that occur, each with the line of the first.
        sketch: For near-duplicates; None if they are not looked for.
    """

    source: str
    records: Path
    sources: Path
    rows: NDArray[np.void]
    findings: list[Finding]
    dropped: int
    labels: dict[int, str] = field(default_factory=dict)
    instructions: dict[int, str] = field(default_factory=dict)
    resolutions: dict[str, int] = field(default_factory=dict)
    sketch: Sketch | None = None


def read_block(block: Block, reading: Reading, folder: Path, *, near: bool) -> Drafted:
    """Reads a block and writes its records below `folder`.

    Args:
        block: The block.
        reading: How to read it.
        folder: A folder for such files.
        near: Whether to make the sketch by which near-duplicates are found.
    """
    collected = gc.isenabled()
    gc.disable()  # nothing here refers to itself, and there is much of it
    try:
        return _BlockReader(block, reading).read(folder, near)
    finally:
        if collected:
            gc.enable()


class _BlockReader:
    def __init__(self, block: Block, reading: Reading) -> None:
        self._block, self._reading = block, reading
        self._findings: list[Finding] = []
        self._line = 0
        self._dropped = 0
        self._columns = {name: array("Q" if ROW[name].itemsize == 8 else "I") for name in _COLUMNS}
        self._records: list[bytes] = []
        self._sources: list[bytes] = []
        self._keys: list[bytes] = []
        self._labels: dict[int, str] = {}
        self._instructions: dict[int, str] = {}
        self._resolutions: dict[str, int] = {}
        self._source_json = orjson.dumps(block.source)
        self._record_end = self._source_end = 0

    def read(self, folder: Path, near: bool) -> Drafted:
        for record in self._parsed():
            if record is None:
                continue
            try:
                self._add(read_record(record, self._block.shape, self._reading, self._soft))
            except Fault as fault:
                self._refuse(fault)
        records, sources = (folder / f"{self._block.number:06}.{kind}" for kind in ("records", "sources"))
        content = b"".join(self._records)
        records.write_bytes(content)
        sources.write_bytes(b"".join(self._sources))
        rows = np.empty(len(self._records), ROW)
        for name, column in self._columns.items():
            rows[name] = np.frombuffer(column, column.typecode)
        rows["alive"] = True
        self._screen(content, rows)
        return Drafted(
            self._block.source,
            records,
            sources,
            rows,
            self._findings,
            self._dropped,
            self._labels,
            self._instructions,
            self._resolutions,
            sketch(self._keys) if near else None,
        )

    def _parsed(self) -> Iterator[dict[str, Any] | None]:
        """Yields each record, and None in place of one that could not be parsed."""
        if self._block.rows:
            for number, row in self._block.rows:
                self._line = number
                if isinstance(row, Fault):
                    self._refuse(row)
                else:
                    yield row
            return
        lines = self._block.content().split(b"\n")
        last = self._block.first_line + len(lines) - 1 if self._block.unfinished else 0
        for number, line in enumerate(lines, self._block.first_line):
            if not line or line.isspace():
                continue
            self._line = number
            try:
                yield self._object(line, number == last)
            except Fault as fault:
                self._refuse(fault)

    def _object(self, line: bytes, last: bool) -> dict[str, Any]:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            raise diagnose(line, last=last) from None
        if type(record) is not dict:
            raise Fault("json", "is JSON, but not an object", line.decode())
        # Each key is followed by a colon: if there are more of them, a key stands twice, or a text holds `":`.
        if line.count(b'":') != count_keys(record) or b'" :' in line:
            check_keys(line)
        return record

    def _add(self, draft: Draft) -> None:
        contents, record = draft.contents, draft.record
        encoded = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        if len(encoded) > _CHARACTERS_PER_TOKEN * self._reading.max_tokens:
            about = len(encoded) // _CHARACTERS_PER_TOKEN
            self._soft("too_long", f"has about {about:,} tokens: at most {self._reading.max_tokens:,} are allowed")
        prompt = "\n".join(map(text_of, contents[:-1]))
        target = text_of(contents[-1])
        key = normalised(prompt)
        self._keys.append(key)
        id_, target_hash = hash64(encoded), hash64(target.encode())
        source = b'{"id":"%016x","source":%b,"line":%d' % (id_, self._source_json, self._line)
        if draft.references:
            source += b',"references":' + orjson.dumps(draft.references)
        if draft.group:
            source += b',"group":' + orjson.dumps(draft.group)
        source += b"}\n"
        self._records.append(encoded)
        self._sources.append(source)
        self._record_end += len(encoded)
        self._source_end += len(source)
        if self._reading.task is Task.CLASSIFICATION:
            self._labels.setdefault(target_hash, target)
        if "generationConfig" in record:
            self._resolutions.setdefault(record["generationConfig"].get("mediaResolution", ""), self._line)
        columns = self._columns
        columns["line"].append(self._line)
        columns["id"].append(id_)
        columns["key"].append(hash64(key))
        columns["target"].append(target_hash)
        columns["group"].append(hash64(draft.group.encode()) if draft.group else 0)
        columns["instruction"].append(self._instruction(record))
        columns["prompt_characters"].append(len(prompt))
        columns["target_characters"].append(len(target))
        columns["record_end"].append(self._record_end)
        columns["source_end"].append(self._source_end)

    def _instruction(self, record: dict[str, Any]) -> int:
        instruction = record.get("systemInstruction")
        if instruction is None:
            return 0
        text = instruction["parts"][0]["text"]
        number = hash64(text.encode())
        if number not in self._instructions:
            self._instructions[number] = text
        return number

    def _screen(self, content: bytes, rows: NDArray[np.void]) -> None:
        """Looks for secrets and personal data in all records at once."""
        for hit in find_sensitive(content):
            row = int(np.searchsorted(rows["record_end"], hit.start, side="right"))
            self._line = int(rows["line"][row])
            self._note(Fault(hit.rule, f"holds what looks like {hit.kind}"))
            if self._reading.policies[hit.rule] is not Policy.WARN:
                rows["alive"][row] = False

    def _soft(self, rule: str, what: str, excerpt: str = "") -> None:
        if self._reading.policies[rule] is not Policy.WARN:
            raise Fault(rule, what, excerpt)
        self._note(Fault(rule, what, excerpt))

    def _refuse(self, fault: Fault) -> None:
        self._dropped += 1
        self._note(fault)

    def _note(self, fault: Fault) -> None:
        policy = self._reading.policies[fault.rule]
        self._findings.append(
            Finding(
                rule=fault.rule,
                source=self._block.source,
                line=self._line,
                what=fault.what,
                excerpt=fault.excerpt,
                policy=policy,
            )
        )
