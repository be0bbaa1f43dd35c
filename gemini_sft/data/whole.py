"""Rules about a split as a whole: sizes, labels, targets, system instructions."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from gemini_sft.data.across import Hit
from gemini_sft.data.findings import Fault
from gemini_sft.data.splitting import TEST, TRAIN, VALIDATION
from gemini_sft.data.table import Table

MAX_TRAIN_BYTES = 10**9
MAX_TEXT_EXAMPLES = 10_000_000
"""Google, "About supervised fine-tuning for Gemini models", 2026-09-25."""
FEW_TRAIN = 100
"""Google, likewise: "100 to 500 examples" to begin with."""
FEW_TEST = 30
"""Fewer seldom tell two models apart."""
_MOST = 0.5
_FEWEST_FOR_MOST = 10


def sizes(table: Table, train_bytes: int) -> Iterator[tuple[int, Fault]]:
    """Yields splits that are too small or too large, with what is wrong with them."""
    for split, few in ((TRAIN, FEW_TRAIN), (TEST, FEW_TEST)):
        count = len(table.living(split))
        if not count:
            yield split, Fault("empty_split", "has no example that can be used")
        elif count < few:
            yield split, Fault("too_few_examples", f"has {count} examples: {few} are advised at least")
    count = len(table.living(TRAIN))
    if count > MAX_TEXT_EXAMPLES:
        yield TRAIN, Fault("too_many_examples", f"has {count:,} examples: at most {MAX_TEXT_EXAMPLES:,} are allowed")
    if train_bytes > MAX_TRAIN_BYTES:
        yield (
            TRAIN,
            Fault("file_size", f"has {train_bytes / 1e9:.2f} GB: at most {MAX_TRAIN_BYTES / 1e9:.0f} are allowed"),
        )


def targets(table: Table) -> Iterator[tuple[int, Fault]]:
    """Yields splits in which one target makes up most of the examples."""
    column = table.column("target")
    for split in (TRAIN, TEST):
        rows = table.living(split)
        if len(rows) >= _FEWEST_FOR_MOST:
            _, counts = np.unique(column[rows], return_counts=True)
            if counts.max() > _MOST * len(rows):
                yield (
                    split,
                    Fault("identical_targets", f"has the same target in {counts.max()} of {len(rows)} examples"),
                )


def label_counts(table: Table, split: int) -> dict[str, int]:
    """Returns how often each label occurs in a split, the most frequent first."""
    names = {number: name for one in table.drafts for number, name in one.labels.items()}
    numbers, counts = np.unique(table.column("target")[table.living(split)], return_counts=True)
    counted = {names[int(number)]: int(count) for number, count in zip(numbers, counts, strict=True)}
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def label_set(table: Table, declared: Sequence[str] | None) -> list[str]:
    """Returns the labels that there are: those declared, or of each spelling in train the most frequent."""
    if declared:
        return list(declared)
    spelled: dict[str, str] = {}
    for name in label_counts(table, TRAIN):
        spelled.setdefault(_plain(name), name)
    return list(spelled.values())


def labels(table: Table, known: Sequence[str]) -> Iterator[Hit]:
    """Yields each example whose label is not one of those known, letter by letter."""
    names = {number: name for one in table.drafts for number, name in one.labels.items()}
    by_spelling = {_plain(name): name for name in known}
    column = table.column("target")
    for number, name in names.items():
        if name in known:
            continue
        right = by_spelling.get(_plain(name))
        rule, what = (
            ("label", f"has the label {name[:40]!r}, which is none of {_listed(known)}")
            if right is None
            else ("label_spelling", f"has the label {name[:40]!r} where others have {right[:40]!r}")
        )
        for row in np.flatnonzero((column == number) & table.alive):
            yield Hit(int(row), rule, what)


def classes(table: Table, known: Sequence[str]) -> Iterator[tuple[int, Fault]]:
    """Yields splits that lack labels."""
    here = label_counts(table, TRAIN)
    if len(here) == 1:
        yield TRAIN, Fault("single_class", f"has only the label {next(iter(here))[:40]!r}")
    for split in (TRAIN, VALIDATION, TEST):
        there = label_counts(table, split)
        missing = [name for name in known if name not in there]
        if there and missing:
            yield split, Fault("missing_class", f"has no example of {_listed(missing)}")


def instructions(table: Table) -> Iterator[tuple[int, Fault]]:
    """Yields the splits whose system instruction is not the one that most examples of train have."""
    column = table.column("instruction")
    train = Counter(column[table.living(TRAIN)].tolist())
    if not train:
        return
    usual, _ = train.most_common(1)[0]
    for split in (TRAIN, VALIDATION, TEST):
        rows = table.living(split)
        other = int((column[rows] != usual).sum())
        if other:
            kinds = len(np.unique(column[rows]))
            what = f"has {kinds} different system instructions" if kinds > 1 else "has another system instruction"
            yield (
                split,
                Fault("system_instruction", f"{what} than train mostly has, in {other} of {len(rows)} examples"),
            )


def resolutions(table: Table) -> Iterator[tuple[str, int, Fault]]:
    """Yields where another mediaResolution stands than before: Gemini 2.5 takes one value for all lines."""
    first: str | None = None
    for one in table.drafts:
        for value, line in one.resolutions.items():
            if first is None:
                first = value
            elif value != first:
                yield one.source, line, Fault("media_resolution", f"has {value}, where others have {first}")
                return


def _plain(name: str) -> str:
    return "".join(name.casefold().split())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
