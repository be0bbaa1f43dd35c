"""What a test split of some size can see, and how large it would have to be.

The usual reckoning with normal approximation (J. Cohen, "Statistical Power Analysis for the Behavioral Sciences",
1988), from the standard error that the bootstrap found: a true gain is shown with probability `POWER` if it is so many
standard errors beyond what must be exceeded.
"""

import math

from gemini_sft.decision.bootstrap import Worlds
from gemini_sft.decision.comparison import Difference, Power

POWER = 0.8
_MOST = 10_000_000


def power(difference: Difference, resampled: Worlds, column: int, n: int, min_gain: float) -> Power | None:
    """Returns what `n` examples can see, and how many the gain would need.

    The gain is the one that was seen, if it is beyond what was asked; else the one that was asked.

    Args:
        difference: Of the deciding metric.
        resampled: Its worlds.
        column: Its column there.
        n: How many examples there are.
        min_gain: What was asked.

    Returns:
        None if nothing varies, or there are no numbers.
    """
    detectable = smallest(resampled, column, difference.confidence)
    if detectable is None:
        return None
    seen = difference.gain[0]
    gain, margin = (seen, seen - min_gain) if seen > min_gain else (min_gain, min_gain)
    if margin <= 0:
        return Power(detectable=detectable)
    return Power(detectable=detectable, gain=gain, needed=enough(n, detectable, margin))


def smallest(resampled: Worlds, column: int, confidence: float) -> float | None:
    """Returns the smallest true difference that is shown with probability `POWER`; None if nothing varies."""
    from scipy.special import ndtri

    error = resampled.deviation(column)
    if not math.isfinite(error) or error <= 0:
        return None
    return float(ndtri(1 - (1 - confidence) / 2) + ndtri(POWER)) * error


def enough(n: int, detectable: float, margin: float) -> int | None:
    """Returns how many examples show a difference as large as `margin`, if `n` of them show `detectable`.

    None if they are more than anybody has.
    """
    needed = n * (detectable / margin) ** 2
    return math.ceil(needed) if needed <= _MOST else None


def words(found: Power, n: int, min_gain: float) -> str:
    """Says it in a sentence without its stop."""
    said = f"{n} test examples show a gain of {found.detectable:.2g} in four of five cases"
    if found.gain is None:
        return said
    seen = found.gain > min_gain
    which = "as was seen here" if seen else "as was asked"
    beyond = f"the {min_gain:g} that was asked" if min_gain and seen else "zero"
    needed = f"about {rounded(found.needed):,}" if found.needed else f"more than {_MOST:,}"
    return f"{said}; {needed} would show that one of {found.gain:.2g}, {which}, is more than {beyond}"


def rounded(n: int) -> int:
    """Returns the next number of two digits and zeros: the reckoning knows no more."""
    unit: int = 10 ** max(len(str(n)) - 2, 0)
    return -(-n // unit) * unit
