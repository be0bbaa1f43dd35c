"""Longest common subsequences, a whole column of the table at a time.

M. Crochemore, C. Iliopoulos, Y. Pinzon, J. Reid, "A fast and practical bit-vector algorithm for the longest common
subsequence problem", 2001. The table has a row for every word of `one` and a column for every word of `other`; bit i of
a column's vector is 0 where its value grows from row i to row i + 1.
"""

from collections.abc import Iterator, Sequence


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Returns the length of the longest common subsequence."""
    where, full = _places(one), (1 << len(one)) - 1
    vector = full
    for word in other:  # as in `_columns`, without its pauses
        if matches := where.get(word):
            hit = vector & matches
            vector = (vector + hit | vector - hit) & full
    return len(one) - vector.bit_count()


def common_positions(one: Sequence[str], other: Sequence[str]) -> list[int]:
    """Returns where in `one` a longest common subsequence stands, from its end to its begin.

    Of several such, it is the one that rouge-score finds: walking the table back from its end, it takes words that are
    equal, and else goes left where the value above is less, and up where it is not.
    """
    columns = list(_columns(one, other))
    row, column = len(one) - 1, len(other) - 1
    found = []
    while row >= 0 and column >= 0:
        if one[row] == other[column]:
            found.append(row)
            row -= 1
            column -= 1
        elif columns[column] >> row & 1:
            row -= 1
        else:
            column -= 1
    return found


def _columns(one: Sequence[str], other: Sequence[str]) -> Iterator[int]:
    where, full = _places(one), (1 << len(one)) - 1
    vector = full
    for word in other:
        if matches := where.get(word):
            hit = vector & matches
            vector = (vector + hit | vector - hit) & full
        yield vector


def _places(words: Sequence[str]) -> dict[str, int]:
    """Returns for every word a vector with a bit at each of its places."""
    where: dict[str, int] = {}
    for position, word in enumerate(words):
        where[word] = where.get(word, 0) | 1 << position
    return where
