"""The control arm: the base model with examples in its prompt, as one would ask it without tuning."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from gemini_sft.cost.sample import draw
from gemini_sft.data import Example
from gemini_sft.data.dataset import read_records
from gemini_sft.data.example import Content, is_text, text_of
from gemini_sft.data.keys import hash64, normalised
from gemini_sft.data.prompting import with_examples
from gemini_sft.errors import DataError, Problem


def draw_shots(train_uri: str, test_uri: str, count: int, seed: int) -> list[list[Content]]:
    """Returns the conversations of examples drawn at random from train.

    A model must not find in its prompt what it is asked for, nor can a file be shown in an instruction: of examples
    whose prompt stands in test too, and of those that are more than text, none is drawn.

    Args:
        train_uri: The split to draw from.
        test_uri: The split that will be asked.
        count: How many.
        seed: Another seed, other examples.

    Raises:
        DataError: There are not so many.
    """
    asked = {_key(record["contents"][:-1]) for record in read_records(test_uri)}

    def suitable(record: dict[str, Any]) -> bool:
        return is_text(record) and asked.isdisjoint(_prompts(record["contents"]))

    shots = [record["contents"] for _, record in draw(train_uri, count, seed, suitable).drawn]
    if len(shots) < count:
        what = (
            f"asks for {count} examples, and train has {len(shots)} that can be shown (of text alone, and with prompts"
            " that do not stand in test): ask for fewer"
        )
        raise DataError([Problem("evaluation.few_shot", what)])
    return shots


def with_shots(example: Example, shots: Sequence[Sequence[Content]]) -> Example:
    """Returns an example in whose system instruction others stand, as with `prompt.few_shot`."""
    text = with_examples(example.system_instruction, shots)
    return replace(example, record=example.record | {"systemInstruction": {"parts": [{"text": text}]}})


def _prompts(contents: Sequence[Content]) -> Iterator[int]:
    """Yields a key of all that a conversation has an answer to: each turn of the model answers what is before it."""
    return (_key(contents[:place]) for place, content in enumerate(contents) if content["role"] == "model")


def _key(contents: Sequence[Content]) -> int:
    return hash64(normalised("\n".join(map(text_of, contents))))
