"""When schedules are due."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vertex_emulator.schedules.cron import Cron

begin = datetime(2000, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=20_000)).map(lambda since: begin + since)
zones = st.sampled_from(["", "TZ=Europe/Berlin ", "CRON_TZ=America/New_York ", "TZ=Australia/Lord_Howe ", "TZ=UTC "])


def dues(cron: str, after: str, count: int) -> list[str]:
    moment, found = datetime.fromisoformat(after), []
    for _ in range(count):
        due = Cron.parse(cron).after(moment)
        assert due is not None and due.tzinfo is UTC
        found.append(due.isoformat().removesuffix("+00:00"))
        moment = due
    return found


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 6 * * 1", "2026-12-01T00:00Z", ["2026-12-07T06:00:00", "2026-12-14T06:00:00"]),
        ("TZ=Europe/Berlin 0 6 * * MON", "2026-10-24T00:00Z", ["2026-10-26T05:00:00", "2026-11-02T05:00:00"]),
        # A day of the month or of the week: either, as in every cron.
        ("0 0 1 * 0", "2026-12-01T00:00Z", ["2026-12-06T00:00:00", "2026-12-13T00:00:00"]),
        # 02:30 does not exist on 29 March 2026 in Berlin, and comes twice on 25 October.
        ("TZ=Europe/Berlin 30 2 * * *", "2026-03-28T02:00Z", ["2026-03-29T01:00:00", "2026-03-30T00:30:00"]),
        ("TZ=Europe/Berlin 30 2 * * *", "2026-10-24T22:30Z", ["2026-10-25T00:30:00", "2026-10-26T01:30:00"]),
        ("TZ=Europe/Berlin 30 2 * * *", "2026-10-25T01:10Z", ["2026-10-26T01:30:00"]),
        ("TZ=Europe/Berlin 30 * * * *", "2026-10-24T23:30Z", ["2026-10-25T00:30:00", "2026-10-25T01:30:00"]),
        ("0 0 29 2 *", "2026-12-01T00:00Z", ["2028-02-29T00:00:00"]),
    ],
)
def test_is_due(cron: str, after: str, expected: list[str]) -> None:
    assert dues(cron, after, len(expected)) == expected


@given(
    zone=zones,
    minute=st.integers(0, 59),
    hour=st.one_of(st.integers(0, 23), st.sampled_from(["*", "*/5", "1-3"])),
    weekday=st.one_of(st.just("*"), st.integers(0, 7)),
    after=moments,
)
def test_the_next_time_is_later_fits_and_leaves_nothing_out(
    zone: str, minute: int, hour: object, weekday: object, after: datetime
) -> None:
    cron = Cron.parse(f"{zone}{minute} {hour} * * {weekday}")
    due = cron.after(after)
    assert due is not None and after < due <= after + timedelta(days=8)
    assert due.second == due.microsecond == 0
    # From any time in between it is the same.
    assert cron.after(after + (due - after) / 2) == due
    local = due.astimezone(cron.zone)
    there = (local - timedelta(hours=3)).utcoffset(), local.utcoffset()
    if there[0] == there[1]:  # the clocks have not just changed
        assert local.minute == minute and (weekday == "*" or local.isoweekday() % 7 == int(str(weekday)) % 7)


def test_no_time_in_50_years_or_beyond_the_calendar() -> None:
    assert Cron.parse("0 0 * * *").after(datetime(9999, 12, 31, 12, tzinfo=UTC)) is None
    assert Cron.parse("0 0 29 2 *").after(datetime(2096, 3, 1, tzinfo=UTC)) == datetime(2104, 2, 29, tzinfo=UTC)


def test_zone() -> None:
    assert Cron.parse("0 0 * * *").zone is UTC
    assert Cron.parse("  CRON_TZ=Europe/Berlin   0 0 * * *").zone == ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("cron", ["", "@daily", "TZ= 0 0 * * *", "TZ=UTC", "0 0 * * * *", "0 0 L * *", "0 0 * * 1#2"])
def test_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match=r"fields instead|bad|time zone"):
        Cron.parse(cron)
