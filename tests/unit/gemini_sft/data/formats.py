"""Examples as Gemini takes them, and every format that can hold them."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from hypothesis import strategies as st
from pyarrow import parquet

from tests.unit.gemini_sft.data.cases.case import contents, file_part, pair

Record = dict[str, Any]
Writer = Callable[[Path, list[Record]], list[int]]

SNAKE = {
    "systemInstruction": "system_instruction",
    "generationConfig": "generation_config",
    "mediaResolution": "media_resolution",
    "fileData": "file_data",
    "mimeType": "mime_type",
    "fileUri": "file_uri",
    "functionCall": "function_call",
    "functionResponse": "function_response",
}
DECLARED = [{"functionDeclarations": [{"name": "look_up", "parameters": {"type": "OBJECT", "properties": {}}}]}]


# Strategies: examples as Gemini takes them.

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(lambda text: text.strip())
awkward = st.sampled_from(
    ["\u2028", '"', "a\r\nb", "a\rb", "{x}", "'", "\\", "😀", "\x00", ",\t;", "[1]", "NaN", " a\n"]
)
said = texts | awkward.filter(lambda text: text.strip())
instructions = st.none() | said
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | said, lambda inner: st.lists(inner, max_size=2), max_leaves=3
)
arguments = st.dictionaries(said | st.sampled_from(["fileData", "file_data"]), values, max_size=2)
plain = st.builds(lambda text: [{"text": text}], said)
mixed = st.builds(
    lambda text, kinds: [{"text": text}, *(file_part(kind, number) for number, kind in enumerate(kinds))],
    said,
    st.lists(st.sampled_from(["image/png", "application/pdf"]), max_size=2),
)


@st.composite
def single(draw: st.DrawFn) -> Record:
    """One question and one answer, as a table can hold it."""
    return contents(("user", draw(said)), ("model", draw(said)))


@st.composite
def spoken(draw: st.DrawFn) -> Record:
    """One to four exchanges in plain text, as messages can hold them."""
    exchanges = draw(st.lists(st.tuples(plain, plain), min_size=1, max_size=4))
    return told(draw(instructions), [turn for user, model in exchanges for turn in (("user", user), ("model", model))])


@st.composite
def rich(draw: st.DrawFn) -> Record:
    """Exchanges with files and function calls, as only contents can hold them."""
    turns: list[tuple[str, Any]] = []
    for _ in range(draw(st.integers(1, 2))):
        turns.append(("user", draw(mixed)))
        if draw(st.booleans()):
            turns.append(("model", [{"functionCall": {"name": "look_up", "args": draw(arguments)}}]))
            turns.append(("user", [{"functionResponse": {"name": "look_up", "response": draw(arguments)}}]))
        turns.append(("model", draw(plain)))
    made = told(draw(instructions), turns)
    return made | ({"tools": DECLARED} if any("functionCall" in parts[0] for _, parts in turns) else {})


def told(instruction: str | None, turns: list[tuple[str, Any]]) -> Record:
    front = {} if instruction is None else {"systemInstruction": {"parts": [{"text": instruction}]}}
    return front | contents(*turns)


def several(one: st.SearchStrategy[Record]) -> st.SearchStrategy[list[Record]]:
    return st.lists(one, min_size=1, max_size=4, unique_by=lambda record: json.dumps(record, sort_keys=True))


# The formats: each writes examples and returns the lines on which they begin.


def parts_of(record: Record) -> tuple[str, str]:
    first, last = record["contents"]
    return first["parts"][0]["text"], last["parts"][0]["text"]


def snake(value: Any) -> Any:
    if type(value) is list:
        return [snake(one) for one in value]
    if type(value) is not dict:
        return value
    return {
        SNAKE.get(name, name): one if name in ("args", "response", "tools") else snake(one)
        for name, one in value.items()
    }


def as_messages(record: Record) -> Record:
    system = record.get("systemInstruction")
    said = [] if system is None else [{"role": "system", "content": system["parts"][0]["text"]}]
    roles = {"user": "user", "model": "assistant"}
    turns = [{"role": roles[one["role"]], "content": one["parts"][0]["text"]} for one in record["contents"]]
    return {"messages": said + turns}


def write_lines(file: Path, records: list[Record], **style: Any) -> list[int]:
    content = b"".join(json.dumps(one, **style).encode() + b"\n" for one in records)
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return list(range(1, len(records) + 1))


def write_table(file: Path, records: list[Record], delimiter: str) -> list[int]:
    lines, text = [], io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for cells in [("prompt", "completion"), *map(parts_of, records)]:
        lines.append(1 + text.getvalue().count("\n"))
        writer.writerow(cells)
    content = text.getvalue().encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return lines[1:]


def write_parquet(file: Path, rows: list[Record]) -> list[int]:
    columns = dict.fromkeys(name for row in rows for name in row)
    parquet.write_table(pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows]), file)
    return list(range(1, len(rows) + 1))


def as_pair(record: Record) -> Record:
    return pair(*parts_of(record))


CONTENTS: dict[str, Writer] = {
    "jsonl": write_lines,
    "letters.jsonl": lambda file, records: write_lines(file, records, ensure_ascii=False, separators=(",", ":")),
    "snake.jsonl.gz": lambda file, records: write_lines(file, snake(records)),
}
SPOKEN = CONTENTS | {
    "messages.jsonl": lambda file, records: write_lines(file, [*map(as_messages, records)]),
    "letters.messages.jsonl.gz": lambda file, records: write_lines(
        file, [*map(as_messages, records)], ensure_ascii=False
    ),
    "messages.parquet": lambda file, records: write_parquet(file, [*map(as_messages, records)]),
    "contents.parquet": write_parquet,
}
SINGLE = SPOKEN | {
    "pairs.jsonl": lambda file, records: write_lines(file, [*map(as_pair, records)]),
    "csv": lambda file, records: write_table(file, records, ","),
    "csv.gz": lambda file, records: write_table(file, records, ","),
    "tsv": lambda file, records: write_table(file, records, "\t"),
    "pairs.parquet": lambda file, records: write_parquet(file, [*map(as_pair, records)]),
}
