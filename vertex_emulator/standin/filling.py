"""Describes the slots of a frame to the ranker: each slot is asked for like a question of its own."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from vertex_emulator.standin.answering import best_first
from vertex_emulator.standin.candidates import STRING, Candidates, Floats, Ints
from vertex_emulator.standin.frames import Frame, Slot
from vertex_emulator.standin.prompts import Vocabulary, slot_flags
from vertex_emulator.standin.ranker import Example
from vertex_emulator.standin.strings import BUCKETS
from vertex_emulator.standin.words import stable_hash

_NO_WORD = ""


LISTS = "lists"
"""The vocabulary entry that stands for the answer as a whole where prompts are lists of facts."""


def slot_word(slot: Slot) -> str:
    """Return the vocabulary entry that stands for a slot; no word of a text is spelled so."""
    return f"slot {slot.name}"


def slot_examples(frame: Frame, vocabulary: Vocabulary, candidates: Candidates, example: Example) -> list[Example]:
    """Turn the example of a prompt into one for each slot; the features are shared.

    Args:
        frame: The frame.
        vocabulary: A vocabulary that has the word of each slot.
        candidates: The candidates of the prompt.
        example: The prompt as it is without a frame.
    """
    contexts = contexts_of(candidates)
    one = np.ones(1, dtype=np.float32)
    return [
        replace(
            example,
            flags=slot_flags(example.flags, slot.name),
            rows=np.array([vocabulary.numbers[slot_word(slot)]], dtype=np.int64),
            weights=one,
            contexts=contexts,
        )
        for slot in frame.slots
    ]


def fill(frame: Frame, candidates: Candidates, slot_scores: Sequence[Floats]) -> str:
    """Write a frame with the best candidate in each slot.

    Args:
        frame: The frame, of k slots.
        candidates: The candidates of a prompt, n of them.
        slot_scores: Their scores for each slot, k times (n,).

    Returns:
        The answer; a slot without any candidate that it takes is left empty.
    """
    texts = []
    for slot, scores in zip(frame.slots, slot_scores, strict=True):
        offers = (candidates.text(number) for number in best_first(scores))
        texts.append(next((text for text in offers if slot.takes(text)), ""))
    return frame.write(texts)


def contexts_of(candidates: Candidates) -> Ints:
    """Return the buckets of the words before, after, first and last of each piece and its label, (pieces, 5)."""
    pieces = int(np.count_nonzero(candidates.kinds != STRING))
    first, last = candidates.first[:pieces], candidates.last[:pieces]
    stems = [word.stem for word in candidates.words]
    starts, ends = candidates.edges
    before = [_NO_WORD if edge else stem for stem, edge in zip(["", *stems], starts.tolist(), strict=False)]
    after = [_NO_WORD if edge else stem for stem, edge in zip([*stems[1:], ""], ends.tolist(), strict=False)]
    labels = [sentence.label for sentence in candidates.page.sentences]
    columns = [
        np.array([_bucket(place, stem) for stem in words], dtype=np.int64)[at]
        for place, words, at in (
            ("before", before, first),
            ("after", after, last),
            ("first", stems, first),
            ("last", stems, last),
            ("label", labels, candidates.sentence_of[first]),
        )
    ]
    return np.stack(columns, axis=1)


@lru_cache(maxsize=65536)
def _bucket(place: str, stem: str) -> int:
    return stable_hash(f"{place} {stem}") % BUCKETS
