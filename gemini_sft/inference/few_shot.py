"""The control arm: the base model with examples in its prompt, as one would ask it without tuning."""

from collections.abc import Sequence
from dataclasses import replace

from gemini_sft.cost.sample import draw
from gemini_sft.data import Example
from gemini_sft.data.example import Content
from gemini_sft.data.prompting import with_examples


def draw_shots(train_uri: str, count: int, seed: int) -> list[list[Content]]:
    """Returns the conversations of examples drawn at random from train, fewer than `count` if there are not enough.

    Args:
        train_uri: The split.
        count: How many.
        seed: Another seed, other examples.
    """
    return [record["contents"] for _, record in draw(train_uri, count, seed).drawn]


def with_shots(example: Example, shots: Sequence[Sequence[Content]]) -> Example:
    """Returns an example in whose system instruction others stand, as with `prompt.few_shot`."""
    text = with_examples(example.system_instruction, shots)
    return replace(example, record=example.record | {"systemInstruction": {"parts": [{"text": text}]}})
