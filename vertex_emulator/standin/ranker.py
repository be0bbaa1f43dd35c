"""The ranker: a frozen linear base, a trainable low-rank adapter, and the scores and gradients of both.

score(candidate) = flags·W·features + (flags·A)(B·features) + [strings only] (words·C)(D·string)

For a slot of a frame the words are one that stands for the slot, and pieces have the lexical term too:
(words·C)(D·context), the context being the words at both sides of both ends of a piece.

W is written by hand and never trained. A, B, C and D are the adapter. B and D start at zero, so that an
untrained adapter changes nothing. The dense half (A, B) sees prompt flags and shapes only, the lexical half
(C, D) words only; one joint map of both learns worse.
"""

from dataclasses import dataclass, fields

import numpy as np

from vertex_emulator.standin import prompts
from vertex_emulator.standin.candidates import LABELLED, SENTENCE, Floats, Ints
from vertex_emulator.standin.columns import (
    FEATURE_COUNT,
    HOT_SLOTS,
    HOT_WIDTH,
    Features,
    class_column,
    column,
)
from vertex_emulator.standin.strings import BUCKETS
from vertex_emulator.standin.words import CAPITAL, DIGIT

LEXICAL_WIDTH = 16
"""Directions per unit of adapter size in the lexical half of the adapter; the dense half has one."""


def _base_weights() -> Floats:
    """Return W, (FLAG_COUNT, FEATURE_COUNT): what a reader who was told nothing would prefer."""
    weights = np.zeros((prompts.FLAG_COUNT, FEATURE_COUNT), dtype=np.float32)
    who, when = prompts.phrase_flag("who"), prompts.phrase_flag("when")
    for flag, feature, weight in (
        (prompts.BIAS, SENTENCE, 4.0),
        (prompts.BIAS, LABELLED, 3.5),
        (prompts.BIAS, column("focus_share"), 4.0),
        (prompts.BIAS, column("remembered"), -4.0),
        (prompts.BIAS, column("query_inside"), -2.0),
        (prompts.HAS_LIST, column("listed"), 7.0),
        (prompts.BIAS, column("query_share"), 1.5),
        (prompts.QUESTION, column("query_share"), 4.5),
        (prompts.NO_QUERY, column("is_1st"), 1.0),
        (prompts.NO_QUERY, column("is_2nd"), 0.6),
        (prompts.NO_QUERY, column("is_3rd"), 0.4),
        (prompts.NO_QUERY, column("is_early"), 0.3),
        (prompts.NO_QUERY, column("repetition"), 0.5),
        (prompts.NO_QUERY, column("asks"), -0.5),
        (who, class_column("first", CAPITAL), 0.5),
        (when, column("year_share"), 1.0),
        (when, column("month"), 0.5),
        (prompts.phrase_flag("how many"), class_column("first", DIGIT), 0.5),
        (prompts.phrase_flag("how much"), column("percent_or_money"), 0.5),
        (prompts.BIAS, column("whole"), 0.3),
        (prompts.BIAS, column("cuts_name"), -0.5),
    ):
        weights[flag, feature] = weight
    return weights


BASE_WEIGHTS = _base_weights()


@dataclass
class Adapter:
    """The trained part; r is the adapter size, v the vocabulary, m the remembered answers.

    Attributes:
        flags_in: A, (FLAG_COUNT, r).
        features_out: B, (r, FEATURE_COUNT).
        words_in: C, (v, 16r).
        strings_out: D, (16r, m + 1 + BUCKETS): a column for each remembered answer, one for a string that is
            none, and one for each bucket that words of strings are hashed to.
    """

    flags_in: Floats
    features_out: Floats
    words_in: Floats
    strings_out: Floats

    @classmethod
    def fresh(cls, size: int, words: int, answers: int, random: np.random.Generator) -> "Adapter":
        """Return an adapter of rank `size` that changes no score yet."""
        lexical = LEXICAL_WIDTH * size
        return cls(
            flags_in=_normal(random, (prompts.FLAG_COUNT, size), 1 / size),
            features_out=np.zeros((size, FEATURE_COUNT), dtype=np.float32),
            words_in=_normal(random, (words, lexical), 0.25 / lexical),
            strings_out=np.zeros((lexical, answers + 1 + BUCKETS), dtype=np.float32),
        )

    def parameters(self) -> dict[str, Floats]:
        """Return the arrays by name; changing one in place changes the adapter."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def copy(self) -> "Adapter":
        """Return an adapter that further training of this one leaves alone."""
        return Adapter(**{name: array.copy() for name, array in self.parameters().items()})

    @property
    def size(self) -> int:
        """The adapter size that this adapter was made with."""
        return int(self.features_out.shape[0])


def _normal(random: np.random.Generator, shape: tuple[int, int], variance: float) -> Floats:
    result: Floats = random.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(variance))
    return result


@dataclass(frozen=True)
class Example:
    """A prompt ready to be scored: n candidates, the last s of them strings.

    Attributes:
        features: Features of the n candidates.
        flags: Prompt flags, (FLAG_COUNT,).
        rows: Vocabulary rows of the words that the prompt is about.
        weights: Their weights, same length.
        strings: Columns of the strings among the mapped strings, (s,).
        contexts: If a slot is asked for, buckets of the words around and in each piece, (n - s, 4).
    """

    features: Features
    flags: Floats
    rows: Ints
    weights: Floats
    strings: Ints
    contexts: Ints | None = None


def mapped_strings(adapter: Adapter, vectors: Floats) -> Floats:
    """Return D applied to the rows of `vectors`, (16r, s): shared by all prompts that offer these strings."""
    return adapter.strings_out @ vectors.T


def scores(adapter: Adapter, example: Example, mapped: Floats) -> Floats:
    """Return the score of each candidate, (n,).

    Args:
        adapter: The adapter; a fresh one gives the scores of the base.
        example: The prompt.
        mapped: The `mapped_strings` of all strings that `example.strings` points into.
    """
    weights = example.flags @ BASE_WEIGHTS + (example.flags @ adapter.flags_in) @ adapter.features_out
    hot, dense = weights[:HOT_WIDTH], weights[HOT_WIDTH:]
    result: Floats = example.features.dense @ dense + hot[example.features.hot].sum(axis=1)
    if len(example.strings) and len(example.rows):
        query = example.weights @ adapter.words_in[example.rows]
        result[-len(example.strings) :] += query @ mapped[:, example.strings]
    if example.contexts is not None:
        query = example.weights @ adapter.words_in[example.rows]
        by_bucket = query @ adapter.strings_out[:, -BUCKETS:]
        result[: len(example.contexts)] += by_bucket[example.contexts].sum(axis=1)
    return result


def add_gradients(
    gradients: dict[str, Floats],
    adapter: Adapter,
    example: Example,
    mapped: Floats,
    errors: Floats,
    onto: Floats,
) -> None:
    """Add the gradient of one example to `gradients`; that of D by strings the caller takes from `onto`.

    Args:
        gradients: Arrays shaped and named as the adapter's.
        adapter: The adapter.
        example: The prompt.
        mapped: As for `scores`.
        errors: Derivative of the loss by each score, (n,).
        onto: Gradient by `mapped`, same shape, added to.
    """
    features = example.features
    hot = np.bincount(features.hot.ravel(), np.repeat(errors, HOT_SLOTS), HOT_WIDTH)
    by_weights = np.concatenate([hot, errors @ features.dense]).astype(np.float32)
    compressed = example.flags @ adapter.flags_in
    gradients["features_out"] += np.outer(compressed, by_weights)
    gradients["flags_in"] += np.outer(example.flags, adapter.features_out @ by_weights)
    if len(example.strings) and len(example.rows):
        by_score = errors[-len(example.strings) :]
        query = example.weights @ adapter.words_in[example.rows]
        by_query = mapped[:, example.strings] @ by_score
        gradients["words_in"][example.rows] += np.outer(example.weights, by_query)
        onto[:, example.strings] += np.outer(query, by_score)
    if example.contexts is not None:
        pieces, width = example.contexts.shape
        hits = np.bincount(example.contexts.ravel(), np.repeat(errors[:pieces], width), BUCKETS).astype(np.float32)
        query = example.weights @ adapter.words_in[example.rows]
        buckets = adapter.strings_out[:, -BUCKETS:]
        gradients["words_in"][example.rows] += np.outer(example.weights, buckets @ hits)
        gradients["strings_out"][:, -BUCKETS:] += np.outer(query, hits)
