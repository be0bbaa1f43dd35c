"""A split as an artifact: what Gemini reads, and beside it where each line came from.

{uri}/examples.jsonl    one record a line in Gemini's tuning format
{uri}/sources.jsonl     for the same line: id, source, line; other right answers than the target; group; slices
{uri}/prompt.json       the fingerprint of what stands around the user's text
{uri}/labels.json       of a classification all labels that there are, declared or learnt from train; else an empty list
"""

from collections.abc import Iterator
from typing import Any

import orjson

from gemini_sft import storage
from gemini_sft.data.example import Example, text_of


def examples_uri(uri: str) -> str:
    """Returns where the tuning records of a split lie."""
    return f"{uri}/examples.jsonl"


def sources_uri(uri: str) -> str:
    """Returns where it lies which line came from where."""
    return f"{uri}/sources.jsonl"


def prompt_uri(uri: str) -> str:
    """Returns where the fingerprint of the prompt lies."""
    return f"{uri}/prompt.json"


def labels_uri(uri: str) -> str:
    """Returns where the label set lies."""
    return f"{uri}/labels.json"


def read_split(uri: str) -> list[Example]:
    """Reads a split that `prepare` wrote."""
    records = storage.read_jsonl(examples_uri(uri))
    return [
        Example(
            id=source["id"],
            record=record,
            source=source["source"],
            line=source["line"],
            references=tuple(source.get("references") or [text_of(record["contents"][-1])]),
            group=source.get("group"),
            slices=source.get("slices") or {},
        )
        for record, source in zip(records, read_sources(uri), strict=True)
    ]


def read_records(uri: str) -> Iterator[dict[str, Any]]:
    """Yields the tuning record of each example of a split, in order."""
    with storage.open_reader(examples_uri(uri)) as file:
        yield from (orjson.loads(line) for line in file if line.strip())


def read_sources(uri: str) -> Iterator[dict[str, Any]]:
    """Yields id, source and line of each example of a split, in order."""
    yield from storage.read_jsonl(sources_uri(uri))


def has_examples(uri: str) -> bool:
    """Returns whether a split has any example."""
    with storage.open_reader(sources_uri(uri)) as file:
        return bool(file.read(1))


def read_labels(uri: str) -> list[str]:
    """Returns the label set that a split was made with; empty if its task has no labels."""
    labels: list[str] = storage.read_json(labels_uri(uri))
    return labels


def read_fingerprint(uri: str) -> str:
    """Returns the fingerprint of the prompt that a split was made with: 16 hexadecimal digits."""
    fingerprint: str = storage.read_json(prompt_uri(uri))["fingerprint"]
    return fingerprint
