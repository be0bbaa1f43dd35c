"""Schedules as the launcher sees them, wherever they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from launcher.schedule.cron import Cron, cron_of


@dataclass(frozen=True)
class LastRun:
    """The run that a schedule started last.

    Attributes:
        id: Its own.
        state: As the service calls it, such as `SUCCEEDED`.
        created: When it was started.
    """

    id: str
    state: str
    created: datetime


@dataclass(frozen=True)
class Order:
    """What is to be run, and when.

    Attributes:
        name: Of the schedule, which is the experiment's.
        cron: When it is due; None to leave that as it is.
        start: From when on; None for at once, or to leave it.
        end: Until when; None for no end, or to leave it.
        max_runs: How many runs at most; None for any number, or to leave it.
        template: The compiled pipeline.
        parameters: What it is given.
        labels: Put on each run.
    """

    name: str
    cron: Cron | None
    start: datetime | None
    end: datetime | None
    max_runs: int | None
    template: Path
    parameters: Mapping[str, Any]
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Schedule:
    """A schedule as it stands now.

    Attributes:
        name: The experiment's.
        id: The service's own name for it.
        state: ACTIVE, PAUSED or COMPLETED.
        timing: Its cron, as the service has it.
        next_run: When it is due next; None if it is not.
        start: From when on it starts runs.
        end: Until when; None for no end.
        max_runs: How many at most; None for any number.
        runs: How many it has started; None if the service does not count them.
        paused: When it was paused last.
        resumed: When it was resumed last.
        last: The run that it started last.
        experiment_uri: The staged experiment that it runs.
        pipeline: The name of the pipeline.
        pipeline_root: Where the runs' artifacts go.
        service_account: What the runs run as; empty for the default.
        labels: On each run.
    """

    name: str
    id: str
    state: str
    timing: str
    next_run: datetime | None
    start: datetime | None
    end: datetime | None
    max_runs: int | None
    runs: int | None
    paused: datetime | None
    resumed: datetime | None
    last: LastRun | None
    experiment_uri: str
    pipeline: str
    pipeline_root: str
    service_account: str
    labels: Mapping[str, str]

    @property
    def cron(self) -> Cron | None:
        """When it is due; None if its cron cannot be read here."""
        return cron_of(self.timing)

    def document(self) -> dict[str, Any]:
        """Returns it for `--json`; times in UTC."""
        cron = self.cron
        return {
            "name": self.name,
            "id": self.id,
            "state": self.state,
            "cron": cron.fields if cron else self.timing,
            "time_zone": cron.zone if cron else None,
            "next_run": _iso(self.next_run),
            "start": _iso(self.start),
            "end": _iso(self.end),
            "max_runs": self.max_runs,
            "runs": self.runs,
            "last_run": {"id": self.last.id, "state": self.last.state, "created": _iso(self.last.created)}
            if self.last
            else None,
            "experiment_uri": self.experiment_uri,
            "pipeline": self.pipeline,
            "pipeline_root": self.pipeline_root,
            "service_account": self.service_account or None,
            "labels": dict(self.labels),
        }


class Schedules(Protocol):
    """Where schedules are kept.

    Every method raises UserError if the service refuses, and ServiceError if it does not answer.
    """

    def all(self, name: str | None = None) -> list[Schedule]:
        """Returns the schedules that run an experiment, by name; only those called `name`, if it is given."""

    def create(self, order: Order) -> Schedule:
        """Makes a schedule that never has two runs under way."""

    def update(self, schedule: Schedule, order: Order) -> Schedule:
        """Changes what the order names, and what is run."""

    def pause(self, schedule: Schedule) -> Schedule:
        """Lets it start no more runs."""

    def resume(self, schedule: Schedule) -> Schedule:
        """Lets it start runs again, from its next due time on."""

    def delete(self, schedule: Schedule) -> None:
        """Deletes it; its runs stay."""


def _iso(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z") if time else None
