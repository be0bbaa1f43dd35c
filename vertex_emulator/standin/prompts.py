"""Describes a prompt by numbers: what kind of question it asks (flags), which words it is about (focus)."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertex_emulator.standin.candidates import Floats
from vertex_emulator.standin.reading import Page
from vertex_emulator.standin.words import STOP_WORDS, stable_hash, stem

QUESTION_PHRASES = (
    *("how many", "how much", "how long", "how"),
    *("what", "which", "who", "whom", "whose", "when", "where", "why"),
)
BIAS, QUESTION, NO_QUERY, HAS_LIST = range(4)
_HASHED = 104
FLAG_COUNT = 4 + len(QUESTION_PHRASES) + _HASHED
_HASHED_WEIGHT = 0.4

_ASKED = re.compile(rf"\b(?P<phrase>{'|'.join(QUESTION_PHRASES)})\b(?:\s+(?P<next>\w+))?", re.IGNORECASE)


def phrase_flag(phrase: str) -> int:
    """Return the flag number of one of `QUESTION_PHRASES`."""
    return 4 + QUESTION_PHRASES.index(phrase)


def prompt_flags(page: Page) -> Floats:
    """Return the flags of a page, (FLAG_COUNT,): mostly 0, with 1 and smaller weights where something holds.

    The last flags are hashed: "phrase + next word" and, after what or which, the next word ("which year").
    """
    flags = np.zeros(FLAG_COUNT, dtype=np.float32)
    flags[BIAS] = 1
    flags[QUESTION] = page.query.rstrip().endswith("?")
    flags[NO_QUERY] = not page.query
    flags[HAS_LIST] = bool(page.entries)
    if asked := _ASKED.search(page.query):
        phrase = asked["phrase"].lower()
        flags[phrase_flag(phrase)] = 1
        following = stem(asked["next"] or "")
        hashed = [f"{phrase} {following}"]
        if phrase in ("what", "which") and (asked["next"] or "").lower() not in STOP_WORDS:
            hashed.append(following)
        for text in hashed:
            flags[FLAG_COUNT - _HASHED + stable_hash(text) % _HASHED] = _HASHED_WEIGHT
    return flags


def slot_flags(flags: Floats, name: str) -> Floats:
    """Return flags of a page, (FLAG_COUNT,), that ask for the slot of a frame behind the word `name` too."""
    flags = flags.copy()
    flags[FLAG_COUNT - _HASHED + stable_hash(f"slot {name}") % _HASHED] = 1
    return flags


@dataclass(frozen=True)
class Vocabulary:
    """The words that training prompts were about, with the number of prompts that hold each.

    Attributes:
        numbers: Row of each stem in the adapter, from 0.
        document_counts: Training prompts that hold the stem, by row.
        documents: Training prompts in all.
    """

    numbers: Mapping[str, int]
    document_counts: NDArray[np.int64]
    documents: int

    @classmethod
    def empty(cls) -> "Vocabulary":
        """Return the vocabulary of a model that was never trained."""
        return cls({}, np.zeros(0, dtype=np.int64), 0)

    def extended(self, pages: Iterable[Page]) -> "Vocabulary":
        """Return this vocabulary with the focus words of more prompts; known words keep their rows."""
        counts = Counter(dict(zip(self.numbers, self.document_counts.tolist(), strict=True)))
        documents = self.documents
        for page in pages:
            documents += 1
            for word in dict.fromkeys(page.focus):
                counts[word] += 1
        numbers = {word: number for number, word in enumerate(counts)}
        return Vocabulary(numbers, np.array(list(counts.values()), dtype=np.int64), documents)

    def with_words(self, words: Iterable[str]) -> "Vocabulary":
        """Return this vocabulary with more words, which no prompt was about yet."""
        numbers = {word: number for number, word in enumerate(dict.fromkeys([*self.numbers, *words]))}
        counts = np.concatenate([self.document_counts, np.zeros(len(numbers) - len(self.numbers), dtype=np.int64)])
        return Vocabulary(numbers, counts, self.documents)

    def weigh(self, page: Page) -> tuple[NDArray[np.int64], Floats]:
        """Return rows and tf-idf weights, of unit length together, of the page's known focus words."""
        known = Counter(number for word in page.focus if (number := self.numbers.get(word)) is not None)
        rows = np.array(list(known), dtype=np.int64)
        if not known:
            return rows, np.zeros(0, dtype=np.float32)
        rarity = np.log((self.documents + 1) / (self.document_counts[rows] + 0.5))
        rarity /= np.log(self.documents + 1)
        weights = np.array(list(known.values())) * np.maximum(rarity, 0)
        length = float(np.sqrt(np.sum(weights**2)))
        return rows, (weights / length if length > 0 else weights).astype(np.float32)
