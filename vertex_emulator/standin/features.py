"""Computes the features of candidates: where they stand, what they look like, what the query says."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from vertex_emulator.standin.candidates import Candidates, Floats, Ints
from vertex_emulator.standin.columns import (
    DENSE_FEATURES,
    FIRST_CLASS,
    FIRST_LENGTH,
    HOT_SLOTS,
    LENGTH_LIMITS,
    NO_COLUMN,
    PIECE_FEATURES,
    SENTENCE_FEATURES,
    STRING_FEATURES,
    Features,
)
from vertex_emulator.standin.strings import describe_strings
from vertex_emulator.standin.words import CAPITAL, CLASS_COUNT, CODES, EDGE, INITIAL_CAPITAL, parts

T = TypeVar("T", bound=np.generic)

_FADE = 0.75
_CONTEXT_CAP = 2.0
_REPETITION_CAP = 3.0
_EARLY = 6
_FIRST_MARK = CODES.index("stop")
_COUNTED = (*CODES[_FIRST_MARK:], "query", "content", "novel")
_LENGTH_CLASSES = np.searchsorted(LENGTH_LIMITS, np.arange(LENGTH_LIMITS[-1] + 2)).astype(np.uint8)


def describe(candidates: Candidates, frequencies: Sequence[int] = ()) -> Features:
    """Compute the features of all candidates of a page.

    Args:
        candidates: The candidates, n of them.
        frequencies: For each string, how often training had it as target; empty if nothing is remembered.

    Returns:
        Features of the n candidates; those of pieces are 0 for strings and the other way round.
    """
    strings = len(candidates.strings)
    pieces = len(candidates) - strings
    dense = np.zeros((len(DENSE_FEATURES), len(candidates)), dtype=np.float32).T
    hot = np.full((len(candidates), HOT_SLOTS), NO_COLUMN, dtype=np.uint8)
    if pieces:
        first, last = candidates.first[:pieces], candidates.last[:pieces]
        width = len(SENTENCE_FEATURES)
        dense[:pieces, :width] = _describe_sentences(candidates)[candidates.sentence_of[first]]
        _describe_pieces(candidates, first, last, dense[:pieces, width : width + len(PIECE_FEATURES)])
        _classify(candidates, first, last, hot[:pieces])
    if strings:
        dense[pieces:, -len(STRING_FEATURES) :] = describe_strings(candidates, frequencies)
        lengths = [len(parts(text)) for text in candidates.strings]
        hot[pieces:, 1] = FIRST_LENGTH + _LENGTH_CLASSES[np.minimum(lengths, len(_LENGTH_CLASSES) - 1)]
    return Features(dense, hot)


def _describe_sentences(candidates: Candidates) -> Floats:
    """Return the sentence features, (s, len(SENTENCE_FEATURES))."""
    sentences = candidates.page.sentences
    shares = candidates.sentence_shares.tolist()
    best = max(shares)
    tally = Counter([word.stem for word in candidates.words])
    rows = []
    for number, (start, end) in enumerate(pairwise(candidates.bounds.tolist())):
        sentence = sentences[number]
        content = [word.stem for word in candidates.words[start:end] if word.content]
        repeats = sum([min(tally[word], _REPETITION_CAP) for word in content])
        rows.append(
            (
                shares[number],
                best > 0 and shares[number] == best,
                shares[number] / best if best > 0 else 0,
                number / max(1, len(sentences) - 1),
                number == 0,
                number == 1,
                number == 2,
                number < _EARLY,
                number == len(sentences) - 1,
                sentence.place == 0,
                sentence.is_last,
                sentence.text.endswith("?"),
                repeats / _REPETITION_CAP / max(1, len(content)),
                min(len(set(content)) / 15, 1),
                min((end - start) / 40, 1),
            )
        )
    return np.array(rows, dtype=np.float32)


def _describe_pieces(candidates: Candidates, first: Ints, last: Ints, out: Floats) -> None:
    """Write the piece features of the pieces from word `first` to word `last` to `out`."""
    codes = candidates.codes
    content = codes[:, CODES.index("content")] > 0
    symbol = codes[:, CODES.index("symbol")] > 0
    capital = codes[:, CODES.index("capital")] > 0
    weights = candidates.query_weights
    counted = np.zeros((len(_COUNTED), len(codes) + 1), dtype=np.float32)
    counted[:-3, 1:] = codes[:, _FIRST_MARK:].T
    counted[-3:, 1:] = weights, content, content & (weights < 1)
    sums = np.cumsum(counted, axis=1)
    inside = dict(zip(_COUNTED, sums[:, last + 1] - sums[:, first], strict=True))
    length = (last - first + 1).astype(np.float32)
    left, right = _contexts(candidates)
    starts, ends = candidates.edges
    cut_left = ~starts & capital & _previous(capital)
    cut_right = ~ends & capital & _next(capital)
    loose = ~content | symbol
    loose_left = (starts | _previous(loose)) & content
    loose_right = ends | _next(loose)
    for number, column_ in enumerate(
        (
            inside["query"] / length,
            inside["novel"] / np.maximum(inside["content"], 1),
            left[first],
            right[last],
            inside["stop"] / length,
            inside["year"] / length,
            inside["month"] > 0,
            inside["number_word"] > 0,
            inside["percent_or_money"] > 0,
            inside["comma"] > 0,
            inside["and_or"] > 0,
            cut_left[first] | cut_right[last],
            inside["capital"] == length,
            loose_left[first] & loose_right[last],
        )
    ):
        out[:, number] = column_


def _contexts(candidates: Candidates) -> tuple[Floats, Floats]:
    """Return for each word the fading sum of query weights to its left and to its right in its sentence."""
    weights = candidates.query_weights.tolist()
    sides = []
    for step in (1, -1):
        side = [0.0] * len(weights)
        for start, end in pairwise(candidates.bounds.tolist()):
            total = 0.0
            if not any(weights[start:end]):
                continue
            for number in range(start, end)[::step]:
                side[number] = total
                total = weights[number] + _FADE * total
        sides.append(np.minimum(side, _CONTEXT_CAP).astype(np.float32) / _CONTEXT_CAP)
    return sides[0], sides[1]


def _classify(candidates: Candidates, first: Ints, last: Ints, out: NDArray[np.uint8]) -> None:
    """Write the one-hot columns of pieces to `out`: kind, length, word classes by `columns.WORD_SLOTS`."""
    starts, ends = candidates.edges
    classes = candidates.codes[:, CODES.index("word_class")]
    classes = np.where(starts & (classes == CAPITAL), np.uint8(INITIAL_CAPITAL), classes)
    before = np.where(starts, np.uint8(EDGE), _previous(classes))
    after = np.where(ends, np.uint8(EDGE), _next(classes))
    out[:, 0] = candidates.kinds[: len(first)]
    out[:, 1] = FIRST_LENGTH + _LENGTH_CLASSES[np.minimum(last - first + 1, len(_LENGTH_CLASSES) - 1)]
    for slot, column_ in enumerate((before[first], after[last], classes[first], classes[last])):
        out[:, 2 + slot] = FIRST_CLASS + CLASS_COUNT * slot + column_


def _previous(words: NDArray[T]) -> NDArray[T]:
    """Return for each word what the word before it has; the first has its own."""
    return np.concatenate([words[:1], words[:-1]])


def _next(words: NDArray[T]) -> NDArray[T]:
    """Return for each word what the word after it has; the last has its own."""
    return np.concatenate([words[1:], words[-1:]])
