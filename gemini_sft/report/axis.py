"""Where things stand on a horizontal axis, in percent of its width, so that a drawing fits every screen."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gemini_sft.decision import Difference

_MARGIN = 0.06
_TICKS = 5


@dataclass(frozen=True)
class Tick:
    """A labelled place on the axis."""

    at: float
    label: str


@dataclass(frozen=True)
class IntervalPlot:
    """A gain with its interval, drawn against zero and against what was asked; places in percent.

    Attributes:
        low: Lower end of the interval.
        mean: The gain.
        high: Upper end of the interval.
        zero: No change.
        asked: The gain that was asked; None where none was.
    """

    low: float
    mean: float
    high: float
    zero: float
    asked: float | None


@dataclass(frozen=True)
class Axis:
    """A scale from `start` to `end`."""

    start: float
    end: float

    @classmethod
    def around(cls, values: Iterable[float]) -> "Axis":
        """Returns an axis that shows zero and every finite value, with some air around them."""
        return cls.spanning([*values, 0.0])

    @classmethod
    def spanning(cls, values: Iterable[float]) -> "Axis":
        """Returns an axis that shows every finite value, of which there must be one, with some air around them."""
        finite = [value for value in values if math.isfinite(value)]
        low, high = min(finite), max(finite)
        air = (high - low) * _MARGIN or 0.01
        return cls(low - air, high + air)

    def within(self, least: float, most: float) -> "Axis":
        """Returns the axis without the air beyond what values can be."""
        return Axis(max(self.start, least), min(self.end, most))

    def at(self, value: float) -> float:
        """Returns the place of a value, in percent."""
        return round(100 * (value - self.start) / (self.end - self.start), 2)

    def ticks(self) -> list[Tick]:
        """Returns about five round values, zero among them."""
        rough = (self.end - self.start) / _TICKS
        magnitude: float = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough * 0.999)
        digits = max(0, -math.floor(math.log10(step)))
        first, last = math.ceil(self.start / step), math.floor(self.end / step)
        return [Tick(self.at(n * step), _label(n * step, digits)) for n in range(first, last + 1)]

    def ends(self) -> tuple[str, str]:
        """Returns start and end in words, to about a hundredth of the width."""
        digits = max(0, 2 - math.floor(math.log10(self.end - self.start)))
        return _label(self.start, digits), _label(self.end, digits)

    def interval(self, difference: Difference, asked: float | None = None) -> IntervalPlot | None:
        """Returns the drawing of a difference, better to the right whichever way that is; None without numbers."""
        return self.span(*difference.gain, asked)

    def span(self, mean: float, low: float, high: float, asked: float | None = None) -> IntervalPlot | None:
        """Returns the drawing of an interval; None without numbers."""
        if not all(map(math.isfinite, (mean, low, high))):
            return None
        mean, low, high = map(self.at, (mean, low, high))
        return IntervalPlot(low, mean, high, self.at(0.0), None if asked is None else self.at(asked))


def _label(value: float, digits: int) -> str:
    return f"{value:+.{digits}f}".replace("-", "\u2212") if round(value, digits) else "0"
