"""When a user wants a schedule to start runs: checked before anything is sent."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from gemini_sft.errors import UserError
from launcher.schedule.cron import Cron, read_cron
from launcher.schedule.schedules import Schedule

_SHOWN = 3


@dataclass(frozen=True)
class Asked:
    """What was asked for on the command line; None for what was not.

    Attributes:
        cron: Five fields.
        zone: Name of a time zone.
        start: A day, or a moment; without an offset it is one in the time zone.
        until: Likewise; a day is meant to its end.
        max_runs: How many runs at most.
    """

    cron: str | None = None
    zone: str | None = None
    start: str | None = None
    until: str | None = None
    max_runs: int | None = None

    def timing(self, now: datetime, there: Schedule | None = None) -> "Timing":
        """Returns it read and checked; what was not asked for is as in the schedule that there is.

        Raises:
            UserError: Something of it cannot be read or is contradictory, or no run would ever start.
        """
        before = there.cron if there else None
        fields, zone = self.cron or (before.fields if before else None), self.zone
        if fields is None:
            raise UserError("when is it due? Give --cron, such as --cron '0 6 * * 1' for Mondays at 06:00")
        cron = read_cron(fields, zone or (before.zone if before else "UTC"), now)
        start = _moment("--start", self.start, cron.zone) if self.start else None
        end = _moment("--until", self.until, cron.zone, day_ends=True) if self.until else None
        asked = Timing(cron if self.cron or zone else None, start, end, self.max_runs)
        _check(cron, now, start or (there.start if there else None), end or (there.end if there else None))
        return asked


@dataclass(frozen=True)
class Timing:
    """When runs start; None for what stays as it is."""

    cron: Cron | None
    start: datetime | None
    end: datetime | None
    max_runs: int | None


def due_times(schedule: Schedule) -> list[datetime]:
    """Returns the next three times that an active schedule is due, in its own time zone, the service's own first."""
    first, cron = schedule.next_run, schedule.cron
    if first is None:
        return []
    if cron is None:
        return [first]
    local = first.astimezone(ZoneInfo(cron.zone))
    times = [local, *islice(cron.due(local), _SHOWN - 1)]
    return [time for time in times if schedule.end is None or time <= schedule.end]


def _check(cron: Cron, now: datetime, start: datetime | None, end: datetime | None) -> None:
    if end is None:
        return
    if start and end <= start:
        raise UserError(f"--until {end.isoformat()} is not after --start {start.isoformat()}: no run would start")
    if end <= now:
        raise UserError(f"--until {end.isoformat()} has passed: no run would start")
    first = next(cron.due(max(start or now, now) - timedelta(seconds=1)), None)
    if first is None or first > end:
        due = f"due next at {first.isoformat()}" if first else "never due"
        raise UserError(f'no run would start: "{cron.fields}" is {due}, and --until is {end.isoformat()}')


def _moment(option: str, text: str, zone: str, *, day_ends: bool = False) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        form = "a day such as 2027-03-31, or a moment such as 2027-03-31T18:00 or 2027-03-31T18:00:00Z"
        raise UserError(f"{option} {text}: expected {form}") from error
    if day is not None and day_ends:
        moment += timedelta(days=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
