"""How states, times, lengths of time, numbers and texts are told on the pages."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
# Embeddings, overrides and isolates reorder what follows them, so that a name looks like another.
_REORDERING = r"[\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
_UNFIT = re.compile(f"{_CONTROL}|{_REORDERING}")
_PREFIX = re.compile(r"^(PIPELINE|JOB)_STATE_")

UNDER_WAY = frozenset({"QUEUED", "PENDING", "RUNNING", "CANCELLING"})


@dataclass(frozen=True)
class State:
    """A state as it is shown.

    Attributes:
        word: In lower case.
        sign: One character, so that nobody depends on the colour.
        tone: The class of the style sheet that colours it.
    """

    word: str
    sign: str
    tone: str


_LOOKS = {
    "SUCCEEDED": ("✓", "good"),
    "COMPLETED": ("✓", "quiet"),
    "FAILED": ("✕", "bad"),
    "EXPIRED": ("✕", "bad"),
    "PARTIALLY_SUCCEEDED": ("!", "open"),
    "CANCELLED": ("■", "open"),
    "CANCELLING": ("■", "open"),
    "PAUSED": ("‖", "open"),
    "RUNNING": ("●", "busy"),
    "ACTIVE": ("●", "good"),
    "SKIPPED": ("↷", "quiet"),
    "NOT_TRIGGERED": ("–", "quiet"),
}


def plain_state(state: str) -> str:
    """Returns a state of any resource without its prefix: `RUNNING` for `PIPELINE_STATE_RUNNING`."""
    return _PREFIX.sub("", state)


def state_of(state: str) -> State:
    """Returns how a state of a job, a task or a schedule is shown."""
    plain = plain_state(state)
    return State(plain.lower().replace("_", " "), *_LOOKS.get(plain, ("○", "quiet")))


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Returns the seconds between two RFC 3339 times; up to now without an end, None without a start."""
    if not start:
        return None
    until = _parsed(end) if end else datetime.now(UTC)
    return max(0.0, (until - _parsed(start)).total_seconds())


def duration(seconds: float | None) -> str:
    """Returns a length of time: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`; nothing for None."""
    if seconds is None:
        return ""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def moment(time: str | None) -> str:
    """Returns an RFC 3339 time in this machine's time zone, to the second; nothing for None."""
    return _parsed(time).astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else ""


def _parsed(time: str) -> datetime:
    parsed = datetime.fromisoformat(time)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def value(given: Any) -> str:
    """Returns a parameter or a metric as text: numbers with six digits, what has parts as JSON."""
    if isinstance(given, float):
        return f"{given:.6g}"
    if isinstance(given, str):
        return given
    return json.dumps(given, ensure_ascii=False, sort_keys=True)


def size(count: int) -> str:
    """Returns a number of bytes: `512 bytes`, `3.4 KB`, `12 MB`."""
    if count < 1000:
        return f"{count} bytes"
    for unit, worth in (("KB", 1e3), ("MB", 1e6)):
        if count < 1000 * worth:
            return f"{count / worth:.3g} {unit}"
    return f"{count / 1e9:.3g} GB"


def visible(text: str) -> str:
    """Returns a text of unknown origin with a sign for every character that is unseen or reorders others."""
    return _UNFIT.sub(lambda match: f"⟨U+{ord(match.group()):04X}⟩", text.replace("\r\n", "\n"))
