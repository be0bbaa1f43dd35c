"""Names and columns of the features that describe a candidate.

A candidate has 102 features. 66 of them are one-hot and kept as column numbers, `HOT_SLOTS` for each;
the others are a dense float32 block. That takes a third of the memory of one matrix and multiplies as fast.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertex_emulator.standin.candidates import Floats
from vertex_emulator.standin.words import CLASS_COUNT

SENTENCE_FEATURES = (
    "query_share",
    "is_best",
    "share_of_best",
    "position",
    "is_1st",
    "is_2nd",
    "is_3rd",
    "is_early",
    "is_last",
    "opens_line",
    "closes_line",
    "asks",
    "repetition",
    "distinct",
    "length",
)
"""Of the sentence that a piece belongs to."""

PIECE_FEATURES = (
    "query_inside",
    "novel",
    "left_context",
    "right_context",
    "stop_share",
    "year_share",
    "month",
    "number_word",
    "percent_or_money",
    "comma",
    "and_or",
    "cuts_name",
    "is_name",
    "whole",
)
"""Of the piece itself, a span or a sentence."""

STRING_FEATURES = ("listed", "remembered", "focus_share", "is_top", "any", "rarity", "frequency")
"""Of an offered or remembered string."""

DENSE_FEATURES = SENTENCE_FEATURES + PIECE_FEATURES + STRING_FEATURES

KIND_COUNT = 3
LENGTH_LIMITS = (1, 2, 3, 4, 6, 10, 15, 25, 40)
"""A candidate of n words is in the first length class whose limit is not below n; one more is for longer."""

WORD_SLOTS = ("before", "after", "first", "last")
"""Words whose class describes a piece: the one before it, the one after it, its first and its last."""

FIRST_LENGTH = KIND_COUNT
FIRST_CLASS = FIRST_LENGTH + len(LENGTH_LIMITS) + 1
NO_COLUMN = FIRST_CLASS + len(WORD_SLOTS) * CLASS_COUNT
"""One-hot column for what does not apply, such as the word before a string."""

HOT_WIDTH = NO_COLUMN + 1
HOT_SLOTS = 2 + len(WORD_SLOTS)
FEATURE_COUNT = HOT_WIDTH + len(DENSE_FEATURES)


@dataclass(frozen=True)
class Features:
    """Features of n candidates.

    Attributes:
        dense: (n, len(DENSE_FEATURES)), each about 0 to 1.
        hot: Numbers of the one-hot columns that are 1, (n, HOT_SLOTS), each below HOT_WIDTH.
    """

    dense: Floats
    hot: NDArray[np.uint8]


def column(feature: str) -> int:
    """Return the column of a dense feature among all features."""
    return HOT_WIDTH + DENSE_FEATURES.index(feature)


def class_column(slot: str, word_class: int) -> int:
    """Return the column of a word class in one of `WORD_SLOTS`."""
    return FIRST_CLASS + WORD_SLOTS.index(slot) * CLASS_COUNT + word_class
