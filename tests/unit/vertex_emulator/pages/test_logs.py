"""What a task has written, on its page."""

import json
from pathlib import Path

import pytest

from vertex_emulator.emulator import Emulator
from vertex_emulator.logs import entries
from vertex_emulator.pages.logs import log_of
from vertex_emulator.pages.tasks import Task
from vertex_emulator.server import open_emulator

JOB = "projects/1/locations/l/customJobs"


@pytest.fixture
def emulator(tmp_path: Path) -> Emulator:
    (tmp_path / entries.FOLDER).mkdir()
    return open_emulator(tmp_path, 1)


def wrote(emulator: Emulator, number: int, messages: list[str]) -> str:
    name = f"{JOB}/{number}"
    lines = [json.dumps({"message": one, "timestamp": "t", "severity": "INFO"}) + "\n" for one in messages]
    (emulator.data_dir / entries.FOLDER / f"{number}.jsonl").write_text("".join(lines) + '{"message": "half', "utf-8")
    entries.keep(emulator.database, name, f"{number}.jsonl")
    return name


def task(**container: object) -> Task:
    return Task("path", "name", {"executorDetail": {"containerDetail": container}}, holds=False)


def test_all_attempts_one_after_the_other_and_no_half_line(emulator: Emulator) -> None:
    jobs = [wrote(emulator, number, [f"try {number}", "<b>"]) for number in (1, 2)]
    log = log_of(emulator, task(failedMainJobs=jobs[:1], mainJob=jobs[1]))
    assert log is not None and (log.text, log.cut) == ("try 1\n<b>\ntry 2\n<b>", False)


def test_of_a_long_log_the_end(emulator: Emulator) -> None:
    log = log_of(emulator, task(mainJob=wrote(emulator, 3, [f"line {n}" for n in range(50_000)])))
    assert log is not None and log.cut and log.text.endswith("line 49999") and len(log.text) == 200_000


def test_what_never_began_has_none(emulator: Emulator) -> None:
    assert log_of(emulator, Task("path", "name", {}, holds=False)) is None
