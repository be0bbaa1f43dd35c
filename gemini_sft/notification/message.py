"""What is told of a run, in the form that Slack's webhooks take: a text, and the same in blocks.

The limits are those of https://docs.slack.dev/reference/block-kit and the escapes those of
https://docs.slack.dev/messaging/formatting-message-text. Nothing of the data is in it: of an error only its class and
its task are, since its text may repeat what a service said of a prompt.
"""

import re
from dataclasses import dataclass
from typing import Any

from gemini_sft.decision.level import level
from gemini_sft.decision.outcome import Outcome
from gemini_sft.experiment import Experiment
from gemini_sft.report.numbers import NO_NUMBER, score, signed, span
from gemini_sft.retraining.plan import Path, Plan
from gemini_sft.retraining.recheck import FALLEN, Recheck, State

_TITLE = 150
_LINE = 500
_REASONS = 5
_STATES = {
    "SUCCEEDED": "the run ended without a verdict",
    "FAILED": "the run failed",
    "CANCELLED": "the run was cancelled",
}
_RECHECKED = {
    State.HELD: "champion held",
    State.FALLEN: FALLEN,
    State.UNKNOWN: "nothing is known of the champion",
}
_FAILED = re.compile(r"The failed tasks are: \[([\w ,.-]{1,1000})\]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@dataclass(frozen=True)
class Told:
    """What a run found out; None for what it did not come to.

    Attributes:
        outcome: The verdict.
        plan: Of a run to retrain, what it chose to do.
        recheck: What became of the champion.
    """

    outcome: Outcome | None = None
    plan: Plan | None = None
    recheck: Recheck | None = None

    @property
    def ending(self) -> str:
        """What came of the run, in the few words of a title; empty if nothing did."""
        if self.outcome:
            return self.outcome.verdict
        if self.recheck:
            return _RECHECKED[self.recheck.state]
        return "skipped" if self.plan and self.plan.path is Path.SKIP else ""

    @property
    def alarms(self) -> list[str]:
        """What somebody must know, each thing once."""
        found = [*(self.recheck.alarms if self.recheck else []), *(self.plan.alarms if self.plan else [])]
        return list(dict.fromkeys(found))

    @property
    def report(self) -> str:
        """Where the report is; empty if there is none."""
        found = self.outcome or self.recheck
        return found.report if found else ""


def title(name: str, state: str, told: Told) -> str:
    """Returns how a run ended, in one line.

    Args:
        name: Of the experiment.
        state: How its tasks ended: `SUCCEEDED`, `FAILED` or `CANCELLED`.
        told: What it found out.
    """
    ending = _STATES.get(state, f"the run ended as {state}")
    if told.ending:
        ending = told.ending if state == "SUCCEEDED" else f"{told.ending}, but {ending}"
    return f"{'ALARM ' if told.alarms else ''}{name}: {ending}"


def message(experiment: Experiment, run_id: str, link: str, state: str, error: str, told: Told) -> dict[str, Any]:
    """Returns how a run ended, as Slack's incoming webhooks take it.

    Args:
        experiment: Whose run it is.
        run_id: Of the run.
        link: Where it can be looked at.
        state: How its tasks ended: `SUCCEEDED`, `FAILED` or `CANCELLED`.
        error: What the service says of the failure; empty if there was none.
        told: What the run found out.

    Returns:
        `text`, for notices and for services that know no blocks, and `blocks` of Slack's Block Kit.
    """
    heading = title(experiment.name, state, told)
    facts = [_line(fact) for fact in _facts(state, error, told)]
    groups = [one.reasons for one in (told.plan, told.recheck, told.outcome) if one]
    report = [f"Report: {_line(told.report)}"] if told.report else []
    listed = [_listed(told.alarms, "Alarm: "), facts, *map(_listed, groups)]
    sections = ["\n".join(lines) for lines in listed if lines]
    return {
        "text": "\n".join([_fit(heading, _LINE), *sections, f"Run: {_line(run_id)} {link}", *report]),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": _fit(heading, _TITLE), "emoji": False}},
            *({"type": "section", "text": _mrkdwn(section)} for section in sections),
            {"type": "context", "elements": [_mrkdwn(one) for one in (f"Run: <{link}|{_line(run_id)}>", *report)]},
        ],
    }


def _listed(sentences: list[str], beginning: str = "") -> list[str]:
    """Returns the first sentences, a line each, and how many more there are."""
    lines = [f"• {_line(beginning + one)}" for one in sentences[:_REASONS]]
    if len(sentences) > _REASONS:
        lines.append(f"and {len(sentences) - _REASONS} more, in the report")
    return lines


def _facts(state: str, error: str, told: Told) -> list[str]:
    """Returns what failed, and what was gained or lost, a line each."""
    facts = []
    if state != "SUCCEEDED" and (tasks := _failed_tasks(error)):
        facts.append(f"Failed: {', '.join(tasks)}")
    if outcome := told.outcome:
        champion = f", champion {score(outcome.champion)}" if outcome.champion is not None else ""
        base, candidate = _score(outcome.base), _score(outcome.candidate)
        facts.append(f"{outcome.metric}: base model {base}{champion}, tuned model {candidate}")
        who = "the champion, " if outcome.champion is not None else ""
        gain = _change(outcome.gain, outcome.low, outcome.high, outcome.confidence)
        facts.append(f"Gain over {who}{outcome.against}: {gain}")
    if (recheck := told.recheck) and recheck.then is not None:
        facts.append(f"{recheck.metric}: champion {_score(recheck.then)} then, {_score(recheck.now)} now")
        change = _change(recheck.change, recheck.low, recheck.high, recheck.confidence)
        facts.append(f"Change of {recheck.model}: {change}")
    return facts


def _score(value: float | None) -> str:
    return NO_NUMBER if value is None else score(value)


def _change(change: float | None, low: float | None, high: float | None, confidence: float) -> str:
    said = NO_NUMBER if change is None else signed(change)
    if low is not None and high is not None:
        said += f" ({level(confidence)} interval: {span(low, high)})"
    return said


def _failed_tasks(error: str) -> list[str]:
    """Returns the tasks that a pipeline's error names, each with the class of its exception where that is told."""
    listed = _FAILED.search(error)
    found = []
    for task in listed[1].split(", ") if listed else ():
        named = re.search(rf"; {re.escape(task)}: (?:\w+\.)*([A-Z]\w{{0,60}}(?:Error|Exception|Timeout))\b", error)
        found.append(f"{task} ({named[1]})" if named else task)
    return found


def _mrkdwn(text: str) -> dict[str, Any]:
    # Else Slack makes links of what looks like a name or an address.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _line(text: str) -> str:
    return _fit(text, _LINE)


def _fit(text: str, limit: int) -> str:
    """Returns a text as one line, escaped, of at most so many characters."""
    pieces = [_ESCAPES.get(one, one) for one in " ".join(_visible(text).split())]
    if sum(map(len, pieces)) <= limit:
        return "".join(pieces)
    kept, length = [], 0
    for piece in pieces:
        length += len(piece)
        if length > limit - 1:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def _visible(text: str) -> str:
    """Returns a text with a space for all that cannot be seen, or that is no character at all."""
    return "".join(one if one.isprintable() else " " for one in text)
