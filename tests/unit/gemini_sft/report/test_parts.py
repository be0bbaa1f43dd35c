import math

import pytest

from gemini_sft.decision import Difference
from gemini_sft.report import numbers
from gemini_sft.report.axis import Axis
from gemini_sft.report.text import passage, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nhere", "plain\ttext\nhere"),
        ("line\r\nline", "line\nline"),
        ("a\x00b\x1b\x7f\x85", "a\u2400b\u241b\u2421[U+0085]"),
        ("\u202eabc\u2066\u2028", "[U+202E]abc[U+2066][U+2028]"),
        ("\u05d0\u200f \U0001f468\u200d\U0001f469", "\u05d0\u200f \U0001f468\u200d\U0001f469"),
        ("\ud83d\uffff", "\ufffd[U+FFFF]"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_a_passage_says_what_it_hides_and_folds_what_is_long() -> None:
    one = passage("word " * 1000, 4000)
    assert (len(one.text), one.hidden) == (4000, 1000)
    head, rest = one.folded
    assert 600 <= len(head) <= 700 and len(head) + len(rest) in (3999, 4000)
    assert passage("short", 4000).folded == ("short", "")


@pytest.mark.parametrize(
    ("value", "written"), [(0.04123, "+0.0412"), (-0.5, "\u22120.5000"), (0.0, "0.0000"), (math.nan, "not computable")]
)
def test_signed(value: float, written: str) -> None:
    assert numbers.signed(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "not reported"), (4.25, "4.2 s"), (59.4, "59 s"), (1457, "24 min 17 s"), (7260, "2 h 1 min")],
)
def test_duration(seconds: float, written: str) -> None:
    assert numbers.duration(seconds) == written


@pytest.mark.parametrize(
    ("value", "written"), [(0.95, "95%"), (0.999, "99.9%"), (1 / 3, "33.3%"), (math.inf, "not computable")]
)
def test_percent(value: float, written: str) -> None:
    assert numbers.percent(value) == written


@pytest.mark.parametrize("values", [(0.0,), (0.2, 0.4), (-0.0004, -0.0001), (-1.0, 1.0), (math.nan, 0.1), (1e-9,)])
def test_an_axis_shows_zero_and_every_value(values: tuple[float, ...]) -> None:
    axis = Axis.around(values)
    assert all(0 < axis.at(value) < 100 for value in (*values, 0.0) if math.isfinite(value))
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 8 and [tick.label for tick in ticks].count("0") == 1
    assert len({tick.label for tick in ticks}) == len(ticks)


@pytest.mark.parametrize(
    ("axis", "ends"),
    [
        (Axis(-0.0127, 0.3456), ("−0.013", "+0.346")),
        (Axis(-1.12, 1.12), ("−1.12", "+1.12")),
        (Axis(-0.00053, 0.00853), ("−0.00053", "+0.00853")),
        (Axis(-120.4, 5.2), ("−120", "+5")),
    ],
)
def test_an_axis_tells_its_ends(axis: Axis, ends: tuple[str, str]) -> None:
    assert axis.ends() == ends


def test_an_interval_keeps_its_order() -> None:
    difference = Difference(mean=0.04, low=0.01, high=0.07, confidence=0.95, won=0.99, wins=3, ties=1, losses=1)
    plot = Axis.around((0.01, 0.07, 0.02)).interval(difference, 0.02)
    assert plot is not None and plot.asked is not None
    assert plot.zero < plot.low < plot.asked < plot.mean < plot.high
