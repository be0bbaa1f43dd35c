"""Rules that look at all examples together: repetitions, contradictions and leaks between the splits."""

from collections import Counter
from collections.abc import Container, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gemini_sft.data.near import join, near_duplicates
from gemini_sft.data.splitting import SPLITS, TEST, TRAIN, VALIDATION
from gemini_sft.data.table import Table

_Rows = NDArray[np.int64]


class Hit(NamedTuple):
    """A row that breaks a rule."""

    row: int
    rule: str
    what: str


def duplicates(table: Table) -> Iterator[Hit]:
    """Yields each example that stands before in the same split, word for word."""
    # Two examples that differ in what else is right are not the same.
    contents = table.column("id") ^ table.column("target")
    for split in (TRAIN, VALIDATION, TEST):
        rows = table.living(split)
        first = _first_of_each(contents[rows])
        for later in np.flatnonzero(first != np.arange(len(rows))):
            yield Hit(int(rows[later]), "duplicate", f"is {table.where(int(rows[first[later]]))} again")


def conflicts(table: Table) -> Iterator[Hit]:
    """Yields each example whose prompt stands before in the same split with another target."""
    keys, targets = table.column("key"), table.column("target")
    for split in (TRAIN, VALIDATION, TEST):
        rows = table.living(split)
        first = _first_of_each(keys[rows])
        differs = targets[rows] != targets[rows][first]
        for later in np.flatnonzero(differs):
            before = table.where(int(rows[first[later]]))
            yield Hit(int(rows[later]), "conflict", f"has the prompt of {before}, and another target")


def leaks(table: Table, column: str, rule: str, what: str) -> Iterator[Hit]:
    """Yields each example of train and validation that shares something with one of validation or test.

    Of two splits the one that stands first in train, validation, test has the finding: it is the one to take it from.

    Args:
        table: All examples.
        column: Of hashes; equal ones are shared, 0 is nothing.
        rule: Name of the rule that is broken.
        what: What is shared, in words.
    """
    hashes = table.column(column)
    for split, higher in ((VALIDATION, (TEST,)), (TRAIN, (TEST, VALIDATION))):
        rows = table.living(split)
        free = np.ones(len(rows), bool)
        for other in higher:
            others = table.living(other)
            order = np.argsort(hashes[others], kind="stable")
            known = hashes[others][order]
            if not len(known):
                continue
            at = np.minimum(np.searchsorted(known, hashes[rows]), len(known) - 1)
            shared = (known[at] == hashes[rows]) & (hashes[rows] != 0) & free
            free &= ~shared
            for mine in np.flatnonzero(shared):
                there = table.where(int(others[order[at[mine]]]))
                yield Hit(int(rows[mine]), rule, f"has the {what} of {there} in {SPLITS[other]}")


def told_early(table: Table, leaking: Container[int]) -> Iterator[Hit]:
    """Yields each conversation of train or validation that begins with a prompt of a later split.

    Every answer of a conversation is learnt, not only the last: the beginnings are prompts too.

    Args:
        table: All examples.
        leaking: Rows that need not be told of again.
    """
    keys = table.column("key")
    known = {split: dict(zip(keys[rows].tolist(), rows.tolist(), strict=True)) for split, rows in _later(table)}
    seen: set[int] = set()
    for number, draft in enumerate(table.drafts):
        begin = table.rows_of(number).start
        for inside, key in draft.beginnings:
            row = begin + inside
            for split, prompts in known.items():
                if (
                    table.alive[row]
                    and row not in seen
                    and row not in leaking
                    and split > table.part[row]
                    and key in prompts
                ):
                    seen.add(row)
                    there = f"{table.where(prompts[key])} in {SPLITS[split]}"
                    yield Hit(row, "leak", f"begins with the prompt of {there}")


def _later(table: Table) -> list[tuple[int, _Rows]]:
    return [(split, table.living(split)) for split in (TEST, VALIDATION)]


def resemblances(table: Table) -> Iterator[Hit]:
    """Yields each example whose prompt is almost that of another one, in its own split or a later one.

    Rows of one group are alike by nature, as questions about one text are.
    """
    sketches = [one.sketch for one in table.drafts if one.sketch is not None]
    if not sketches:
        return
    within = np.concatenate(
        [np.arange(*table.rows_of(number).indices(len(table))) for number, one in enumerate(table.drafts) if one.sketch]
    )
    keys, groups = table.column("key"), table.column("group")
    for near in near_duplicates(join(sketches), table.part[within]):
        first, second = int(within[near.first]), int(within[near.second])
        if keys[first] == keys[second] or not (table.alive[first] and table.alive[second]):
            continue
        if groups[first] == groups[second] != 0:
            continue
        about = f"about {min(near.similarity, 0.99):.0%} alike"
        if table.part[first] == table.part[second]:
            yield Hit(second, "near_duplicate", f"has almost the prompt of {table.where(first)} ({about})")
            continue
        low, high = sorted((first, second), key=lambda row: int(table.part[row]))
        there = f"{table.where(high)} in {SPLITS[int(table.part[high])]}"
        yield Hit(low, "near_leak", f"has almost the prompt of {there} ({about})")


def searched(table: Table) -> int:
    """Returns among how many examples near-duplicates are looked for."""
    return sum(len(one.rows) for one in table.drafts if one.sketch is not None)


def repetitions(table: Table) -> dict[int, int]:
    """Returns, for each row whose content stands before in the same split, which repetition it is: 2, 3 ..."""
    ids = table.column("id")
    found: dict[int, int] = {}
    for split in (TRAIN, VALIDATION, TEST):
        rows = table.living(split)
        first = _first_of_each(ids[rows])
        seen = Counter[int]()
        for later in np.flatnonzero(first != np.arange(len(rows))):
            seen[int(first[later])] += 1
            found[int(rows[later])] = seen[int(first[later])] + 1
    return found


def _first_of_each(hashes: NDArray[np.uint64]) -> _Rows:
    """Returns for each value the position of the first that equals it; shape (n,)."""
    ordered = np.sort(hashes)  # most often all are different, which is soon seen
    if not (ordered[1:] == ordered[:-1]).any():
        return np.arange(len(hashes))
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    return first[inverse].astype(np.int64)
