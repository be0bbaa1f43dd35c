"""Reading some thousand records at once: the part of the work that worker processes share."""

import gc
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
from gemini_sft.data.plain import PlainReader
from gemini_sft.data.reading import CHARACTERS_PER_TOKEN, Reading, Shape
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

    @property
    def source_json(self) -> bytes:
        """The file's name as JSON."""
        return orjson.dumps(self.source)

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
        self._dropped = 0
        self._line = 0
        # Of each example, in parallel: what is made of these is made for all of a block at once.
        self._lines: list[int] = []
        self._records: list[bytes] = []
        self._instructions: list[str | None] = []
        self._prompts: list[str] = []
        self._targets: list[str] = []
        self._beside: dict[int, Draft] = {}
        self._resolutions: dict[str, int] = {}

    def read(self, folder: Path, near: bool) -> Drafted:
        if self._block.rows:
            self._read_rows()
        else:
            self._read_lines()
        ids = list(map(hash64, self._records))
        content = b"".join(self._records)
        sources = list(map(self._source, range(len(ids)), ids, self._lines))
        paths = [folder / f"{self._block.number:06}.{kind}" for kind in ("records", "sources")]
        paths[0].write_bytes(content)
        paths[1].write_bytes(b"".join(sources))
        keys = list(map(normalised, self._prompts))
        rows = self._rows(ids, keys, sources)
        self._screen(content, rows)
        return Drafted(
            source=self._block.source,
            records=paths[0],
            sources=paths[1],
            rows=rows,
            findings=self._findings,
            dropped=self._dropped,
            labels=self._labels(rows),
            instructions={hash64(one.encode()): one for one in set(self._instructions) if one is not None},
            resolutions=self._resolutions,
            sketch=sketch(keys) if near else None,
        )

    def _read_rows(self) -> None:
        for self._line, row in self._block.rows:  # noqa: B020
            try:
                if isinstance(row, Fault):
                    raise row
                self._add(read_record(row, self._block.shape, self._reading, self._soft))
            except Fault as fault:
                self._refuse(fault)

    def _read_lines(self) -> None:
        lines = self._block.content().split(b"\n")
        last = self._block.first_line + len(lines) - 1 if self._block.unfinished else 0
        plain = PlainReader(self._reading) if self._block.shape is Shape.MESSAGES else None
        for number, line in enumerate(lines, self._block.first_line):
            if plain and (read := plain.read(line)):
                record, instruction, prompt, target = read
                self._lines.append(number)
                self._records.append(record)
                self._instructions.append(instruction)
                self._prompts.append(prompt)
                self._targets.append(target)
            elif line and not line.isspace():
                self._line = number
                try:
                    parsed = self._object(line, number == last)
                    self._add(read_record(parsed, self._block.shape, self._reading, self._soft))
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
        if len(encoded) > CHARACTERS_PER_TOKEN * self._reading.max_tokens:
            about = len(encoded) // CHARACTERS_PER_TOKEN
            self._soft("too_long", f"has about {about:,} tokens: at most {self._reading.max_tokens:,} are allowed")
        if draft.references or draft.group:
            self._beside[len(self._records)] = draft
        if "generationConfig" in record:
            self._resolutions.setdefault(record["generationConfig"].get("mediaResolution", ""), self._line)
        instruction = record.get("systemInstruction")
        self._lines.append(self._line)
        self._records.append(encoded)
        self._instructions.append(None if instruction is None else text_of(instruction))
        self._prompts.append("\n".join(map(text_of, contents[:-1])))
        self._targets.append(text_of(contents[-1]))

    def _source(self, number: int, id_: int, line: int) -> bytes:
        if number not in self._beside:
            return b'{"id":"%016x","source":%b,"line":%d}\n' % (id_, self._block.source_json, line)
        draft = self._beside[number]
        references = b',"references":' + orjson.dumps(draft.references) if draft.references else b""
        group = b',"group":' + orjson.dumps(draft.group) if draft.group else b""
        return b'{"id":"%016x","source":%b,"line":%d%b%b}\n' % (
            id_, self._block.source_json, line, references, group,
        )  # fmt: skip

    def _rows(self, ids: list[int], keys: list[bytes], sources: list[bytes]) -> NDArray[np.void]:
        rows = np.zeros(len(ids), ROW)
        if not ids:
            return rows
        rows["line"] = self._lines
        rows["id"] = ids
        rows["key"] = np.fromiter(map(hash64, keys), np.uint64, len(ids))
        rows["target"] = np.fromiter(map(hash64, map(str.encode, self._targets)), np.uint64, len(ids))
        rows["prompt_characters"] = np.fromiter(map(len, self._prompts), np.uint32, len(ids))
        rows["target_characters"] = np.fromiter(map(len, self._targets), np.uint32, len(ids))
        rows["record_end"] = np.cumsum(np.fromiter(map(len, self._records), np.int64, len(ids)))
        rows["source_end"] = np.cumsum(np.fromiter(map(len, sources), np.int64, len(ids)))
        numbers = {one: 0 if one is None else hash64(one.encode()) for one in set(self._instructions)}
        rows["instruction"] = np.fromiter(map(numbers.__getitem__, self._instructions), np.uint64, len(ids))
        for number, draft in self._beside.items():
            rows["group"][number] = hash64(draft.group.encode()) if draft.group else 0
        rows["alive"] = True
        return rows

    def _labels(self, rows: NDArray[np.void]) -> dict[int, str]:
        if self._reading.task is not Task.CLASSIFICATION:
            return {}
        return dict(zip(rows["target"].tolist(), self._targets, strict=True))

    def _screen(self, content: bytes, rows: NDArray[np.void]) -> None:
        """Looks for secrets and personal data in all records at once."""
        for hit in find_sensitive(content):
            row = int(np.searchsorted(rows["record_end"], hit.start, side="right"))
            self._line = int(rows["line"][row])
            self._note(Fault(hit.rule, hit.words))
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
