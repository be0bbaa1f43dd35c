"""When a schedule is due: five fields of cron, read in a time zone."""

import difflib
import re
import zoneinfo
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice

from cronsim import CronSim, CronSimError

from gemini_sft.errors import UserError

_FORM = 'expected "minute hour day-of-month month day-of-week", such as "0 6 * * 1" for Mondays at 06:00'
_PART = re.compile(r"(\*|(\d+|[A-Z]{3})(-(\d+|[A-Z]{3}))?)(/\d+)?", re.IGNORECASE)
_PREFIX = re.compile(r"(?:CRON_)?TZ=(\S+)\s+(.*)", re.DOTALL)
_MONTH = timedelta(days=30)
_YEAR = timedelta(days=366)
_MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Cron:
    """Points in time that repeat.

    Attributes:
        fields: The five fields, as Unix's cron has them.
        zone: IANA name of the time zone in which they are read, such as `Europe/Berlin`.
    """

    fields: str
    zone: str

    def __str__(self) -> str:
        return f"TZ={self.zone} {self.fields}"

    def due(self, after: datetime) -> Iterator[datetime]:
        """Yields the times that come after a moment, in the schedule's time zone; none if it is never due again.

        A local time that a change of clocks skips or repeats is taken as Debian's cron takes it: at once after the
        change, and once. Google does not say what Vertex AI does; see `clock_changes`.
        """
        return iter(CronSim(self.fields, after.astimezone(zoneinfo.ZoneInfo(self.zone))))

    def most_in_a_month(self, after: datetime) -> int:
        """Returns how often it is due at most in any 30 days of the year to come, counted up to 10,000."""
        most, window = 0, deque[date]()
        for time in islice(self.due(after), _MOST_COUNTED):
            if time > after + _YEAR:
                break
            window.append(time.date())
            while window[-1] - window[0] >= _MONTH:
                window.popleft()
            most = max(most, len(window))
        return most

    def clock_changes(self, after: datetime) -> list[str]:
        """Returns which of its times, in the year to come, the clocks of the zone skip or show twice, in words."""
        if self.fields.split()[1].startswith("*"):  # hour by hour, it does not matter
            return []
        found = []
        for change in _changes(zoneinfo.ZoneInfo(self.zone), after):
            start, end = sorted((change.before, change.after))
            time = next(iter(CronSim(self.fields, start - timedelta(minutes=1))), None)
            if time is not None and time < end:
                fate = "does not exist" if change.after > change.before else "exists twice"
                found.append(f"{time:%H:%M} {fate} on {time:%Y-%m-%d}")
        return found


def read_cron(fields: str, zone: str, now: datetime) -> Cron:
    """Returns what a user gave as --cron and --time-zone.

    Raises:
        UserError: The fields mean nothing or are never due, or there is no such time zone.
    """
    if zone not in zoneinfo.available_timezones():
        like = difflib.get_close_matches(zone, zoneinfo.available_timezones(), 1, 0.7)
        hint = f"did you mean {like[0]}?" if like else "expected Area/City, such as Europe/Berlin, or UTC"
        raise UserError(f"--time-zone {zone}: there is no such time zone; {hint}")
    parts = fields.split()
    if len(parts) != 5:
        raise UserError(f'--cron "{fields}" has {len(parts)} fields: {_FORM}')
    if wrong := next((part for part in parts if not all(map(_PART.fullmatch, part.split(",")))), None):
        raise UserError(f'--cron "{fields}": {wrong} is not a value, a range, a list or a step; {_FORM}')
    if "7" in re.split(r"[,/-]", parts[4].partition("/")[0]):
        raise UserError(f'--cron "{fields}": day 7 is not a day of the week everywhere; Sunday is 0 or SUN')
    cron = Cron(" ".join(parts), zone)
    try:
        due = next(cron.due(now), None)
    except CronSimError as error:
        name = str(error).removeprefix("Bad ")
        if name == "day-of-month" and parts[2].isdigit() and 1 <= int(parts[2]) <= 31:
            due = None
        else:
            raise UserError(f'--cron "{fields}": there is no such {name}; {_FORM}') from error
    if due is None:
        raise UserError(f'--cron "{fields}" is never due: no month that it names has such a day')
    return cron


def cron_of(text: str) -> Cron | None:
    """Returns the cron of a schedule that there is, in UTC if it names no zone; None if it cannot be read."""
    named = _PREFIX.fullmatch(text.strip())
    zone, fields = named.groups() if named else ("UTC", text)
    try:
        return read_cron(fields, zone, datetime.now(UTC))
    except UserError:
        return None


@dataclass(frozen=True)
class _Change:
    """One change of a zone's clocks: what they show `before` it and `after` it, at the same instant."""

    before: datetime
    after: datetime


def _changes(zone: zoneinfo.ZoneInfo, after: datetime) -> Iterator[_Change]:
    """Yields the changes of a year, to the minute; clocks that change twice within a day are taken as unchanged."""
    early = after.astimezone(UTC).replace(second=0, microsecond=0)
    for _ in range(_YEAR.days):
        late = early + timedelta(days=1)
        if _offset(early, zone) != _offset(late, zone):
            low, high = early, late
            while high - low > timedelta(minutes=1):
                middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
                low, high = (middle, high) if _offset(middle, zone) == _offset(early, zone) else (low, middle)
            wall = high.replace(tzinfo=None)
            yield _Change(wall + _offset(low, zone), wall + _offset(high, zone))
        early = late


def _offset(time: datetime, zone: zoneinfo.ZoneInfo) -> timedelta:
    return time.astimezone(zone).utcoffset() or timedelta()
