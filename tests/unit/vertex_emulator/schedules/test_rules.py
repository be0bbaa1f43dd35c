"""The rules of a schedule, played through in time that is made up."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from vertex_emulator.schedules.cron import Cron
from vertex_emulator.schedules.resource import Schedule
from vertex_emulator.wire import timestamp

BEGIN = datetime(2026, 10, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CRON = Cron.parse("TZ=Europe/Berlin 0 */2 * * *")

spans = st.timedeltas(timedelta(seconds=1), timedelta(days=1))


def schedule_of(**fields: Any) -> Schedule:
    made = {"name": "s", "cron": "TZ=Europe/Berlin 0 */2 * * *", "state": "ACTIVE", "startedRunCount": "0"}
    schedule = Schedule({**made, "startTime": timestamp(BEGIN), **fields})
    schedule.arm(BEGIN)
    return schedule


class World:
    """A schedule whose runs last for a while, looked at again and again."""

    def __init__(self, schedule: Schedule, lasts: timedelta) -> None:
        self.schedule = schedule
        self.lasts = lasts
        self.started: list[tuple[datetime, datetime]] = []
        self.skipped: list[datetime] = []

    def active(self, now: datetime) -> int:
        return sum(at <= now < at + self.lasts for _, at in self.started)

    def play(self, begin: datetime, end: datetime, step: timedelta) -> None:
        now = begin
        while now <= end:
            self._look(now)
            now += step

    def _look(self, now: datetime) -> None:
        schedule = self.schedule
        while schedule.state == "ACTIVE" and not schedule.complete(now):
            if schedule.next_run is None or schedule.next_run > now:
                return
            active = self.active(now)
            match schedule.verdict(active):
                case "wait":
                    return
                case "skip":
                    self.skipped.append(schedule.take())
                    schedule.skipped(self.skipped[-1], active)
                case "start":
                    self.started.append((schedule.take(), now))
                    schedule.started(self.started[-1][0])


def due_between(begin: datetime, end: datetime) -> list[datetime]:
    found: list[datetime] = []
    while (due := CRON.after(found[-1] if found else begin)) is not None and due <= end:
        found.append(due)
    return found


@given(
    start=spans,
    length=spans,
    most=st.none() | st.integers(1, 5),
    cap=st.none() | st.integers(1, 3),
    queues=st.booleans(),
    lasts=st.timedeltas(timedelta(minutes=1), timedelta(hours=9)),
    step=st.timedeltas(timedelta(minutes=30), timedelta(hours=11)),
)
@settings(max_examples=60)
def test_every_run_is_started_left_out_or_waits(
    start: timedelta,
    length: timedelta,
    most: int | None,
    cap: int | None,
    queues: bool,
    lasts: timedelta,
    step: timedelta,
) -> None:
    fields = {"startTime": timestamp(BEGIN + start), "allowQueueing": queues}
    end = BEGIN + start + length
    fields |= {"endTime": timestamp(end)}
    if most:
        fields["maxRunCount"] = str(most)
    if cap:
        fields["maxConcurrentActiveRunCount"] = str(cap)
    world = World(schedule_of(**fields), lasts)
    over = BEGIN + timedelta(days=12)
    world.play(BEGIN, over, step)
    assert world.schedule.state == "COMPLETED" and world.schedule.next_run is None
    times = [due for due, _ in world.started]
    assert len(times) == int(world.schedule.document["startedRunCount"]) <= (most or len(times))
    for due, at in world.started:
        assert BEGIN + start <= due <= end and due <= at
        assert not cap or world.active(at) <= cap
    handled = sorted(times + world.skipped)
    expected = due_between(BEGIN + start - timedelta(microseconds=1), end)
    assert handled == expected[: len(handled)]  # each once, in order
    if len(times) != most:
        assert handled == expected
    if queues or not cap:
        assert world.skipped == []


@given(pause=spans, length=spans, cap=st.integers(1, 2), lasts=st.timedeltas(timedelta(minutes=1), timedelta(hours=9)))
@settings(max_examples=30)
def test_a_pause_is_made_up_whole_or_not_at_all(
    pause: timedelta, length: timedelta, cap: int, lasts: timedelta
) -> None:
    resumed = BEGIN + pause + length
    for catch_up in (True, False):
        world = World(schedule_of(maxConcurrentActiveRunCount=str(cap)), lasts)
        step = timedelta(minutes=30)
        world.play(BEGIN, BEGIN + pause, step)
        before = len(world.started) + len(world.skipped)
        world.schedule.document |= {"lastResumeTime": timestamp(resumed), "catchUp": catch_up}
        if not catch_up:
            world.schedule.arm(resumed)
        world.play(resumed, resumed + timedelta(days=7), step)
        made_up = [due for due, at in world.started if due <= resumed < at + step and at >= resumed]
        missed = due_between(BEGIN, resumed)[before:]
        assert made_up == (missed if catch_up else [])
        assert all(due > resumed for due in world.skipped[-1:]) or not world.skipped[before:]


def test_an_end_between_runs_completes_when_it_has_come() -> None:
    schedule = schedule_of(endTime=timestamp(BEGIN + HOUR / 2))
    assert schedule.next_run is None and schedule.wakes == BEGIN + HOUR / 2
    assert not schedule.complete(BEGIN) and schedule.state == "ACTIVE"
    assert schedule.complete(BEGIN + HOUR / 2) and schedule.state == "COMPLETED"
