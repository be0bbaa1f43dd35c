"""One example in Gemini's tuning format.

Google, "Prepare supervised fine-tuning data for Gemini models": an optional `systemInstruction` and `contents`, whose
turns alternate between user and model and end with the model's, which is the target. `tools` and `generationConfig`
may stand beside them.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

Content = dict[str, Any]
"""One turn: `{"role": "user" | "model", "parts": [...]}`; a part is a text, a file, a function's call or response."""


@dataclass(frozen=True)
class Example:
    """One example and where it came from.

    Attributes:
        id: 16 hexadecimal digits of the content's hash; the n-th repetition of a content has `-n` behind it.
        record: The example as Gemini takes it, and nothing else.
        source: The file that it was read from.
        line: Its line there, counted from 1 (the row's number in a table without lines).
        references: Every answer that is right, the target first.
        group: What `data.group` says of it; None if there is no such column.
        slices: Its value in each column of `data.slices`; see `gemini_sft.data.records.NO_VALUE` for none.
    """

    id: str
    record: dict[str, Any]
    source: str
    line: int
    references: tuple[str, ...]
    group: str | None = None
    slices: dict[str, str] = field(default_factory=dict)

    @property
    def system_instruction(self) -> str | None:
        """Text that stands before the conversation; None if there is none."""
        instruction = self.record.get("systemInstruction")
        return None if instruction is None else text_of(instruction)

    @property
    def prompt(self) -> list[Content]:
        """The turns that the model is given."""
        return list(self.record["contents"][:-1])

    @property
    def prompt_text(self) -> str:
        """The prompt for people: its texts, and its other parts as JSON."""
        return "\n\n".join(text_of(content) for content in self.prompt)

    @property
    def target(self) -> str:
        """The answer that is wanted."""
        return text_of(self.record["contents"][-1])

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The functions that the model may call."""
        return list(self.record.get("tools", ()))


def text_of(content: Content) -> str:
    """Returns the text of a turn; parts that are no text stand in it as JSON with sorted keys."""
    parts = content["parts"]
    if len(parts) == 1 and "text" in parts[0]:
        return str(parts[0]["text"])
    return "".join(
        part["text"] if "text" in part else orjson.dumps(part, option=orjson.OPT_SORT_KEYS).decode() for part in parts
    )


def is_text(record: dict[str, Any]) -> bool:
    """Returns whether a record is made of texts alone."""
    return "tools" not in record and all("text" in part for one in record["contents"] for part in one["parts"])


def turn(role: str, text: str) -> Content:
    """Returns a turn with one text part."""
    return {"role": role, "parts": [{"text": text}]}


def digest_of(ids: Iterable[str]) -> str:
    """Returns which examples these are, in whatever order: 16 hexadecimal digits of a hash of their ids."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]
