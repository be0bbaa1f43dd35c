"""How numbers are written. What is not a number is never written as one."""

import math

NO_NUMBER = "not computable"
NOTHING = "–"
"""For what there is nothing to compute from, and for the interval of what has none."""
_MINUS = "\u2212"


def score(value: float) -> str:
    """Returns a score in [0, 1] with four digits, as many as the reasons of a verdict have."""
    return f"{value:.4f}".replace("-", _MINUS) if math.isfinite(value) else NO_NUMBER


def signed(value: float) -> str:
    """Returns a difference of scores with its sign; exactly zero has none."""
    if not math.isfinite(value):
        return NO_NUMBER
    return f"{value:+.4f}".replace("-", _MINUS) if value else "0.0000"


def span(low: float, high: float) -> str:
    """Returns an interval of differences."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return NO_NUMBER
    return f"{signed(low)} to {signed(high)}"


def plain(value: float) -> str:
    """Returns a number of unknown size with four significant digits."""
    return f"{value:.4g}".replace("-", _MINUS) if math.isfinite(value) else NO_NUMBER


def percent(value: float, digits: int = 1) -> str:
    """Returns a share in [0, 1]; a level such as 0.95 gets no digits that it does not have."""
    return f"{value * 100:.{digits}f}".removesuffix(".0") + "%" if math.isfinite(value) else NO_NUMBER


def reading(gain: tuple[float, float, float]) -> str:
    """Returns what a gain means, given with the lower and the upper end of its interval; empty if it is no number."""
    _, low, high = gain
    if low > 0:
        return "\u25b2 better"
    if high < 0:
        return "\u25bc worse"
    return "= no clear change" if low <= 0 <= high else ""


def count(value: int, noun: str = "") -> str:
    """Returns a whole number with thousands apart and, if given, its noun in the right number."""
    if not noun:
        return f"{value:,}"
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def duration(seconds: float) -> str:
    """Returns a time in its two largest units; none if it is not known."""
    if not math.isfinite(seconds) or seconds <= 0:
        return "not reported"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
