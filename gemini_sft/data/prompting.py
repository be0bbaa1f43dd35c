"""What stands around the user's text: the system instruction, few-shot examples in it, and their fingerprint."""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np
import orjson

from gemini_sft.data.example import Content, text_of
from gemini_sft.data.keys import normalised
from gemini_sft.data.splitting import TEST, TRAIN, VALIDATION, shuffled
from gemini_sft.data.table import Table

VARIES = "varies"
_MOST_INSTRUCTIONS = 20
_SHORTEST = 20
"""Bytes of a normalised prompt below which it may stand in an instruction by chance."""


def draw_few_shot(table: Table, count: int, seed: int, suspect: Collection[int] = ()) -> list[int]:
    """Draws examples of train whose prompts stand in no other split, and takes them out of train.

    A model that saw the answer in its instruction would learn to look there.

    Args:
        table: All examples.
        count: How many.
        seed: Another seed, other examples.
        suspect: Rows that are not to be drawn, for they are almost those of another split.

    Returns:
        Their rows, in an order that the seed fixes; fewer than `count` if there are not enough.
    """
    rows = table.living(TRAIN)
    keys = table.column("key")
    elsewhere = keys[np.r_[table.living(VALIDATION), table.living(TEST)]]
    rows = rows[~np.isin(keys[rows], elsewhere) & ~np.isin(rows, list(suspect))]
    order = np.argsort(shuffled(table.column("id")[rows], seed), kind="stable")
    drawn = [int(row) for row in rows[order[:count]]]
    table.alive[np.isin(keys, keys[drawn]) & (table.part == TRAIN)] = False
    return drawn


def with_few_shot(instruction: str | None, table: Table, rows: list[int]) -> str:
    """Returns the system instruction with examples behind it."""
    return with_examples(instruction, [orjson.loads(table.record(row))["contents"] for row in rows])


def with_examples(instruction: str | None, conversations: Sequence[Sequence[Content]]) -> str:
    """Returns the system instruction with whole conversations behind it, each of which ends with its answer."""
    shown = ["\n".join(map(text_of, one[:-1])) + f"\nAnswer: {text_of(one[-1])}" for one in conversations]
    examples = "Here are some examples:\n\n" + "\n\n".join(shown)
    return f"{instruction}\n\n{examples}" if instruction else examples


def fingerprint(table: Table, instruction: str | None, template: str | None) -> str:
    """Returns 16 hexadecimal digits that change with whatever stands around the user's text.

    Args:
        table: All examples.
        instruction: Put in front of those that bring none of their own.
        template: Of the experiment.
    """
    texts = {number: text for one in table.drafts for number, text in one.instructions.items()} | {0: instruction or ""}
    own = {texts.get(number, VARIES) for number in np.unique(table.column("instruction")[table.alive]).tolist()}
    return mark(own.pop() if len(own) == 1 else VARIES, template)


def mark(told: str, template: str | None) -> str:
    """Returns the fingerprint of a prompt.

    Args:
        told: The system instruction; empty for none, `VARIES` if it is not the same everywhere.
        template: Of the user's turn.
    """
    return hashlib.sha256(orjson.dumps([told, template])).hexdigest()[:16]


def instructions_of(table: Table) -> list[str]:
    """Returns the different system instructions that examples bring along."""
    return list({number: text for one in table.drafts for number, text in one.instructions.items()}.values())


def told_in_advance(table: Table, instruction: str | None) -> list[int]:
    """Returns the test examples whose prompt stands in a system instruction, perhaps with the answer."""
    common = instructions_of(table)[:_MOST_INSTRUCTIONS]
    texts = [normalised(text) for text in (*common, *([instruction] if instruction else []))]
    texts = [text for text in texts if len(text) >= _SHORTEST]
    if not texts:
        return []
    found = []
    for row in table.living(TEST):
        contents = orjson.loads(table.record(int(row)))["contents"]
        key = normalised("\n".join(map(text_of, contents[:-1])))
        if len(key) >= _SHORTEST and any(key in text for text in texts):
            found.append(int(row))
    return found
