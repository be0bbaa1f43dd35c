"""The clock that schedules go by: the real one, unless a test or a trial sets it forward or makes it run faster."""

import math
import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from vertex_emulator.wire import timestamp


class Setting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the clock is set to.

    Attributes:
        now: The time that it shows at once; the real time if not given.
        speed: Seconds that it goes in a real second; 0 holds it.
    """

    now: Annotated[datetime, Meta(tz=True)] | None = None
    speed: Annotated[float, Meta(ge=0, le=1e8)] = 1.0


class Clock:
    """A clock that can be set."""

    def __init__(self) -> None:
        self.set(Setting())

    def set(self, setting: Setting) -> None:
        """Takes the place of what was set before."""
        self._speed = setting.speed
        self._real = time.time()
        self._shown = datetime.fromtimestamp(self._real, UTC) if setting.now is None else setting.now.astimezone(UTC)

    def now(self) -> datetime:
        """Returns the time that it shows, in UTC; it stops at the end of the year 9999."""
        try:
            return self._shown + timedelta(seconds=(time.time() - self._real) * self._speed)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    def seconds_until(self, moment: datetime | None) -> float:
        """Returns the real seconds until it shows `moment`; 0 if that has been, infinity if it never will."""
        if moment is None or (self._speed == 0 and moment > self.now()):
            return math.inf
        return max(0.0, (moment - self.now()).total_seconds() / (self._speed or 1))

    @property
    def shown(self) -> dict[str, Any]:
        """What it shows and how fast it goes, as JSON."""
        return {"now": timestamp(self.now()), "speed": self._speed}


def read_setting(given: Any) -> Setting:
    """Reads a setting from JSON.

    Raises:
        msgspec.ValidationError: Names the field that is unknown or impossible.
    """
    return msgspec.convert(given, Setting)
