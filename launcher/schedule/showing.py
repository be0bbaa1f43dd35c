"""What `gemini-sft schedule` shows."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gemini_sft.cost import Quote
from gemini_sft.cost.words import counted, usd
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import listed
from launcher.schedule.schedules import Schedule
from launcher.schedule.timing import due_times
from launcher.staging import SPLITS

_STATES = {"ACTIVE": "green", "PAUSED": "yellow", "COMPLETED": "dim"}


def document(schedule: Schedule) -> dict[str, Any]:
    """Returns a schedule for `--json`; `due` has its next times with their offset, all others are in UTC."""
    return schedule.document() | {"due": [time.isoformat() for time in due_times(schedule)]}


def show_schedule(schedule: Schedule, console: Console) -> None:
    """Prints when a schedule is due, its next times, and what a change of clocks does to them."""
    cron = schedule.cron
    console.print(f"Due: {f'{cron.fields}, in the time zone {cron.zone}' if cron else schedule.timing}")
    if times := due_times(schedule):
        console.print(f"Next: {', '.join(map(_time, times))}")
    for what, time in (("Starts", schedule.start), ("Ends", schedule.end)):
        if time and time > datetime.now(UTC):
            console.print(f"{what}: {_time(time)}")
    if schedule.max_runs:
        console.print(f"Ends: with run {schedule.max_runs:,}")
    changes = cron.clock_changes(datetime.now(UTC)) if cron else []
    if cron and changes:
        console.print(
            Text(
                f"{', '.join(changes)}, when the clocks of {cron.zone} change. Google does not say what a schedule does"
                " then: a time that every day has once is safer.",
                "yellow",
            )
        )


def show_caps(schedule: Schedule, quote: Quote | None, experiment: Experiment, console: Console) -> dict[str, Any]:
    """Prints what a month can cost at most, and what caps it.

    Returns:
        The same for `--json`: `usd_a_run` and `usd_in_30_days`, None if they are not known, and `runs_in_30_days`.
    """
    cron = schedule.cron
    runs = cron.most_in_a_month(datetime.now(UTC)) if cron else None
    if runs and schedule.max_runs:
        runs = min(runs, schedule.max_runs)
    if quote and runs:
        least = "" if quote.usd is not None else "at least "
        month = usd((quote.known_usd + quote.error_usd) * runs)
        console.print(f"In 30 days: {counted(runs, 'run')} at most, {least}{month} if each of them tuned.")
    else:
        console.print(f"In 30 days: {counted(runs, 'run')} at most." if runs else "How often it is due is not known.")
    budget = experiment.budget
    caps = [f"budget.max_usd stops a run above {budget.max_usd:,.10g} USD"] if budget.max_usd else []
    if budget.max_usd_per_month:
        caps.append(
            f"budget.max_usd_per_month stops one that would bring 30 days above {budget.max_usd_per_month:,.10g} USD"
        )
    if caps:
        console.print(f"{'; '.join(caps)}.")
    else:
        console.print(Text("Nothing caps this: set budget.max_usd or budget.max_usd_per_month.", "yellow"))
    known = quote is not None and quote.usd is not None
    return {
        "usd_a_run": quote.usd if quote else None,
        "runs_in_30_days": runs,
        "usd_in_30_days": (quote.usd or 0) * runs if quote and known and runs else None,
    }


def show_sources(experiment: Experiment, update_command: str, console: Console) -> dict[str, Any]:
    """Prints which data each run reads anew, and of which files it gets the copy that was made now.

    Returns:
        The same for `--json`: `read_by_each_run` and `copied_now`.
    """
    named = [uri for split in SPLITS for uri in listed(getattr(experiment.data, split))]
    named += [spec.rpartition(":")[0] for spec in experiment.evaluation.metrics]
    sources = list(dict.fromkeys(one if "://" in one else os.path.normpath(one) for one in named))
    read, copied = ([uri for uri in sources if ("://" in uri) is remote] for remote in (True, False))
    if read:
        console.print(f"Each run reads anew: {', '.join(read)}")
    if copied:
        console.print(f"Each run gets the copy that was made now: {', '.join(copied)}")
        console.print(f"To take another copy: {update_command}")
    return {"read_by_each_run": read, "copied_now": copied}


def show_table(schedules: Sequence[Schedule], console: Console) -> None:
    """Prints schedules, one in a row, with their next three times."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("schedule", "cron", "time zone", "state", "next", "last run"):
        table.add_column(column, overflow="fold", no_wrap=column in ("schedule", "cron"))
    # An id that is broken in two cannot be copied.
    table.columns[-1].min_width = max((len(one.last.id) for one in schedules if one.last), default=None)
    table.add_column("runs", justify="right")
    for one in schedules:
        cron = one.cron
        last = f"{one.last.id}\n{one.last.state}, {_time(one.last.created)}" if one.last else "none yet"
        table.add_row(
            one.name,
            cron.fields if cron else one.timing,
            cron.zone if cron else "",
            Text(one.state, _STATES.get(one.state, "")),
            next((_time(due) for due in due_times(one)), ""),
            last,
            "" if one.runs is None else f"{one.runs:,}",
        )
    console.print(table)


def _time(time: datetime) -> str:
    return f"{time:%a %Y-%m-%d %H:%M %Z}"
