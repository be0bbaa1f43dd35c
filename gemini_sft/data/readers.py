"""Reading the formats that users have: `messages` JSONL, Gemini `contents` JSONL and `input_text,output_text` CSV."""

import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

from gemini_sft import storage
from gemini_sft.data.example import Content, Example, content_hash, text_of, tuning_record, turn
from gemini_sft.errors import DataError, Problem

_ROLES = {"user": "user", "model": "model", "assistant": "model"}
_CSV_COLUMNS = ("input_text", "output_text")
# Python's own limit of 131,072 characters is less than one example may have in tokens.
csv.field_size_limit(2**31 - 1)


class _Fault(Exception):
    """What is wrong with one record."""


def read_examples(uri: str, system_instruction: str | None, *, name: str | None = None) -> list[Example]:
    """Reads every example of one file.

    Args:
        uri: Path or `gs://` URI, ending in `.jsonl` or `.csv`.
        system_instruction: Given to the examples that bring none of their own.
        name: How problems and examples speak of the file; `uri` if not given.

    Raises:
        UserError: There is no such file.
        DataError: It is empty, of an unknown format, or some of its records cannot be used; every one is listed.
    """
    name = name or uri
    suffix = uri.rpartition(".")[2].lower()
    if suffix not in ("jsonl", "csv"):
        raise DataError([Problem(name, "must end in .jsonl or .csv")])
    text = _decode(storage.read_bytes(uri), name)
    records = _jsonl_records(text) if suffix == "jsonl" else _csv_records(text, name)
    examples, problems, seen = [], [], Counter[str]()
    for line, record in records:
        try:
            if isinstance(record, _Fault):
                raise record
            examples.append(_example(record, system_instruction, name, line, seen))
        except _Fault as fault:
            problems.append(Problem(f"{name}:{line}", str(fault)))
    if problems:
        raise DataError(problems)
    if not examples:
        raise DataError([Problem(name, "is empty: expected one example a line")])
    return examples


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problem = Problem(f"{name}:{line}", f"is not UTF-8 (byte {error.start}): save the file as UTF-8")
        raise DataError([problem]) from error


def _jsonl_records(text: str) -> Iterator[tuple[int, dict[str, Any] | _Fault]]:
    # Only line feeds end a line: JSON texts may hold other separators, such as U+2028, as they are.
    for line, raw in enumerate(text.split("\n"), 1):
        if not raw.strip():
            continue
        try:
            record = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            yield line, _Fault(f"is not JSON: {error}")
            continue
        yield line, record if isinstance(record, dict) else _Fault("must be a JSON object")


def _csv_records(text: str, name: str) -> Iterator[tuple[int, dict[str, Any] | _Fault]]:
    if not text.strip():
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = reader.fieldnames or []
        missing = [column for column in _CSV_COLUMNS if column not in columns]
        if missing:
            named = f"its columns are {', '.join(columns)}" if columns else "its first line is blank"
            what = f"has no column {' and no column '.join(missing)}: {named}"
            raise DataError([Problem(f"{name}:1", what)])
        for row in reader:
            if None in row or None in row.values():
                yield reader.line_num, _Fault(f"has not {len(columns)} fields, as the header has")
                continue
            turns = zip(("user", "model"), _CSV_COLUMNS, strict=True)
            yield reader.line_num, {"messages": [{"role": role, "content": row[column]} for role, column in turns]}
    except csv.Error as error:
        # A record may span lines; `DictReader` has counted those before it, the reader inside also its own.
        begin, line = reader.line_num + 1, reader.reader.line_num
        record = f", in the record that begins on line {begin}" if begin < line else ""
        yield line, _Fault(f"is not CSV: {error}{record}")


def _example(
    record: dict[str, Any], system_instruction: str | None, name: str, line: int, seen: Counter[str]
) -> Example:
    if "messages" in record:
        own, contents = _from_messages(record)
    elif "contents" in record:
        own, contents = _from_contents(record)
    else:
        raise _Fault('has neither "messages" nor "contents"')
    _check_turns(contents)
    instruction = own if own is not None else system_instruction
    digest = content_hash(tuning_record(instruction, contents))
    seen[digest] += 1
    id_ = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return Example(id_, instruction, contents, name, line)


def _from_messages(record: dict[str, Any]) -> tuple[str | None, tuple[Content, ...]]:
    messages = record["messages"]
    if not isinstance(messages, list):
        raise _Fault('"messages" must be a list')
    system, turns = None, []
    for position, message in enumerate(messages, 1):
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise _Fault(f'message {position} must be an object with "role" and a text "content"')
        role = message.get("role")
        if role == "system" and position == 1:
            system = message["content"]
        elif isinstance(role, str) and role in _ROLES:
            turns.append(turn(_ROLES[role], message["content"]))
        else:
            raise _Fault(f"message {position} has the role {role!r}: expected user or assistant, or first system")
    return system, tuple(turns)


def _from_contents(record: dict[str, Any]) -> tuple[str | None, tuple[Content, ...]]:
    unknown = set(record) - {"contents", "systemInstruction", "system_instruction"}
    if unknown:
        raise _Fault(f"has the unknown key {sorted(unknown)[0]!r}")
    instruction = record.get("systemInstruction", record.get("system_instruction"))
    system = None if instruction is None else text_of(_content(instruction, "the system instruction"))
    contents = record["contents"]
    if not isinstance(contents, list):
        raise _Fault('"contents" must be a list')
    turns = []
    for position, content in enumerate(contents, 1):
        role = content.get("role") if isinstance(content, dict) else None
        if role not in ("user", "model"):
            raise _Fault(f"turn {position} has the role {role!r}: expected user or model")
        turns.append({"role": role, "parts": _content(content, f"turn {position}")["parts"]})
    return system, tuple(turns)


def _content(content: Any, what: str) -> Content:
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not parts:
        raise _Fault(f'{what} must have "parts"')
    for part in parts:
        if not isinstance(part, dict) or set(part) != {"text"} or not isinstance(part["text"], str):
            raise _Fault(f'{what} has a part that is not {{"text": ...}}')
    return {"parts": parts}


def _check_turns(contents: tuple[Content, ...]) -> None:
    roles = [content["role"] for content in contents]
    if len(roles) < 2 or roles[0] != "user" or roles[-1] != "model":
        raise _Fault("must begin with a turn of the user and end with the model's answer")
    for position, (before, after) in enumerate(itertools.pairwise(roles), 2):
        if before == after:
            raise _Fault(f"turns {position - 1} and {position} are both the {after}'s: they must alternate")
    for position, content in enumerate(contents, 1):
        if not text_of(content).strip():
            raise _Fault(f"turn {position} (the {content['role']}'s) is empty")
