"""Rules about a split as a whole: sizes, labels, targets, system instructions."""

import difflib
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from gemini_sft.data.across import Hit
from gemini_sft.data.block import Drafted
from gemini_sft.data.findings import Fault, shown
from gemini_sft.data.keys import hash64
from gemini_sft.data.reading import Shape
from gemini_sft.data.splitting import TEST, TRAIN, VALIDATION
from gemini_sft.data.table import Table
from gemini_sft.errors import Problem
from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.experiment.template import columns_of

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
            yield (
                split,
                Fault("too_few_examples", f"has {count} example{'s' * (count != 1)}: {few} are advised at least"),
            )
    count = len(table.living(TRAIN))
    if count > MAX_TEXT_EXAMPLES:
        yield TRAIN, Fault("too_many_examples", f"has {count:,} examples: at most {MAX_TEXT_EXAMPLES:,} are allowed")
    if train_bytes > MAX_TRAIN_BYTES:
        yield (
            TRAIN,
            Fault("file_size", f"has {train_bytes / 1e9:.2f} GB: at most {MAX_TRAIN_BYTES / 1e9:.0f} are allowed"),
        )


def slices(drafts: Sequence[Drafted], columns: Sequence[str]) -> Iterator[Fault]:
    """Yields what is wrong with a split of which no record has a column that `data.slices` names.

    Args:
        drafts: Of the split.
        columns: That are named.
    """
    if not any(len(one.rows) for one in drafts):
        return
    there = set().union(*(one.columns for one in drafts))
    for column in columns:
        if column not in there:
            what = f"has no {shown(column)} in any record, which data.slices names"
            yield Fault("slice", f"{what} ({_instead(column, there)})")


def misnamed(drafts: Sequence[Drafted], template: str | None, target: str | None) -> Iterator[Problem]:
    """Yields the columns that template and target name and that no record of any split has.

    It is one mistake, and every record that is made of columns would be found to lack them.

    Args:
        drafts: Of all splits.
        template: `prompt.template`; None if there is none.
        target: `prompt.target`; likewise.
    """
    there = set().union(*(one.columns for one in drafts if one.shape is Shape.COLUMNS))
    if not there:
        return
    for column in columns_of(template) if template else ():
        if column not in there:
            what = f"names {{{column}}}, which no record has"
            yield Problem("prompt.template", f"{what}: {_instead(column, there)}")
    if target and target not in there:
        yield Problem("prompt.target", f"is {target}, which no record has: {_instead(target, there)}")


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
    """Returns how often each label occurs in a split, the most frequent first, and of those the one met first."""
    names = {number: name for one in table.drafts for number, name in one.labels.items()}
    targets = table.column("target")[table.living(split)]
    numbers, first, counts = np.unique(targets, return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    return {names[int(numbers[one])]: int(counts[one]) for one in order}


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
            ("label", f"has the label {shown(name)}, which is none of {_listed(known)}")
            if right is None
            else ("label_spelling", f"has the label {shown(name)} where others have {shown(right)}")
        )
        for row in np.flatnonzero((column == number) & table.alive):
            yield Hit(int(row), rule, what)


def unreadable(table: Table, tokenizer: Tokenizer) -> Iterator[Hit]:
    """Yields each test example that the metrics could not score, whatever the answer."""
    what = f"has no right answer that the metrics can read: evaluation.tokenizer is {tokenizer}"
    for number, draft in enumerate(table.drafts):
        begin = table.rows_of(number).start
        for row in draft.unreadable:
            if table.alive[begin + row] and table.part[begin + row] == TEST:
                yield Hit(begin + row, "unreadable_target", what)


def classes(table: Table, known: Sequence[str]) -> Iterator[tuple[int, Fault]]:
    """Yields splits that lack labels."""
    here = label_counts(table, TRAIN)
    if len(here) == 1:
        yield TRAIN, Fault("single_class", f"has only the label {shown(next(iter(here)))}")
    for split in (TRAIN, VALIDATION, TEST):
        there = label_counts(table, split)
        missing = [name for name in known if name not in there]
        if there and missing:
            yield split, Fault("missing_class", f"has no example of {_listed(missing)}")


def instructions(table: Table, instruction: str | None) -> Iterator[tuple[int, Fault]]:
    """Yields the splits whose system instruction is not the one that most examples of train have.

    Args:
        table: All examples.
        instruction: Of those that bring none of their own.
    """
    column = table.column("instruction")
    if instruction is not None:
        column[column == 0] = hash64(instruction.encode())
    train = Counter(column[table.living(TRAIN)].tolist())
    if not train:
        return
    usual, _ = train.most_common(1)[0]
    for split in (TRAIN, VALIDATION, TEST):
        rows = table.living(split)
        other = int((column[rows] != usual).sum())
        if other:
            kinds = len(np.unique(column[rows]))
            what = f"has {kinds} system instruction{'s' * (kinds > 1)}"
            yield split, Fault("system_instruction", f"{what}: {other} of {len(rows)} examples lack the usual one")


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
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _instead(column: str, there: Collection[str]) -> str:
    near = difflib.get_close_matches(column, there, n=1)
    return f"did you mean {shown(near[0])}?" if near else f"there are {_listed(sorted(there))}"


def _listed(names: Sequence[str]) -> str:
    first = ", ".join(map(shown, names[:8]))
    return first if len(names) <= 8 else f"{first} and {len(names) - 8} more"
