"""When a schedule is due."""

import zoneinfo
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.errors import UserError
from launcher.schedule.cron import cron_of, read_cron

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def due(fields: str, zone: str, after: datetime = NOW, number: int = 3) -> list[str]:
    return [time.isoformat() for time in islice(read_cron(fields, zone, after).due(after), number)]


def test_the_fields_are_read_in_the_time_zone() -> None:
    assert due("0 6 * * 1", "Europe/Berlin") == [
        "2026-11-30T06:00:00+01:00",
        "2026-12-07T06:00:00+01:00",
        "2026-12-14T06:00:00+01:00",
    ]
    assert due("0 6 * * MON", "UTC", number=1) == ["2026-11-30T06:00:00+00:00"]


def test_the_hour_stays_when_the_clocks_change() -> None:
    before = datetime(2027, 3, 26, 12, tzinfo=UTC)
    assert due("0 6 * * *", "Europe/Berlin", before) == [
        "2027-03-27T06:00:00+01:00",
        "2027-03-28T06:00:00+02:00",
        "2027-03-29T06:00:00+02:00",
    ]


@pytest.mark.parametrize(
    ("fields", "zone", "changes"),
    [
        ("30 2 * * *", "Europe/Berlin", ["02:30 does not exist on 2027-03-28", "02:30 exists twice on 2027-10-31"]),
        ("30 2 * * SUN", "America/New_York", ["02:30 does not exist on 2027-03-14"]),
        ("30 1 * * *", "America/New_York", ["01:30 exists twice on 2027-11-07"]),
        ("15 2 * * *", "Australia/Lord_Howe", ["02:15 does not exist on 2027-10-03"]),  # by half an hour
        ("0 3 * * *", "Europe/Berlin", []),
        ("59 1 * * *", "Europe/Berlin", []),
        ("30 2 * * 1", "Europe/Berlin", []),  # the clocks change on a Sunday
        ("30 * * * *", "Europe/Berlin", []),  # every hour all the same
        ("30 2 * * *", "UTC", []),
    ],
)
def test_times_that_the_clocks_skip_or_repeat_are_named(fields: str, zone: str, changes: list[str]) -> None:
    assert read_cron(fields, zone, NOW).clock_changes(NOW) == changes


@pytest.mark.parametrize(
    ("fields", "most"),
    [
        ("0 6 * * 1", 5),
        ("0 6 * * *", 30),
        ("0 0 1 * *", 2),
        ("0 0 1 1 *", 1),
        ("0 */12 * * *", 60),
        ("* * * * *", 10_000),
    ],
)
def test_a_month_has_at_most_so_many(fields: str, most: int) -> None:
    assert read_cron(fields, "Europe/Berlin", NOW).most_in_a_month(NOW) == most


@pytest.mark.parametrize(
    ("fields", "zone", "said"),
    [
        ("0 6 * *", "UTC", "has 4 fields: expected"),
        ("0 0 6 * * 1", "UTC", "has 6 fields: expected"),
        ("@daily", "UTC", "has 1 fields: expected"),
        ("0 25 * * *", "UTC", "there is no such hour"),
        ("0 6 32 * *", "UTC", "there is no such day-of-month"),
        ("0 6 * JAX *", "UTC", "there is no such month"),
        ("0 6 * * MON#2", "UTC", "MON#2 is not a value"),
        ("0 6 L * *", "UTC", "L is not a value"),
        ("0 6 * * 7", "UTC", "Sunday is 0 or SUN"),
        ("0 0 30 2 *", "UTC", "is never due: no month that it names has such a day"),
        ("0 0 31 4,6 *", "UTC", "is never due"),
        ("0 6 * * 1", "Europe/Berlim", "did you mean Europe/Berlin?"),
        ("0 6 * * 1", "europe/berlin", "did you mean Europe/Berlin?"),
        ("0 6 * * 1", "+01:00", "expected Area/City"),
    ],
)
def test_what_is_never_due_or_means_nothing_is_refused(fields: str, zone: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        read_cron(fields, zone, NOW)
    assert said in str(refused.value)


def test_the_cron_of_a_schedule_names_its_zone_or_is_in_utc() -> None:
    for prefix, zone in (("TZ=Asia/Tokyo ", "Asia/Tokyo"), ("CRON_TZ=Asia/Tokyo ", "Asia/Tokyo"), ("", "UTC")):
        cron = cron_of(f"{prefix}0 6 * * 1")
        assert cron is not None
        assert (cron.fields, cron.zone) == ("0 6 * * 1", zone)
    assert cron_of("@daily") is None
    assert str(read_cron("0  6 * *  1", "Asia/Tokyo", NOW)) == "TZ=Asia/Tokyo 0 6 * * 1"


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    days=st.integers(0, 400),
)
def test_a_daily_time_is_due_once_a_day_and_at_that_time_unless_the_clocks_skip_it(
    minute: int, hour: int, zone: str, days: int
) -> None:
    after = NOW + timedelta(days=days)
    times = list(islice(read_cron(f"{minute} {hour} * * *", zone, after).due(after), 3))
    assert times[0] > after
    assert [late.date() - early.date() for early, late in pairwise(times)] == [timedelta(days=1)] * 2
    for time in times:
        assert time.tzinfo == zoneinfo.ZoneInfo(zone)
        there = datetime(time.year, time.month, time.day, hour, minute, tzinfo=time.tzinfo)
        exists = there.astimezone(UTC).astimezone(time.tzinfo) == there
        assert (time.hour, time.minute) == (hour, minute) or not exists
