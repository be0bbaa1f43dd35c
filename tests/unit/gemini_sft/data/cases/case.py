"""What a case of the corpus is, and short ways to write its files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Found = tuple[str, int | str, str]
"""A rule, a place and what is said of it; a number is a line of the case's own file."""


@dataclass(frozen=True)
class Case:
    """A file that something is wrong with, and every finding that it leads to.

    Attributes:
        name: Which tells the case from the others.
        content: Of the file.
        found: All findings, in any order.
        file: Its name; it is the train split.
        others: Content of the files of validation and test, by their names.
        task: Of the experiment.
        data: What else the experiment says about data.
        prompt: What it says about the prompt.
        problems: What is wrong with whole files: it stops the run without being a finding.
        limits: Numbers of `gemini_sft.data.whole` that are another in this case.
        secrets: What may not be repeated anywhere.
    """

    name: str
    content: bytes
    found: tuple[Found, ...]
    file: str = "train.jsonl"
    others: Mapping[str, bytes] = field(default_factory=dict)
    task: str = "generation"
    data: Mapping[str, Any] = field(default_factory=dict)
    prompt: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()


def case(name: str, content: bytes, *found: Found, **more: Any) -> Case:
    """Returns a case."""
    return Case(name, content, found, **more)


def jsonl(*records: dict[str, Any] | str | bytes) -> bytes:
    """Returns a file of records; a text or bytes stand in it as they are."""
    return b"".join(_line(record) + b"\n" for record in records)


def _line(record: dict[str, Any] | str | bytes) -> bytes:
    if isinstance(record, bytes):
        return record
    return (record if isinstance(record, str) else json.dumps(record)).encode()


def pair(prompt: Any, completion: Any = "yes", **beside: Any) -> dict[str, Any]:
    """Returns a prompt and its completion."""
    return {"prompt": prompt, "completion": completion} | beside


def messages(*said: tuple[Any, Any], **beside: Any) -> dict[str, Any]:
    """Returns messages from their roles and contents."""
    return {"messages": [{"role": role, "content": content} for role, content in said]} | beside


def contents(*turns: tuple[Any, Any], **beside: Any) -> dict[str, Any]:
    """Returns Gemini contents; a text as a turn's parts is one part."""
    made = [{"role": role, "parts": [{"text": parts}] if type(parts) is str else parts} for role, parts in turns]
    return {"contents": made} | beside


def with_parts(*parts: Any, **beside: Any) -> dict[str, Any]:
    """Returns contents with these parts in the user's turn."""
    return contents(("user", list(parts)), ("model", "yes"), **beside)


def answered(*parts: Any, **beside: Any) -> dict[str, Any]:
    """Returns contents with these parts in the model's turn."""
    return contents(("user", "Go on."), ("model", list(parts)), **beside)


def file_part(kind: str, number: int = 0) -> dict[str, Any]:
    """Returns a part that names a file."""
    return {"fileData": {"mimeType": kind, "fileUri": f"gs://bucket/{number}"}}


def chat(prompt: str, answer: str = "yes", system: str | None = None) -> dict[str, Any]:
    """Returns messages with one question and one answer."""
    return messages(*([("system", system)] if system else []), ("user", prompt), ("assistant", answer))


GOOD = pair("Is this good?")
NO_TRAIN: Found = ("empty_split", "train", "has no example that can be used")
