"""Describes the strings that may be answers: those that the prompt lists and those remembered."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from vertex_emulator.standin.candidates import STOP_WORD_WEIGHT, Candidates, Floats, Ints
from vertex_emulator.standin.words import STOP_WORDS, parts, stable_hash, stem

BUCKETS = 512
_BAG_WEIGHT = 3.0
_STOP_STEMS = frozenset(stem(word) for word in STOP_WORDS)


def string_vectors(texts: Sequence[str], answers: Mapping[str, int]) -> Floats:
    """Return the vectors that the adapter maps: 1 at the answer's place and 3 / words at its words' buckets.

    Args:
        texts: Strings offered by prompts or remembered.
        answers: Number of each remembered answer, from 0.

    Returns:
        (len(texts), len(answers) + 1 + BUCKETS), one row for each text.
    """
    vectors = np.zeros((len(texts), len(answers) + 1 + BUCKETS), dtype=np.float32)
    for vector, text in zip(vectors, texts, strict=True):
        vector[answers.get(text, len(answers))] = 1
        words = parts(text)
        for word in words:
            vector[len(answers) + 1 + stable_hash(word) % BUCKETS] += _BAG_WEIGHT / len(words)
    return vectors


@lru_cache(maxsize=64)
def _string_index(strings: tuple[str, ...]) -> dict[str, tuple[Ints, Floats, Floats]]:
    """Return for each word: which strings have it, its share of each, and how well it tells them apart.

    The last is log(strings / strings with the word); stop words weigh little in both. Prompts of one task
    mostly offer the same strings, so this is kept.
    """
    weights = [{word: STOP_WORD_WEIGHT if word in _STOP_STEMS else 1.0 for word in parts(s)} for s in strings]
    holders: dict[str, list[int]] = {}
    for number, own in enumerate(weights):
        for word in own:
            holders.setdefault(word, []).append(number)
    index = {}
    for word, numbers in holders.items():
        rarity = np.log(len(strings) / len(numbers)) * weights[numbers[0]][word]
        shares = [weights[number][word] / sum(weights[number].values()) for number in numbers]
        rarities = np.full(len(numbers), rarity, dtype=np.float32)
        index[word] = (np.array(numbers), np.array(shares, dtype=np.float32), rarities)
    return index


def strings_with(strings: tuple[str, ...], words: Iterable[str]) -> list[int]:
    """Return the numbers of the strings that have at least one of the stems `words`, ascending."""
    index = _string_index(strings)
    return sorted({number for word in words if word in index for number in index[word][0].tolist()})


def describe_strings(candidates: Candidates, frequencies: Sequence[int]) -> Floats:
    """Compute the string features of a page.

    Args:
        candidates: The candidates of the page, s of them strings.
        frequencies: For each string, how often training had it as target; empty if nothing is remembered.

    Returns:
        (s, len(STRING_FEATURES)).
    """
    count = len(candidates.strings)
    share, rarity = np.zeros((2, count), dtype=np.float32)
    index = _string_index(candidates.strings)
    for word in dict.fromkeys(candidates.page.focus):
        if word in index:
            numbers, shares, rarities = index[word]
            share[numbers] += shares
            rarity[numbers] += rarities
    seen = np.array(frequencies if len(frequencies) else np.zeros(count))
    listed = np.arange(count) < candidates.listed
    columns = (
        listed,
        (seen > 0) & ~listed,
        share,
        (rarity == rarity.max()) & (rarity > 0),
        share > 0,
        rarity / 5,
        np.log1p(seen) / 5,
    )
    return np.stack([column_.astype(np.float32) for column_ in columns], axis=1)
