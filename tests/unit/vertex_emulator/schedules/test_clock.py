"""The clock of schedules, and what the emulator's page says of it."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from vertex_emulator.schedules.clock import Clock, Setting, read_setting

PAGE = Path(__file__).parents[4] / "docs" / "emulator.md"


def test_runs_as_it_is_set() -> None:
    clock = Clock()
    assert abs(clock.now().timestamp() - time.time()) < 5
    begin = datetime(2026, 12, 7, 6, tzinfo=UTC)
    clock.set(Setting(begin, 0))
    assert clock.now() == begin
    assert clock.seconds_until(begin) == 0 and clock.seconds_until(begin + timedelta(seconds=1)) == float("inf")
    clock.set(Setting(begin, 3600))
    time.sleep(0.01)
    assert begin + timedelta(seconds=36) <= clock.now() < begin + timedelta(days=1)
    assert 20 < clock.seconds_until(begin + timedelta(days=1)) < 24
    clock.set(Setting())
    assert abs(clock.now().timestamp() - time.time()) < 5


def test_stops_at_the_end_of_the_calendar() -> None:
    clock = Clock()
    clock.set(Setting(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 1e8))
    time.sleep(0.01)
    assert clock.now().year == 9999


def test_documented_settings_are_settings() -> None:
    section = PAGE.read_text("utf-8").split("### Their clock")[1].split("\n## ")[0]
    settings = [orjson.loads(text) for text in re.findall(r"`(\{.*?\})`", section)]
    assert {field for setting in settings for field in setting} == set(Setting.__struct_fields__)
    assert read_setting(settings[0]).now == datetime(2026, 12, 7, 5, 59, 59, tzinfo=UTC)
    assert [read_setting(setting) for setting in settings][-1] == Setting()
