"""One example in Gemini's tuning format.

Google, "Prepare supervised fine-tuning data for Gemini models": an optional `systemInstruction` and `contents`, whose
turns alternate between user and model and end with the model's, which is the target.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson

Content = dict[str, Any]
"""One turn: `{"role": "user" | "model", "parts": [{"text": ...}]}`."""


@dataclass(frozen=True)
class Example:
    """One example and where it came from.

    Attributes:
        id: 16 hexadecimal digits of the content's hash; the n-th repetition of a content has `-n` behind it.
        system_instruction: Text that stands before the conversation; None if there is none.
        contents: The turns, the last of them the model's.
        source: The file that it was read from.
        line: Its line there, counted from 1 (for CSV the line on which its record ends).
    """

    id: str
    system_instruction: str | None
    contents: tuple[Content, ...]
    source: str
    line: int

    @property
    def prompt(self) -> list[Content]:
        """The turns that the model is given."""
        return list(self.contents[:-1])

    @property
    def prompt_text(self) -> str:
        """The prompt's text, for people."""
        return "\n\n".join(text_of(content) for content in self.prompt)

    @property
    def target(self) -> str:
        """The answer that is wanted."""
        return text_of(self.contents[-1])

    @property
    def record(self) -> dict[str, Any]:
        """The example as Gemini takes it, and nothing else."""
        return tuning_record(self.system_instruction, self.contents)


def text_of(content: Content) -> str:
    """Returns the text of a turn."""
    return "".join(part.get("text", "") for part in content["parts"])


def turn(role: str, text: str) -> Content:
    """Returns a turn with one text part."""
    return {"role": role, "parts": [{"text": text}]}


def tuning_record(system_instruction: str | None, contents: tuple[Content, ...]) -> dict[str, Any]:
    """Returns a record in Gemini's tuning format."""
    record: dict[str, Any] = {}
    if system_instruction is not None:
        record["systemInstruction"] = {"parts": [{"text": system_instruction}]}
    record["contents"] = list(contents)
    return record


def content_hash(record: dict[str, Any]) -> str:
    """Returns 16 hexadecimal digits that the content of a record fixes."""
    return hashlib.sha256(orjson.dumps(record, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
