"""Guards: what must not get worse by more than a little.

A guard holds if the interval of the change lies wholly on this side of what it allows: that nothing was lost must be
shown, as that something was gained (a test of non-inferiority: E. Christensen, "Methodology of superiority vs.
equivalence trials and non-inferiority trials", 2007).
"""

from collections.abc import Iterator

from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES
from gemini_sft.decision.comparison import Guarded, Verdict
from gemini_sft.decision.evidence import Evidence
from gemini_sft.decision.paired import Paired
from gemini_sft.decision.ruling import Ruling, changed, is_number, level, span
from gemini_sft.experiment import Gate
from gemini_sft.experiment.schema import FAILURE_RATE, Guard

_VERDICTS = {True: Verdict.PROMOTE, False: Verdict.REJECT, None: Verdict.INCONCLUSIVE}


def guarded(gate: Gate, evidence: Evidence, paired: Paired, confidence: float) -> list[Guarded]:
    """Returns what became of every guard.

    Args:
        gate: Holds them.
        evidence: Knows slices and judge.
        paired: Candidate minus what is in use.
        confidence: Of the intervals.
    """
    found = [one for guard in gate.guards for one in _on_metric(guard, evidence, paired, confidence)]
    if gate.min_win_rate is not None:
        found.append(_on_win_rate(gate.min_win_rate, evidence))
    return found


def on_guards(guards: list[Guarded]) -> list[Ruling]:
    """Returns the answer of every guard."""
    return [Ruling(_VERDICTS[one.held], one.words) for one in guards]


def _on_metric(guard: Guard, evidence: Evidence, paired: Paired, confidence: float) -> Iterator[Guarded]:
    metric = guard.metric or evidence.primary
    name = "the failure rate" if metric == FAILURE_RATE else metric
    if guard.slice is None:
        yield _judge(guard, metric, name, paired, confidence)
        return
    column, equals, wanted = guard.slice.partition("=")
    values = {one: row[column] for one, row in evidence.slices.items() if column in row}
    for value in [wanted] if equals else sorted(set(values.values())):
        ids = {one for one, has in values.items() if has == value}
        yield _judge(guard, metric, f"{name} where {column} is {value}", paired.part(ids), confidence)


def _judge(guard: Guard, metric: str, what: str, paired: Paired, confidence: float) -> Guarded:
    n = len(paired.ids)
    if paired.independent < FEWEST_EXAMPLES:
        words = f"{what} is guarded, and {n} examples tell nothing of it: {FEWEST_EXAMPLES} are the least"
        return Guarded(what=what, limit=guard.max_drop, n=n, difference=None, held=None, words=words)
    difference = paired.differences([metric], confidence)[metric]
    _, low, high = difference.gain
    held = low >= -guard.max_drop
    lost = high < -guard.max_drop
    worse = f"{'rise' if difference.lower_is_better else 'drop'} by {guard.max_drop:g}"
    stated = f"{what} {changed(difference)} over {n} examples, {level(confidence)} interval {span(difference)}"
    if not is_number(difference):
        ending, held, lost = "it could not be computed for every example", False, False
    elif held:
        ending = f"it may {worse} and does not"
    elif lost:
        ending = f"it may {worse} at most"
    else:
        ending = f"it may {worse}, and these examples cannot exclude that it does more"
    return Guarded(
        what=what,
        limit=guard.max_drop,
        n=n,
        difference=difference,
        held=True if held else False if lost else None,
        words=f"{stated}: {ending}",
    )


def _on_win_rate(least: float, evidence: Evidence) -> Guarded:
    judge, what = evidence.judge, "the judge's win rate"
    if judge is None or judge.tally.win_rate is None or judge.low is None or judge.high is None:
        words = f"{what} must be at least {least:g}, and there is none, or none with an interval"
        return Guarded(what=what, limit=least, n=0, difference=None, held=None, words=words)
    stated = f"{what} is {judge.tally.win_rate:.4f} of {judge.tally.n} pairs"
    stated += f", {level(judge.confidence)} interval [{judge.low:.4f}, {judge.high:.4f}]"
    if judge.biased:
        held, ending = None, "the judge went by the place of an answer too often to be relied on"
    elif judge.low >= least:
        held, ending = True, f"it must be at least {least:g} and is"
    elif judge.high < least:
        held, ending = False, f"it must be at least {least:g}"
    else:
        held, ending = None, f"it must be at least {least:g}, and these pairs cannot tell"
    return Guarded(what=what, limit=least, n=judge.tally.n, difference=None, held=held, words=f"{stated}: {ending}")
