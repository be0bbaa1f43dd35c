"""Whether the champion is still as good as it was.

Its evaluation of today is held against the one with which it was promoted. The test examples may be others by now. So
both means are resampled together, over all examples that either evaluation has: where both have an example, chance
moves both means alike, which is the paired comparison; where they share none, it is the one of two samples. Examples
that belong together are drawn together.
"""

import math
from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from gemini_sft.cost.words import counted
from gemini_sft.decision.bootstrap import DIGITS, FEWEST_EXAMPLES, Worlds, resampled
from gemini_sft.decision.level import level
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.retraining.reference import Reference

FALLEN = "the champion has fallen"


class State(StrEnum):
    """What a recheck came to.

    Attributes:
        HELD: It is not shown that the champion has fallen by more than is allowed.
        FALLEN: That is shown.
        UNKNOWN: There is nothing to compare, or nobody to ask.
    """

    HELD = "held"
    FALLEN = "fallen"
    UNKNOWN = "unknown"


class Recheck(BaseModel):
    """What a recheck came to, and why; numbers are None where there are none.

    Attributes:
        state: What it came to.
        reasons: Why, in sentences without their stops.
        alarms: What somebody must know, likewise.
        metric: The one that decides.
        then: Its mean when the champion was promoted.
        now: Its mean on today's test examples.
        change: `now` less `then`.
        low: Lower end of the change's bootstrap interval.
        high: Upper end.
        confidence: Of that interval: what the gate asks for, corrected for the number of looks.
        looks: How many rechecks of the champion there were on other examples each time, this one included.
        n_then: How many examples the champion was asked then.
        n_now: How many today.
        paired: How many of them are the same.
        seen: How many of today's test examples were left out, because the champion was tuned on them.
        max_drop: By how much it may have got worse.
        lower_is_better: Whether less of the metric is better.
        served_by: What answered today, in the service's own words; empty if nothing did.
        model: Resource name of the champion, with its version; empty if there is none.
        report: URI of the page of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: State
    reasons: list[str]
    alarms: list[str]
    metric: str
    then: float | None = None
    now: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float
    looks: int = 1
    n_then: int = 0
    n_now: int = 0
    paired: int = 0
    seen: int = 0
    max_drop: float = 0.0
    lower_is_better: bool = False
    served_by: str = ""
    model: str
    report: str = ""

    def numbers(self) -> dict[str, float]:
        """Returns the numbers that are shown as Metrics."""
        known = {"then": self.then, "now": self.now, "change": self.change, "low": self.low, "high": self.high}
        counts = {"examples_then": self.n_then, "examples_now": self.n_now, "examples_in_both": self.paired}
        return {name: value for name, value in known.items() if value is not None} | counts


class Change:
    """The mean of a metric on some examples, less its mean on others, of which some may be the same.

    Args:
        then: The metric of each example of the one evaluation, by its id.
        now: Of the other.
        groups: What examples belong to, by their ids; those that are missing stand for themselves.
    """

    def __init__(self, then: Mapping[str, float], now: Mapping[str, float], groups: Mapping[str, str]) -> None:
        self._then, self._now, self._groups = then, now, groups

    @property
    def mean(self) -> float:
        """The change."""
        return math.fsum(self._now.values()) / len(self._now) - math.fsum(self._then.values()) / len(self._then)

    @property
    def independent(self) -> int:
        """How many examples, or groups of them, the smaller of the two has."""
        return min(len({self._groups.get(one, one) for one in side}) for side in (self._then, self._now))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Returns the lower and upper end between which the change lies; NaN if that is no number in some world."""
        return self._worlds.interval(0, confidence)

    @cached_property
    def _worlds(self) -> Worlds:
        ids = sorted({*self._then, *self._now})
        rows = np.zeros((len(ids), 4))
        for row, one in zip(rows, ids, strict=True):
            for place, side in enumerate((self._then, self._now)):
                if one in side:
                    row[2 * place : 2 * place + 2] = side[one], 1.0
        clusters = [self._groups.get(one, one) for one in ids] if self._groups else None
        found = resampled(rows, _change, clusters).means
        # A world that has drawn no example of one side says nothing. Those of scores that are no numbers stay.
        lost = np.isneginf(found[:, 0])
        return Worlds(found[~lost], self.independent)


def _change(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    then, has_then, now, has_now = sums.T
    empty = (has_then == 0) | (has_now == 0)
    one = np.where(empty, 1.0, 0.0)
    change = now / (has_now + one) - then / (has_then + one)
    return np.asarray(np.where(empty, -np.inf, change))[:, None]


def recheck(
    reference: Reference,
    today: EvaluationResult,
    groups: Mapping[str, str],
    *,
    metric: str,
    lower_is_better: bool,
    confidence: float,
    max_drop: float,
    model: str,
    looks: int = 1,
    seen: Collection[str] = (),
) -> Recheck:
    """Holds the champion's evaluation of today against an earlier one, which has the metric too.

    The k-th look leaves a k-th part of the doubt: who looks every week finds a bad one by chance.

    Args:
        reference: The earlier one.
        today: That of today.
        groups: What today's examples belong to, by their ids.
        metric: The one that decides.
        lower_is_better: Whether less of it is better.
        confidence: Of the interval, of a single look.
        max_drop: By how much it may have got worse.
        model: Resource name of the champion.
        looks: How many there were, this one included.
        seen: Ids of examples that the champion was tuned on: they say nothing of it, and are left out.
    """
    before, after = (
        {one: scores[metric] for one, scores in side.scores.items() if one not in seen}
        for side in (reference.evaluation, today)
    )
    left_out = len(today.scores) - len(after)
    common: dict[str, Any] = {
        "metric": metric,
        "looks": looks,
        "n_then": len(before),
        "n_now": len(after),
        "seen": left_out,
        "max_drop": max_drop,
        "lower_is_better": lower_is_better,
        "served_by": today.served_by,
        "model": model,
    }
    why = [_left_out(left_out)] if left_out else []
    if not before or not after:
        return Recheck(state=State.UNKNOWN, reasons=why, alarms=[], confidence=confidence, **common)
    asked, confidence = confidence, 1 - (1 - confidence) / looks
    both = before.keys() & after.keys()
    change = Change(before, after, {**reference.groups, **groups})
    mean, (low, high) = round(change.mean, DIGITS), change.interval(confidence)
    known = bool(np.isfinite([mean, low, high]).all())
    since = "it was promoted" if reference.promoted else f"run {reference.run_id} asked it first"
    sign = -1 if lower_is_better else 1
    worst, best = (-high, -low) if lower_is_better else (low, high)
    reasons, alarms, state = [], [], State.UNKNOWN
    if not known:
        reasons.append(f"{metric} could not be computed for every example")
    elif change.independent < FEWEST_EXAMPLES:
        reasons.append(f"fewer than {FEWEST_EXAMPLES} examples, or groups of them, decide nothing")
    else:
        state = State.FALLEN if best < -max_drop else State.HELD
        reasons.append(
            f"{metric} of the champion changed by {mean:+.4f} since {since}, {level(confidence)} interval"
            f" [{low:+.4f}, {high:+.4f}], {_whom(before, after, len(both))}"
        )
        same = change.independent if len(both) == len(before) == len(after) else 0
        reasons.append(_drop(state, worst, best, max_drop, same, confidence))
        if looks > 1:
            reasons.append(_held_to(looks, asked, confidence))
            alone = sorted(sign * end for end in change.interval(asked))
            if state is State.HELD and alone[1] < -max_drop:
                reasons.append(f"by itself, at {level(asked)}, it would say that the champion has fallen: watch it")
        if both and len(both) < max(len(before), len(after)):
            shared = math.fsum(after[one] - before[one] for one in both) / len(both)
            reasons.append(f"over the {counted(len(both), 'example')} in both it changed by {shared:+.4f}")
    if state is State.FALLEN:
        alarms.append(f"{FALLEN}: {metric} is worse by {-sign * mean:.4f}, {reasons[1]}")
    return Recheck(
        state=state,
        reasons=[*reasons, *why],
        alarms=alarms,
        then=_number(_mean(before)),
        now=_number(_mean(after)),
        change=_number(mean),
        low=_number(low),
        high=_number(high),
        confidence=confidence,
        paired=len(both),
        **common,
    )


def _mean(scores: Mapping[str, float]) -> float:
    """Returns it to the last digit as an evaluation has it."""
    return sum(scores.values()) / len(scores)


def _left_out(n: int) -> str:
    is_, on = ("is", "it") if n == 1 else ("are", "them")
    return f"{counted(n, 'test example')} {is_} left out, because the champion was tuned on {on}"


def _held_to(looks: int, asked: float, confidence: float) -> str:
    return (
        f"it is number {looks} of the rechecks of this champion, each on other examples, so it is held to"
        f" {level(confidence)} instead of {level(asked)}"
    )


def _whom(before: Mapping[str, float], after: Mapping[str, float], both: int) -> str:
    if both == len(before) == len(after):
        return f"over the same {counted(both, 'example')}"
    return f"over {counted(len(after), 'example')} today and {len(before):,} then, {both:,} of them in both"


def _drop(state: State, worst: float, best: float, max_drop: float, same: int, confidence: float) -> str:
    """Says how large the drop is at least, or can be at most; `same` is the number of groups if all was asked twice."""
    if state is State.FALLEN:
        return f"the drop is at least {-best:.4f}, and {f'{max_drop:g} is' if max_drop else 'none is'} allowed"
    said = f"no drop of more than {max_drop:g} is shown" if max_drop else "no drop is shown"
    if worst < 0:
        return f"{said}, and these examples could hide one of up to {-worst:.4f}"
    if not same:
        return said
    # None got worse: the exact bound for none in n, as for guards.
    hidden = 1 - ((1 - confidence) / 2) ** (1 / same)
    return f"{said}, and so few examples could hide a loss in up to {hidden:.0%} of all"


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def unknown(
    *,
    reasons: list[str],
    alarms: list[str],
    metric: str,
    confidence: float,
    model: str,
    now: float | None,
    n_now: int,
    served_by: str,
) -> Recheck:
    """Returns a recheck that came to nothing."""
    return Recheck(
        state=State.UNKNOWN,
        reasons=reasons,
        alarms=alarms,
        metric=metric,
        confidence=confidence,
        model=model,
        now=now,
        n_now=n_now,
        served_by=served_by,
    )
