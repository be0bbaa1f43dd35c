"""A schedule as its clients see it, and the rules by which its runs come and it ends.

`nextRunTime` is the run that comes next. While it is in the past, runs are behind schedule: they wait for a place among
the active ones. Nothing here knows a clock or a database.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

from vertex_emulator.schedules.cron import Cron
from vertex_emulator.wire import timestamp

KIND = "schedules"

Document = dict[str, Any]


class Schedule:
    """The rules over a schedule's document, which they change.

    Args:
        document: A schedule that was found good, in canonical JSON.
    """

    def __init__(self, document: Document) -> None:
        self.document = document

    @property
    def name(self) -> str:
        """The full resource name."""
        return str(self.document["name"])

    @property
    def state(self) -> str:
        """ACTIVE, PAUSED or COMPLETED."""
        return str(self.document["state"])

    @property
    def start(self) -> datetime:
        """Before which no run comes."""
        return datetime.fromisoformat(self.document["startTime"])

    @property
    def end(self) -> datetime | None:
        """After which no run comes."""
        return self._time("endTime")

    @property
    def next_run(self) -> datetime | None:
        """The time of the run that comes next."""
        return self._time("nextRunTime")

    @property
    def wakes(self) -> datetime | None:
        """When something happens next: a run, or else the end."""
        return self.next_run or self.end

    def arm(self, after: datetime) -> None:
        """Has the first run after a time come next, none before `startTime` and none after `endTime`."""
        # A run at the very start is none before it.
        due = Cron.parse(self.document["cron"]).after(max(after, self.start - timedelta(microseconds=1)))
        if due is None or (self.end is not None and due > self.end):
            self.document.pop("nextRunTime", None)
        else:
            self.document["nextRunTime"] = timestamp(due)

    def verdict(self, active: int) -> Literal["start", "skip", "wait"]:
        """Decides about the run that comes next, when its time has come.

        Args:
            active: How many runs of this schedule have not ended.
        """
        if active < self._most_active:
            return "start"
        # What was missed in a pause is made up whole, so it waits.
        resumed = self._time("lastResumeTime")
        missed = self.document.get("catchUp") and resumed and self.next_run and self.next_run <= resumed
        return "wait" if missed or self.document.get("allowQueueing") else "skip"

    def take(self) -> datetime:
        """Takes out the run that comes next, and has the one after it come next; returns its time."""
        due = self.next_run
        assert due is not None, self.name
        self.arm(due)
        return due

    def started(self, due: datetime) -> None:
        """Writes down that a run was started."""
        self.document["startedRunCount"] = str(int(self.document["startedRunCount"]) + 1)
        self.respond(due, "OK")

    def skipped(self, due: datetime, active: int) -> None:
        """Writes down that a run was left out, with so many others active."""
        limit = f"max_concurrent_active_run_count is {self._most_active}"
        self.respond(
            due, f"FAILED_PRECONDITION: The run was skipped: {active} of the schedule are active, and {limit}."
        )

    def respond(self, due: datetime, response: str) -> None:
        """Writes down how a run could be started."""
        self.document["lastScheduledRunResponse"] = {"scheduledRunTime": timestamp(due), "runResponse": response}

    def complete(self, now: datetime) -> bool:
        """Ends it if it has started all its runs, or `endTime` is over and no run waits; tells whether it did."""
        most = int(self.document.get("maxRunCount", 0))
        spent = most and int(self.document["startedRunCount"]) >= most
        over = self.end is not None and now >= self.end and self.next_run is None
        if self.state != "ACTIVE" or not (spent or over):
            return False
        self.document["state"] = "COMPLETED"
        self.document.pop("nextRunTime", None)
        return True

    @property
    def _most_active(self) -> float:
        return int(self.document.get("maxConcurrentActiveRunCount", 0)) or float("inf")

    def _time(self, field: str) -> datetime | None:
        return datetime.fromisoformat(self.document[field]) if field in self.document else None
