"""The test examples in parts, by the columns that the experiment names."""

from dataclasses import dataclass

from gemini_sft.decision import Slice
from gemini_sft.decision.level import level
from gemini_sft.report import numbers
from gemini_sft.report.axis import Axis, IntervalPlot
from gemini_sft.report.input import ReportInput
from gemini_sft.report.text import Passage, passage

_VALUE_LIMIT = 80


@dataclass(frozen=True)
class SliceRow:
    """One part; without a plot it has too few examples for an interval. `reading` says what the interval means."""

    value: Passage
    n: int
    before: str
    tuned: str
    gain: str
    span: str
    plot: IntervalPlot | None
    reading: str
    lost: bool


@dataclass(frozen=True)
class SliceView:
    """All parts, by column, drawn on one scale with these ends; `few` have too few examples, `lost` clearly lost.

    `before` is what the tuned model is compared with: Base or Champion.
    """

    before: str
    columns: dict[str, list[SliceRow]]
    scale: tuple[str, str]
    confidence: str
    few: int
    lost: list[str]


def slice_view(data: ReportInput) -> SliceView | None:
    """Returns the test examples in parts; None if the experiment names no columns."""
    slices = data.comparison.slices
    if not slices:
        return None
    axis = Axis.around([end for one in slices if one.difference for end in one.difference.gain])
    columns: dict[str, list[SliceRow]] = {}
    for one in slices:
        columns.setdefault(one.column, []).append(_row(one, axis))
    return SliceView(
        before="Champion" if data.comparison.champion else "Base",
        columns=columns,
        scale=axis.ends(),
        confidence=level(data.comparison.confidence),
        few=sum(one.difference is None for one in slices),
        lost=[f"{one.column} = {one.value}" for one in slices if is_lost(one)],
    )


def is_lost(one: Slice) -> bool:
    """Returns whether the tuned model is clearly worse in a part: the interval of its gain lies wholly below zero."""
    return one.difference is not None and one.difference.gain[2] < 0


def _row(one: Slice, axis: Axis) -> SliceRow:
    gain, low, high = one.difference.gain if one.difference else (None, None, None)
    return SliceRow(
        value=passage(one.value or "(empty)", _VALUE_LIMIT),
        n=one.n,
        before=numbers.score(one.before),
        tuned=numbers.score(one.candidate),
        gain=numbers.NOTHING if gain is None else numbers.signed(gain),
        span=numbers.NOTHING if low is None or high is None else numbers.span(low, high),
        plot=axis.interval(one.difference) if one.difference else None,
        reading="too few examples" if one.difference is None else numbers.reading(one.difference.gain),
        lost=is_lost(one),
    )
