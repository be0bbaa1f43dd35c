"""One question that the gate asks, and its answer."""

import math
from dataclasses import dataclass

from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES
from gemini_sft.decision.comparison import Difference, Verdict
from gemini_sft.decision.level import level

CHAMPION = "the champion"
"""How sentences speak of it."""


@dataclass(frozen=True)
class Ruling:
    """An answer, and why, in words: a sentence without its stop."""

    verdict: Verdict
    words: str


def together(rulings: list[Ruling]) -> Verdict:
    """Returns what follows from all answers: one against is against, one that is open leaves it open."""
    verdicts = {one.verdict for one in rulings}
    return next((one for one in (Verdict.REJECT, Verdict.INCONCLUSIVE) if one in verdicts), Verdict.PROMOTE)


def on_gain(metric: str, difference: Difference, min_gain: float, n: int, independent: int, whom: str = "") -> Ruling:
    """Rules on the deciding metric: only an interval that lies wholly beyond what was asked is for the candidate.

    Args:
        metric: Its name.
        difference: Candidate minus the other model.
        min_gain: What was asked.
        n: How many examples there are.
        independent: How many of them, or of their clusters, are independent.
        whom: The other model in words; empty if there is only one that can be meant.
    """
    if not is_number(difference):
        return Ruling(Verdict.INCONCLUSIVE, f"{against(whom)}{metric} could not be computed for every example")
    less = difference.lower_is_better
    named = f"{metric}, of which less is better," if less else metric
    stated = f"{against(whom)}{found(named, difference, n)}"
    beyond, short = ("below", "above") if less else ("above", "below")
    asked = f"{beyond} zero"
    if min_gain:
        asked = f"beyond the {'fall' if less else 'gain'} of {min_gain:g} that was asked"
    _, low, high = difference.gain
    if independent < FEWEST_EXAMPLES:
        return Ruling(Verdict.INCONCLUSIVE, f"{stated}: {too_few(n, independent)}")
    if low > min_gain:
        return Ruling(Verdict.PROMOTE, f"{stated}: it lies wholly {asked}")
    if high < 0:
        return Ruling(Verdict.REJECT, f"{stated}: it lies wholly {short} zero, the tuned model is worse")
    if high <= min_gain:
        return Ruling(Verdict.REJECT, f"{stated}: it does not reach {asked}")
    return Ruling(Verdict.INCONCLUSIVE, f"{stated}: it lies only partly {asked}, so these examples cannot tell")


def is_number(difference: Difference) -> bool:
    """Returns whether a difference could be computed."""
    return all(map(math.isfinite, (difference.mean, difference.low, difference.high)))


def against(whom: str) -> str:
    """Returns the beginning of a sentence about another model."""
    return f"against {whom}, " if whom else ""


def found(what: str, difference: Difference, n: int) -> str:
    """Returns by how much something changed, of how many examples and how surely."""
    return (
        f"{what} changed by {difference.mean:+.4f} over {examples(n)}, {level(difference.confidence)} interval"
        f" [{difference.low:+.4f}, {difference.high:+.4f}]"
    )


def examples(n: int, noun: str = "example") -> str:
    """Returns how many examples there are, one of them in the singular."""
    return f"{n} {noun}{'s' * (n != 1)}"


def too_few(n: int, independent: int) -> str:
    """Returns why so few examples, or groups of them, decide nothing."""
    what = "examples" if independent == n else "groups of examples that belong together"
    return f"fewer than {FEWEST_EXAMPLES} {what} decide nothing"
