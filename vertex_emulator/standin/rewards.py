"""How good an answer is: word overlap with the target, for one text or for all candidates at once."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np

from vertex_emulator.standin.candidates import LABELLED, SPAN, Candidates, Floats, Ints
from vertex_emulator.standin.strings import strings_with
from vertex_emulator.standin.words import parts

T = TypeVar("T")


class Target:
    """A target text, counted once so that many answers can be compared with it."""

    def __init__(self, text: str) -> None:
        """Count the word stems of `text` and their pairs."""
        self.text = text.strip()
        self.words = parts(text)
        self._unigrams = Counter(self.words)
        self._bigrams = Counter(pairwise(self.words))

    def reward(self, words: Sequence[str]) -> float:
        """Return the reward of an answer, 0 to 1: half unigram F1, half bigram F1, of stems.

        A target of one word has no bigrams: its reward is unigram F1 alone.
        """
        if not words or not self.words or self._unigrams.keys().isdisjoint(words):
            return 0.0
        unigram = _f1(_common(Counter(words), self._unigrams), len(words), len(self.words))
        if len(self.words) == 1:
            return unigram
        bigram = _f1(_common(Counter(pairwise(words)), self._bigrams), len(words) - 1, len(self.words) - 1)
        return (unigram + bigram) / 2

    def rewards(self, candidates: Candidates) -> Floats:
        """Return the reward of each candidate, (n,).

        Spans are short: repeated words in them are not told apart, so prefix sums find all rewards at once. If
        the prompt offers the very target, nothing else is worth anything: a piece that reads the same is chance.
        """
        result = np.zeros(len(candidates), dtype=np.float32)
        spans = int(np.count_nonzero(candidates.kinds == SPAN))
        if self.text in candidates.strings[: candidates.listed]:
            self._reward_strings(candidates.strings, result[len(candidates) - len(candidates.strings) :])
            return result
        if spans and self.words:
            result[:spans] = self._span_rewards(candidates, spans)
        strings = len(candidates) - len(candidates.strings)
        for number in range(spans, strings):
            words = candidates.stems_of(number)
            if candidates.kinds[number] == LABELLED:
                words = [*parts(candidates.sentence(number).label), *words]
            result[number] = self.reward(words)
        self._reward_strings(candidates.strings, result[strings:])
        return result

    def _reward_strings(self, strings: tuple[str, ...], out: Floats) -> None:
        """Write the rewards of strings to `out`; if one is the very target, no other is worth anything."""
        if self.text in strings:
            out[strings.index(self.text)] = 1
            return
        for number in strings_with(strings, self._unigrams):
            out[number] = self.reward(parts(strings[number]))

    def _span_rewards(self, candidates: Candidates, spans: int) -> Floats:
        stems, offsets = candidates.stems, candidates.part_bounds
        hits = np.cumsum([0, *(part in self._unigrams for part in stems)])
        pair_hits = np.cumsum([0, *(pair in self._bigrams for pair in pairwise(stems)), 0])
        start, end = offsets[candidates.first[:spans]], offsets[candidates.last[:spans] + 1]
        unigram = _f1s(hits[end] - hits[start], end - start, len(self.words))
        if len(self.words) == 1:
            return unigram
        inner = np.maximum(end - 1, start)
        bigram = _f1s(pair_hits[inner] - pair_hits[start], end - start - 1, len(self.words) - 1)
        return (unigram + bigram) / np.float32(2)


def _common(first: Counter[T], second: Counter[T]) -> int:
    return sum([min(count, second[item]) for item, count in first.items() if item in second])


def _f1(hits: int, length: int, target_length: int) -> float:
    return 2 * hits / (length + target_length)


def _f1s(hits: Ints, lengths: Ints, target_length: int) -> Floats:
    lengths = np.maximum(lengths, 0)
    hits = np.minimum(np.minimum(hits, lengths), target_length)
    return (2 * hits / (lengths + target_length)).astype(np.float32)
