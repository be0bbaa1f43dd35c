"""What a user may ask of a schedule's times."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gemini_sft.errors import UserError
from launcher.schedule.schedules import Schedule
from launcher.schedule.timing import Asked, due_times

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
WEEKLY = Asked(cron="0 6 * * 1", zone="Europe/Berlin")
THERE = Schedule(
    name="tickets",
    id="1",
    state="ACTIVE",
    timing="TZ=Europe/Berlin 0 6 * * 1",
    next_run=datetime(2026, 11, 30, 5, tzinfo=UTC),
    start=datetime(2026, 11, 1, tzinfo=UTC),
    end=None,
    max_runs=None,
    runs=0,
    paused=None,
    resumed=None,
    last=None,
    experiment_uri="gs://b/experiment.yaml",
    pipeline="retrain",
    pipeline_root="gs://b/pipelines",
    service_account="",
    labels={},
)


def utc(time: datetime | None) -> str:
    assert time is not None
    return time.astimezone(UTC).isoformat()


def test_days_are_meant_in_the_time_zone_and_the_last_one_to_its_end() -> None:
    timing = replace(WEEKLY, start="2026-12-01", until="2027-03-31").timing(NOW)
    assert utc(timing.start) == "2026-11-30T23:00:00+00:00"
    assert utc(timing.end) == "2027-03-31T22:00:00+00:00"  # summer time
    timing = replace(WEEKLY, start="2026-12-01T06:00", until="2027-03-31T18:00:00Z").timing(NOW)
    assert utc(timing.start) == "2026-12-01T05:00:00+00:00"
    assert utc(timing.end) == "2027-03-31T18:00:00+00:00"


def test_without_a_time_zone_it_is_utc() -> None:
    timing = Asked(cron="0 6 * * 1").timing(NOW)
    assert str(timing.cron) == "TZ=UTC 0 6 * * 1"
    assert (timing.start, timing.end, timing.max_runs) == (None, None, None)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (replace(WEEKLY, start="2027-02-01", until="2027-01-31"), "is not after --start"),
        (replace(WEEKLY, until="2026-11-25"), "has passed: no run would start"),
        (replace(WEEKLY, until="2026-11-29"), "is due next at 2026-11-30T06:00:00+01:00, and --until is"),
        (replace(WEEKLY, start="2027-01-05", until="2027-01-10"), "is due next at 2027-01-11T06:00:00+01:00"),
        (replace(WEEKLY, until="next year"), "--until next year: expected a day such as"),
        (replace(WEEKLY, start="2027-02-30"), "--start 2027-02-30: expected a day such as"),
        (Asked(), "Give --cron"),
    ],
)
def test_a_schedule_that_would_start_nothing_is_refused(asked: Asked, said: str) -> None:
    with pytest.raises(UserError) as refused:
        asked.timing(NOW)
    assert said in str(refused.value)


def test_what_an_update_does_not_name_stays() -> None:
    assert Asked().timing(NOW, THERE).cron is None
    assert str(Asked(cron="0 7 * * 1").timing(NOW, THERE).cron) == "TZ=Europe/Berlin 0 7 * * 1"
    assert str(Asked(zone="Asia/Tokyo").timing(NOW, THERE).cron) == "TZ=Asia/Tokyo 0 6 * * 1"
    ending = replace(THERE, end=datetime(2026, 11, 30, 5, 30, tzinfo=UTC))
    with pytest.raises(UserError, match="no run would start"):
        Asked(cron="0 7 * * 1").timing(NOW, ending)


def test_the_next_times_begin_with_the_services_own_and_end_with_the_schedule() -> None:
    berlin = [time.isoformat() for time in due_times(THERE)]
    assert berlin == ["2026-11-30T06:00:00+01:00", "2026-12-07T06:00:00+01:00", "2026-12-14T06:00:00+01:00"]
    assert len(due_times(replace(THERE, end=datetime(2026, 12, 8, tzinfo=UTC)))) == 2
    assert due_times(replace(THERE, next_run=None)) == []
    assert due_times(replace(THERE, timing="@weekly")) == [THERE.next_run]
