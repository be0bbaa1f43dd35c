"""Reading some thousand records at once: the part of the work that worker processes share."""

import gc
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from gemini_sft.data.block import ROW, Block, Drafted
from gemini_sft.data.example import is_text, text_of
from gemini_sft.data.findings import Fault, Finding
from gemini_sft.data.jsontext import check_keys, count_keys, diagnose, exactly
from gemini_sft.data.keys import hash64, normalised
from gemini_sft.data.near import sketch
from gemini_sft.data.plain import can_be_plain, read_plain
from gemini_sft.data.reading import CHARACTERS_PER_TOKEN, Reading, Shape
from gemini_sft.data.records import Draft, read_record
from gemini_sft.data.sensitive import Sensitive, find_sensitive
from gemini_sft.experiment import Task
from gemini_sft.experiment.rules import Policy
from gemini_sft.words import readable

_LONG_NUMBER = re.compile(rb"\d{19}")
_SPACED = re.compile(rb'"\s+:')
_MOST_INSTRUCTIONS = 20
_FEW_BYTES = 2**14
"""Lines that are not all plain are read one by one if they are no more than this."""


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
        self._may_be_plain = block.shape is Shape.MESSAGES and can_be_plain(reading)
        # Of each example, in parallel: what is made of these is made for all of a block at once.
        self._lines: list[int] = []
        self._ids: list[int] = []
        self._sizes: list[int] = []
        self._instructions: list[str | None] = []
        self._prompts: list[str] = []
        self._targets: list[str] = []
        self._records: list[bytes] = []  # of one or of many examples each
        self._beside: dict[int, Draft] = {}
        self._resolutions: dict[str, int] = {}
        self._beginnings: list[tuple[int, int]] = []
        self._columns: set[str] = set()

    def read(self, folder: Path, near: bool) -> Drafted:
        for self._line, fault in self._block.faults:  # noqa: B020
            self._note(fault)
        if self._block.rows:
            self._read_rows()
        elif self._block.count:
            content = self._block.content()
            self._read_lines(content if content.endswith(b"\n") else content + b"\n", self._block.first_line)
        content = b"".join(self._records)
        sources = self._sources()
        paths = [folder / f"{self._block.number:06}.{kind}" for kind in ("records", "sources")]
        paths[0].write_bytes(content)
        paths[1].write_bytes(sources)
        keys = list(map(normalised, self._prompts))
        rows = self._rows(keys, sources)
        self._screen(content, sources, rows)
        return Drafted(
            source=self._block.source,
            shape=self._block.shape,
            records=paths[0],
            sources=paths[1],
            rows=rows,
            findings=self._findings,
            dropped=self._dropped,
            labels=self._labels(rows),
            instructions={
                hash64(one.encode()): one
                for one, _ in Counter(self._instructions).most_common(_MOST_INSTRUCTIONS)
                if one is not None
            },
            resolutions=self._resolutions,
            sketch=sketch(keys) if near else None,
            unreadable=self._unreadable(),
            beginnings=self._beginnings,
            columns=self._columns,
        )

    def _read_rows(self) -> None:
        for self._line, row in self._block.rows:  # noqa: B020
            try:
                if isinstance(row, Fault):
                    raise row
                self._take(row)
            except Fault as fault:
                self._refuse(fault)

    def _read_lines(self, content: bytes, first: int) -> None:
        """Reads lines at once if all are plain, and else halves of them, down to a few, which are read one by one."""
        plain = read_plain(content, self._reading) if self._may_be_plain else None
        if plain:
            self._lines += range(first, first + len(plain.ids))
            self._ids += plain.ids
            self._sizes += plain.sizes.tolist()
            self._instructions += plain.instructions
            self._prompts += plain.prompts
            self._targets += plain.targets
            self._records.append(plain.records)
            return
        half = content.rfind(b"\n", 0, len(content) // 2) + 1
        if self._may_be_plain and half and len(content) > _FEW_BYTES:
            self._read_lines(content[:half], first)
            self._read_lines(content[half:], first + content.count(b"\n", 0, half))
            return
        for number, line in enumerate(content.split(b"\n"), first):
            if line and not line.isspace():
                self._line = number
                try:
                    self._take(self._object(line))
                except Fault as fault:
                    self._refuse(fault)

    def _object(self, line: bytes) -> dict[str, Any]:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            last = self._block.unfinished and self._line == self._block.first_line + self._block.count - 1
            raise diagnose(line, last=last) from None
        if type(record) is not dict:
            raise Fault("json", "is JSON, but not an object", line.decode())
        try:
            # Each key is followed by a colon: if there are more of them, a key stands twice, or a text holds `":`.
            if line.count(b'":') != count_keys(record) or _SPACED.search(line):
                check_keys(line)
        except RecursionError:
            raise Fault("json", "is nested too deeply") from None
        return exactly(line) if _LONG_NUMBER.search(line) else record

    def _take(self, record: dict[str, Any]) -> None:
        if self._reading.names_columns:
            self._columns.update(record)
        try:
            self._add(read_record(record, self._block.shape, self._reading, self._soft))
        except orjson.JSONEncodeError:
            raise Fault("json", "is nested too deeply, or holds a number that is too long") from None

    def _add(self, draft: Draft) -> None:
        contents, record = draft.contents, draft.record
        encoded = orjson.dumps(record)
        about = len(encoded) // CHARACTERS_PER_TOKEN
        if about > self._reading.max_tokens:  # bytes first, which are at least as many
            about = (len(encoded.decode()) + len(self._reading.instruction or "")) // CHARACTERS_PER_TOKEN
        if about > self._reading.max_tokens:
            self._soft("too_long", f"has about {about:,} tokens: at most {self._reading.max_tokens:,} are allowed")
        if draft.references or draft.group or draft.slices:
            self._beside[len(self._ids)] = draft
        for end in range(1, len(contents) - 2, 2):
            key = hash64(normalised("\n".join(map(text_of, contents[:end]))))
            self._beginnings.append((len(self._ids), key))
        if resolution := record.get("generationConfig", {}).get("mediaResolution"):
            self._resolutions.setdefault(resolution, self._line)
        instruction = record.get("systemInstruction")
        self._lines.append(self._line)
        # In what is not text, the order of keys is the writer's whim.
        canonical = encoded if is_text(record) else orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
        self._ids.append(hash64(canonical))
        self._sizes.append(len(encoded) + 1)
        self._instructions.append(None if instruction is None else text_of(instruction))
        self._prompts.append("\n".join(map(text_of, contents[:-1])))
        self._targets.append(text_of(contents[-1]))
        self._records += (encoded, b"\n")

    def _sources(self) -> bytes:
        """Returns where each example came from, one a line."""
        pairs = zip(self._ids, self._lines, strict=True)
        name = orjson.dumps(self._block.source)
        if not self._beside:
            line = b'{"id":"%%016x","source":%b,"line":%%d}\n' % name.replace(b"%", b"%%")
            return (line * len(self._ids)) % tuple(itertools.chain.from_iterable(pairs))
        lines = []
        for number, (id_, line_number) in enumerate(pairs):
            lines.append(b'{"id":"%016x","source":%b,"line":%d' % (id_, name, line_number))
            draft = self._beside.get(number)
            if draft and draft.references:
                lines += (b',"references":', orjson.dumps(draft.references))
            if draft and draft.group:
                lines += (b',"group":', orjson.dumps(draft.group))
            if draft and draft.slices:
                lines += (b',"slices":', orjson.dumps(draft.slices))
            lines.append(b"}\n")
        return b"".join(lines)

    def _rows(self, keys: list[bytes], sources: bytes) -> NDArray[np.void]:
        n = len(self._ids)
        rows = np.zeros(n, ROW)
        rows["line"] = self._lines
        rows["id"] = np.fromiter(self._ids, np.uint64, n)
        rows["key"] = np.fromiter(map(hash64, keys), np.uint64, n)
        rows["target"] = np.fromiter(map(hash64, map(str.encode, self._targets)), np.uint64, n)
        rows["prompt_characters"] = np.fromiter(map(len, self._prompts), np.uint32, n)
        rows["target_characters"] = np.fromiter(map(len, self._targets), np.uint32, n)
        rows["record_end"] = np.cumsum(np.fromiter(self._sizes, np.int64, n))
        rows["source_end"] = np.flatnonzero(np.frombuffer(sources, np.uint8) == ord("\n")) + 1
        numbers = {one: 0 if one is None else hash64(one.encode()) for one in set(self._instructions)}
        rows["instruction"] = np.fromiter(map(numbers.__getitem__, self._instructions), np.uint64, n)
        for number, draft in self._beside.items():
            if draft.references and self._reading.task is not Task.CLASSIFICATION:
                rows["target"][number] = hash64(orjson.dumps(draft.references))
            rows["group"][number] = hash64(draft.group.encode()) if draft.group else 0
        rows["alive"] = True
        return rows

    def _labels(self, rows: NDArray[np.void]) -> dict[int, str]:
        if self._reading.task is not Task.CLASSIFICATION:
            return {}
        return dict(zip(rows["target"].tolist(), self._targets, strict=True))

    def _unreadable(self) -> list[int]:
        tokenizer = self._reading.tokenizer
        if tokenizer is None:
            return []
        rows = [row for row, target in enumerate(self._targets) if not readable(target, tokenizer)]
        others = {row: self._beside[row].references for row in rows if row in self._beside}
        return [row for row in rows if not any(readable(one, tokenizer) for one in others.get(row, ()))]

    def _screen(self, content: bytes, sources: bytes, rows: NDArray[np.void]) -> None:
        """Looks for secrets and personal data in all records at once."""
        hits = [("record_end", hit) for hit in find_sensitive(content)]
        if self._beside:  # references, groups and slices
            hits += [("source_end", hit) for hit in find_sensitive(sources)]
        found: dict[tuple[int, str], Sensitive] = {}
        for ends, hit in hits:
            row = int(np.searchsorted(rows[ends], hit.start, side="right"))
            found.setdefault((row, hit.kind), hit)
        for (row, _), hit in sorted(found.items()):
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
