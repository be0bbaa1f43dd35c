"""A split as an artifact: what Gemini reads, and beside it where each line came from.

{uri}/examples.jsonl    one record a line in Gemini's tuning format
{uri}/sources.jsonl     for the same line: id, source file, line
"""

from collections.abc import Sequence

from gemini_sft import storage
from gemini_sft.data.example import Example, text_of


def examples_uri(uri: str) -> str:
    """Returns where the tuning records of a split lie."""
    return f"{uri}/examples.jsonl"


def write_split(uri: str, examples: Sequence[Example]) -> None:
    """Writes a split below `uri`."""
    sources = ({"id": one.id, "source": one.source, "line": one.line} for one in examples)
    storage.write_jsonl(f"{uri}/sources.jsonl", sources)
    storage.write_jsonl(examples_uri(uri), (one.record for one in examples))


def read_split(uri: str) -> list[Example]:
    """Reads back what `write_split` wrote."""
    records = storage.read_jsonl(examples_uri(uri))
    sources = storage.read_jsonl(f"{uri}/sources.jsonl")
    examples = []
    for record, source in zip(records, sources, strict=True):
        instruction = record.get("systemInstruction")
        system = None if instruction is None else text_of(instruction)
        examples.append(Example(source["id"], system, tuple(record["contents"]), source["source"], source["line"]))
    return examples
