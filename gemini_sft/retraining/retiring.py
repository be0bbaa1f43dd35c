"""Alarms about base models that go, by the catalog."""

from collections.abc import Iterator
from datetime import date

from gemini_sft.catalog import catalog


def retirement_alarms(base: str, champion: str | None, warn_days: int, today: date) -> list[str]:
    """Returns an alarm for each Gemini model that is needed and is gone, or will be soon.

    Args:
        base: The Gemini model that the experiment tunes.
        champion: The one that the champion was tuned from; None if there is no champion.
        warn_days: So many days before the catalog's day they begin.
        today: The day of the run.
    """
    whose = {base: "the base model"}
    if champion == base:
        whose[base] = "the base model, which is the champion's too,"
    elif champion:
        whose[champion] = "the champion's base model"
    return [alarm for model, what in whose.items() for alarm in _alarms(model, what, warn_days, today)]


def _alarms(model: str, what: str, warn_days: int, today: date) -> Iterator[str]:
    known = catalog()
    if gone := known.retired.get(model):
        yield f"{what} {model} was retired on {gone.since}: use {gone.replacement}"
        return
    entry = known.models.get(model)
    going = entry.retires if entry else None
    if entry is None or going is None:
        return
    days = (going.date - today).days
    if days > warn_days:
        return
    use = f"use {going.replacement}"
    if not going.announced:
        when = f"may retire from {going.date} on, which is not announced"
    elif days < 0:
        when = f"retired on {going.date}, as was announced"
    else:
        when = f"retires on {going.date}, as was announced"
        if entry.closed:
            when += f", and Vertex AI may refuse to tune it from {entry.closed} on"
    yield f"{what} {model} {when}: {use}"
