"""Lengths and labels of the splits, in places and percentages for drawing."""

from collections.abc import Mapping
from dataclasses import dataclass

from gemini_sft.data.summary import SplitSummary
from gemini_sft.report import numbers
from gemini_sft.report.axis import Tick
from gemini_sft.report.text import Passage, passage

LABELS_SHOWN = 50
"""Rows of the table of labels."""

_LABEL_LIMIT = 120
_TICKS = 4


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram: its left edge, its height in percent of the tallest, and what it counts."""

    at: float
    height: float
    count: int
    label: str


@dataclass(frozen=True)
class Histogram:
    """Lengths of prompts; all splits are drawn on one scale.

    Attributes:
        bars: By split, one for each bin.
        totals: By split, how many prompts there are.
        width: Of a bin, in percent.
        ticks: On the axis of lengths.
    """

    bars: dict[str, list[Bar]]
    totals: dict[str, int]
    width: float
    ticks: list[Tick]

    @property
    def rows(self) -> list[tuple[Bar, ...]]:
        """By bin, the bars of all splits."""
        return list(zip(*self.bars.values(), strict=True))


@dataclass(frozen=True)
class Cell:
    """How often a label occurs in a split; the bar's width is in percent of the longest."""

    count: int
    share: str
    width: float


@dataclass(frozen=True)
class LabelTable:
    """The most frequent labels: `rows` of `total`, with a cell for each of `splits`, whose examples `sizes` counts."""

    splits: list[str]
    sizes: list[int]
    rows: list[tuple[Passage, list[Cell]]]
    total: int


def histogram(splits: Mapping[str, SplitSummary]) -> Histogram | None:
    """Returns how long the prompts are; None if there are none."""
    drawn = {name: split.histogram for name, split in splits.items() if any(split.histogram)}
    if not drawn:
        return None
    filled = [k for counts in drawn.values() for k, n in enumerate(counts) if n]
    bins = range(min(filled), max(filled) + 1)
    totals = {name: sum(counts) for name, counts in drawn.items()}
    tallest = max(n / totals[name] for name, counts in drawn.items() for n in counts)
    width = 100 / len(bins)
    bars: dict[str, list[Bar]] = {name: [] for name in drawn}
    for name, counts in drawn.items():
        for k in bins:
            n = counts[k] if k < len(counts) else 0
            height = 100 * n / totals[name] / tallest
            bars[name].append(Bar(_round(width * (k - bins[0])), _round(height), n, _lengths(k)))
    step = -(-len(bins) // _TICKS)
    ticks = [Tick(_round(width * (k - bins[0])), f"{_start(k):,}") for k in range(bins[0], bins[-1] + 2, step)]
    return Histogram(bars, totals, _round(width), ticks)


def label_table(splits: Mapping[str, SplitSummary]) -> LabelTable | None:
    """Returns how often each label occurs, the most frequent first; None if there are no labels."""
    counted = {name: split.labels for name, split in splits.items() if split.labels}
    if not counted:
        return None
    sums: dict[str, int] = {}
    for labels in counted.values():
        for label, n in labels.items():
            sums[label] = sums.get(label, 0) + n
    sizes = {name: sum(labels.values()) for name, labels in counted.items()}
    longest = max((n / (sizes[name] or 1) for name, labels in counted.items() for n in labels.values()), default=0) or 1
    rows = []
    for label in sorted(sums, key=lambda one: (-sums[one], one))[:LABELS_SHOWN]:
        shares = [(labels.get(label, 0), labels.get(label, 0) / (sizes[name] or 1)) for name, labels in counted.items()]
        cells = [Cell(n, _percent(share), _round(100 * share / longest)) for n, share in shares]
        rows.append((passage(label, _LABEL_LIMIT), cells))
    return LabelTable(list(counted), list(sizes.values()), rows, len(sums))


def _start(k: int) -> int:
    """Returns the shortest length in a bin."""
    return 2 ** (k - 1) if k else 0


def _lengths(k: int) -> str:
    low, high = _start(k), _start(k + 1) - 1
    return numbers.count(low, "character") if low == high else f"{low:,} to {high:,} characters"


def _percent(share: float) -> str:
    """Returns a share that is 0% or 100% only if it is exactly that."""
    if 0 < share < 0.0005:
        return "under 0.1%"
    return "over 99.9%" if 0.9995 <= share < 1 else numbers.percent(share)


def _round(place: float) -> float:
    return round(place, 2)
