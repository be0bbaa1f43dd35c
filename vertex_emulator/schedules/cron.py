"""When a cron schedule is due, in its time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_ZONE = re.compile(r"(?:CRON_)?TZ=(?P<zone>\S*)\s+(?P<fields>.*)", re.DOTALL)
_TERM = r"(\*|\d+|[a-z]{3})(-(\d+|[a-z]{3}))?(/\d+)?"
_FIELD = re.compile(rf"{_TERM}(,{_TERM})*", re.IGNORECASE)
_NAMES = ("minute", "hour", "day-of-month", "month", "day-of-week")


@dataclass(frozen=True)
class Cron:
    """The times at which a cron schedule is due.

    Where clocks change, it goes by Debian's cron, as `cronsim` does: a time that does not exist that day is due when
    the clock has moved forward, and one that comes twice is due the first time. Schedules whose minute or hour begins
    with `*` are due at every time that fits.

    Attributes:
        fields: The five fields of cron.
        zone: The time zone that they are meant in.
    """

    fields: str
    zone: tzinfo

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `MINUTE HOUR DAY MONTH WEEKDAY`, in UTC, or with `TZ=ZONE` or `CRON_TZ=ZONE` before it in that zone.

        Raises:
            ValueError: Says which field is wrong, or that there is no such zone.
        """
        match = _ZONE.fullmatch(text.strip())
        fields = match["fields"] if match else text
        cron = cls(fields, _zone(match["zone"]) if match else UTC)
        parts = fields.split()
        if len(parts) != len(_NAMES):
            raise ValueError(f"it has {len(parts)} fields instead of five: {', '.join(_NAMES)}")
        for name, part in zip(_NAMES, parts, strict=True):
            if not _FIELD.fullmatch(part):  # cronsim knows more than Google speaks of: seconds, L, #
                raise ValueError(f"bad {name} '{part}'")
        try:
            CronSim(fields, datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(str(error).lower()) from error
        return cron

    def after(self, moment: datetime) -> datetime | None:
        """Returns the first time after `moment` at which it is due, in UTC; None if there is none in 50 years."""
        try:
            for due in CronSim(self.fields, moment.astimezone(self.zone)):
                # Of an hour that comes twice, cronsim always gives the first, also when that is over.
                if due > moment:
                    return due.astimezone(UTC)
        except OverflowError:  # beyond the year 9999
            pass
        return None


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{name}' is not a time zone of the IANA database, such as Europe/Berlin") from error
