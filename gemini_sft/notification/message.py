"""What is told of a run, in the form that Slack's webhooks take: a text, and the same in blocks.

The limits are those of https://docs.slack.dev/reference/block-kit and the escapes those of
https://docs.slack.dev/messaging/formatting-message-text. Nothing of the data is in it: of an error only its class and
its task are, since its text may repeat what a service said of a prompt.
"""

import re
from typing import Any

from gemini_sft.decision.outcome import Outcome
from gemini_sft.experiment import Experiment
from gemini_sft.report.numbers import NO_NUMBER, percent, score, signed, span

_TITLE = 150
_LINE = 500
_REASONS = 5
_STATES = {
    "SUCCEEDED": "the run ended without a verdict",
    "FAILED": "the run failed",
    "CANCELLED": "the run was cancelled",
}
_FAILED = re.compile(r"The failed tasks are: \[([\w ,.-]{1,1000})\]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def message(
    experiment: Experiment, run_id: str, link: str, state: str, error: str, outcome: Outcome | None
) -> dict[str, Any]:
    """Returns how a run ended, as Slack's incoming webhooks take it.

    Args:
        experiment: Whose run it is.
        run_id: Of the run.
        link: Where it can be looked at.
        state: How its tasks ended: `SUCCEEDED`, `FAILED` or `CANCELLED`.
        error: What the service says of the failure; empty if there was none.
        outcome: What the run found out, if it came to a verdict.

    Returns:
        `text`, for notices and for services that know no blocks, and `blocks` of Slack's Block Kit.
    """
    ending = _STATES.get(state, f"the run ended as {state}")
    if outcome:
        ending = outcome.verdict if state == "SUCCEEDED" else f"{outcome.verdict}, but {ending}"
    title = f"{experiment.name}: {ending}"
    facts = [_line(fact) for fact in _facts(experiment, state, error, outcome)]
    reasons = [f"• {_line(reason)}" for reason in outcome.reasons[:_REASONS]] if outcome else []
    if outcome and len(outcome.reasons) > _REASONS:
        reasons.append(f"and {len(outcome.reasons) - _REASONS} more, in the report")
    report = [f"Report: {_line(outcome.report)}"] if outcome and outcome.report else []
    sections = ["\n".join(lines) for lines in (facts, reasons) if lines]
    return {
        "text": "\n".join([_fit(title, _LINE), *sections, f"Run: {_line(run_id)} {link}", *report]),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": _fit(title, _TITLE), "emoji": False}},
            *({"type": "section", "text": _mrkdwn(section)} for section in sections),
            {"type": "context", "elements": [_mrkdwn(one) for one in (f"Run: <{link}|{_line(run_id)}>", *report)]},
        ],
    }


def _facts(experiment: Experiment, state: str, error: str, outcome: Outcome | None) -> list[str]:
    """Returns what failed, and what was gained, a line each."""
    facts = []
    if state != "SUCCEEDED" and (tasks := _failed_tasks(error)):
        facts.append(f"Failed: {', '.join(tasks)}")
    if outcome:
        base, candidate = (NO_NUMBER if one is None else score(one) for one in (outcome.base, outcome.candidate))
        champion = f", champion {score(outcome.champion)}" if outcome.champion is not None else ""
        facts.append(f"{outcome.metric}: base model {base}{champion}, tuned model {candidate}")
        gain = NO_NUMBER if outcome.gain is None else signed(outcome.gain)
        if outcome.low is not None and outcome.high is not None:
            gain += f" ({percent(outcome.confidence)} interval: {span(outcome.low, outcome.high)})"
        who = "the champion, " if outcome.champion is not None else ""
        facts.append(f"Gain over {who}{outcome.against}: {gain}")
    return facts


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
