"""Guards: what must not get worse by more than a little.

A guard holds if the interval of the change lies wholly on this side of what it allows: that nothing was lost must be
shown, as that something was gained (a test of non-inferiority: E. Christensen, "Methodology of superiority vs.
equivalence trials and non-inferiority trials", 2007). Where no example got worse, no resampling knows of a loss: the
guard holds, and its words say how often one could be and not have been seen (the exact bound of C. J. Clopper and
E. S. Pearson, 1934, for none in n).
"""

import difflib
from collections.abc import Iterator, Mapping

from gemini_sft.data.dataset import read_sources
from gemini_sft.data.findings import shown
from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES, Worlds
from gemini_sft.decision.comparison import Difference, Guarded, Verdict
from gemini_sft.decision.evidence import Evidence
from gemini_sft.decision.level import level
from gemini_sft.decision.paired import Paired
from gemini_sft.decision.power import enough, rounded, smallest
from gemini_sft.decision.ruling import CHAMPION, Ruling, against, examples, found, is_number, too_few
from gemini_sft.errors import ExperimentError, Problem
from gemini_sft.experiment import Experiment, Gate
from gemini_sft.experiment.schema import FAILURE_RATE, Guard

_VERDICTS = {True: Verdict.PROMOTE, False: Verdict.REJECT, None: Verdict.INCONCLUSIVE}
_SHOWN_VALUES = 8


def check_guards(experiment: Experiment, test_uri: str) -> None:
    """Checks that no guard is on a part of test that is too small to show anything, before anything is paid for.

    Args:
        experiment: With the gate.
        test_uri: The test split.

    Raises:
        ExperimentError: A value stands in no test example, or in too few; all problems at once.
    """
    guards = {f"gate.guards.{number}.slice": one.slice for number, one in enumerate(experiment.gate.guards)}
    if not any(guards.values()):
        return
    rows = list(read_sources(test_uri))
    slices = {row["id"]: row.get("slices") or {} for row in rows}
    groups = {row["id"]: row["group"] for row in rows if row.get("group") is not None}
    problems = [
        Problem(place, what)
        for place, slice_ in guards.items()
        if slice_
        for what in _too_small(slice_, slices, groups)
    ]
    if problems:
        raise ExperimentError(problems)


def _too_small(slice_: str, slices: Mapping[str, Mapping[str, str]], groups: Mapping[str, str]) -> Iterator[str]:
    column = slice_.partition("=")[0]
    for value, ids in _parts(slice_, slices).items():
        name, n = f"{column}={_plain(value)}", len({groups.get(one, one) for one in ids})
        if not ids:
            values = sorted({row[column] for row in slices.values() if column in row})
            yield f"{name}: no test example has it; {_instead(value, values)}"
        elif n < FEWEST_EXAMPLES:
            what = f"{examples(n, 'group')} of test examples" if groups else examples(n, "test example")
            mend = "give test more, or take the guard out"
            yield f"{name} has {what}, and a guard needs {FEWEST_EXAMPLES} to hold: {mend}"


def _instead(value: str, values: list[str]) -> str:
    if near := difflib.get_close_matches(value, values, n=1):
        return f"did you mean {_plain(near[0])}?"
    more = f" and {len(values) - _SHOWN_VALUES} more" if len(values) > _SHOWN_VALUES else ""
    return f"there are {', '.join(map(_plain, values[:_SHOWN_VALUES]))}{more}"


def _plain(value: str) -> str:
    return shown(value)[1:-1]


def _parts(slice_: str, slices: Mapping[str, Mapping[str, str]]) -> dict[str, set[str]]:
    """Returns the ids of the examples of each value that a guard is on; empty for a value that no example has.

    Args:
        slice_: `COLUMN=VALUE`, or `COLUMN` for each value.
        slices: The values that each example has, by its id.
    """
    column, equals, wanted = slice_.partition("=")
    values = {one: row[column] for one, row in slices.items() if column in row}
    # Of a column without a value there is one answer too, an open one: a guard must not vanish.
    chosen = [wanted] if equals else sorted(set(values.values())) or ["any value"]
    return {value: {one for one, has in values.items() if has == value} for value in chosen}


def guarded(gate: Gate, evidence: Evidence, paired: Paired, confidence: float) -> list[Guarded]:
    """Returns what became of every guard.

    Args:
        gate: Holds them.
        evidence: Knows slices and judge.
        paired: Candidate minus what is in use.
        confidence: Of the intervals.
    """
    found = [one for guard in gate.guards for one in _on_metric(guard, evidence, paired, confidence)]
    if evidence.champion_missing:
        found = [_unheld(one) for one in found]
    elif evidence.champion is not None:
        found = [one.model_copy(update={"words": f"{against(CHAMPION)}{one.words}"}) for one in found]
    if gate.min_win_rate is not None:
        found.append(_on_win_rate(gate.min_win_rate, evidence))
    return found


def _unheld(guard: Guarded) -> Guarded:
    """What would be lost with a champion that could not be evaluated, nobody knows."""
    words = f"{guard.what} is guarded, and the champion, against which it is held, could not be evaluated"
    return guard.model_copy(update={"difference": None, "held": None, "words": words})


def on_guards(guards: list[Guarded]) -> list[Ruling]:
    """Returns the answer of every guard."""
    return [Ruling(_VERDICTS[one.held], one.words) for one in guards]


def _on_metric(guard: Guard, evidence: Evidence, paired: Paired, confidence: float) -> Iterator[Guarded]:
    metric = guard.metric or evidence.primary
    name = "the failure rate" if metric == FAILURE_RATE else metric
    if guard.slice is None:
        yield _judge(guard, metric, name, paired, confidence)
        return
    column = guard.slice.partition("=")[0]
    for value, ids in _parts(guard.slice, evidence.slices).items():
        yield _judge(guard, metric, f"{name} where {column} is {value}", paired.part(ids), confidence)


def _judge(guard: Guard, metric: str, what: str, paired: Paired, confidence: float) -> Guarded:
    n = len(paired.ids)
    allowed = f"may get worse by {guard.max_drop:g} at most" if guard.max_drop else "must not get worse"
    difference, held = None, None
    if not n:
        words = f"{what} {allowed}, and there is no such test example"
    elif paired.independent < FEWEST_EXAMPLES:
        words = f"{what} {allowed}, and {examples(n)} cannot tell: {too_few(n, paired.independent)}"
    else:
        difference = paired.differences([metric], confidence)[metric]
        held, ending = _holds(difference, guard.max_drop)
        words = f"{found(what, difference, n)}: it {allowed}, and {ending}"
        hidden = 1 - ((1 - confidence) / 2) ** (1 / paired.independent)
        if held and not difference.losses and hidden > guard.max_drop:
            words += f", for none got worse; so few examples would hide a loss in up to {hidden:.0%} of all"
        if held is None:
            words += _enough(difference, paired.worlds([metric]), n, guard.max_drop)
    return Guarded(what=what, limit=guard.max_drop, n=n, difference=difference, held=held, words=words)


def _holds(difference: Difference, max_drop: float) -> tuple[bool | None, str]:
    _, low, high = difference.gain
    if not is_number(difference):
        return None, "could not be computed for every example"
    if low >= -max_drop:
        return True, "that holds"
    if high < -max_drop:
        return False, "that does not hold"
    return None, "these examples cannot tell whether that holds"


def _enough(difference: Difference, resampled: Worlds, n: int, max_drop: float) -> str:
    """Says how many examples would show that a guard holds, if the change is the one that was seen."""
    margin, detectable = difference.gain[0] + max_drop, smallest(resampled, 0, difference.confidence)
    needed = enough(n, detectable, margin) if detectable and margin > 0 else None
    return f"; about {rounded(needed):,} would, if the change is as it was here" if needed else ""


def _on_win_rate(least: float, evidence: Evidence) -> Guarded:
    judge, what = evidence.judge, "the judge's win rate"
    asked = f"must be at least {least:g}"
    if judge is None or judge.tally.win_rate is None or judge.low is None or judge.high is None:
        why = "the judge's verdicts are missing" if judge is None else "too few of its verdicts can be used"
        return Guarded(what=what, limit=least, n=0, difference=None, held=None, words=f"{what} {asked}, and {why}")
    held: bool | None = None
    if judge.biased:
        ending = "the judge went by the place of an answer too often to be relied on"
    elif judge.low >= least:
        held, ending = True, "that holds"
    elif judge.high < least:
        held, ending = False, "that does not hold"
    else:
        ending = "these pairs cannot tell whether that holds"
    stated = f"{what} is {judge.tally.win_rate:.4f} over {judge.tally.n} pairs"
    words = (
        f"{stated}, {level(judge.confidence)} interval [{judge.low:.4f}, {judge.high:.4f}]: it {asked}, and {ending}"
    )
    return Guarded(what=what, limit=least, n=judge.tally.n, difference=None, held=held, words=words)
