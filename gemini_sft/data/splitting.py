"""Dividing one source into train, validation and test."""

import numpy as np
from numpy.typing import NDArray

TRAIN, VALIDATION, TEST = 0, 1, 2
SPLITS = ("train", "validation", "test")
"""Names of the splits by their number."""

_Hashes = NDArray[np.uint64]


def divide(units: _Hashes, strata: _Hashes, shares: tuple[float, float], seed: int) -> NDArray[np.uint8]:
    """Returns the split of every row.

    Rows of one unit (a document, or a prompt that stands there several times) stay together. Within each stratum (a
    label) units go to test, then to validation, in an order that their hashes and the seed fix, until each has its
    share of the stratum's rows as nearly as whole units allow. So neither the order of the rows nor rows of other
    strata matter.

    Args:
        units: Hash of each row's unit; shape (n,).
        strata: Hash of each row's stratum; of a unit's several the least holds for all of it; shape (n,).
        shares: Of validation and of test.
        seed: Another seed, another division.
    """
    if not len(units):
        return np.zeros(0, np.uint8)
    names, inverse, sizes = np.unique(units, return_inverse=True, return_counts=True)
    of_unit = np.full(len(names), np.iinfo(np.uint64).max)
    np.minimum.at(of_unit, inverse, strata)
    order = np.lexsort((shuffled(names, seed), of_unit))
    ordered = sizes[order].astype(np.int64)
    stratum = of_unit[order]
    begins = np.flatnonzero(np.r_[True, stratum[1:] != stratum[:-1]])
    which = np.repeat(np.arange(len(begins)), np.diff(np.r_[begins, len(order)]))
    totals = np.add.reduceat(ordered, begins)[which]
    before = np.cumsum(ordered) - ordered
    # Where in a unit's size it is decided differs by stratum: half of it would round all small strata the same way.
    offset = (shuffled(stratum, seed) >> np.uint64(11)) / 2.0**53
    middle = (before - before[begins][which] + ordered * offset) / totals
    validation, test = shares
    assigned = np.where(middle < test, TEST, np.where(middle < test + validation, VALIDATION, TRAIN))
    by_unit = np.empty(len(names), np.uint8)
    by_unit[order] = assigned
    return by_unit[inverse]


def joined(groups: _Hashes, keys: _Hashes) -> _Hashes:
    """Returns the unit of each row: rows of one group belong together, and so do rows with the same prompt.

    Args:
        groups: Hash of each row's group, 0 for none; shape (n,).
        keys: Hash of each row's prompt; shape (n,).
    """
    units = np.where(groups == 0, keys, groups)
    while True:
        before = units
        for names in (keys, np.where(groups == 0, keys, groups)):
            _, inverse = np.unique(names, return_inverse=True)
            least = np.full(inverse.max(initial=-1) + 1, np.iinfo(np.uint64).max)
            np.minimum.at(least, inverse, units)
            units = least[inverse]
        if np.array_equal(units, before):
            return units


def shuffled(hashes: _Hashes, seed: int) -> _Hashes:
    """Returns other hashes, by which to sort into an order that looks random and that only they and the seed fix."""
    words = np.random.default_rng(seed).integers(2**63, 2**64, size=2, dtype=np.uint64)
    with np.errstate(over="ignore"):
        mixed: _Hashes = (hashes ^ words[0]) * (words[1] | np.uint64(1))
        mixed ^= mixed >> np.uint64(32)
        mixed *= np.uint64(0x9E3779B97F4A7C15)
    return mixed


def validation_cap(validation: int, train: int) -> int:
    """Returns how many validation examples Vertex AI takes.

    At most 5,000, and of more than 1,000 no more than 30 % of the training examples: Google, "About supervised
    fine-tuning for Gemini models", 2026-09-25.
    """
    return validation if validation <= 1000 else min(validation, 5000, max(1000, train * 3 // 10))
