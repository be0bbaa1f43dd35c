import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from gemini_sft.errors import RunError
from launcher import watching
from launcher.running import failure
from launcher.submission import RunView
from launcher.tasks import TaskView

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
RUNNING, DONE = "RUNNING", "SUCCEEDED"


def task(name: str, state: str, seconds: float | None = None, error: str = "") -> TaskView:
    started = None if state == "PENDING" else START
    return TaskView(name, state, started, None if seconds is None else START + timedelta(seconds=seconds), error)


class Scripted:
    """A run that shows one view after the other."""

    def __init__(self, *views: RunView) -> None:
        self._views: Iterator[RunView] = iter(views)

    def view(self) -> RunView:
        return next(self._views)


VIEWS = (
    RunView(RUNNING, "", (task("prepare data", "PENDING"),)),
    RunView(RUNNING, "", (task("prepare data", "RUNNING"), task("tune model", "PENDING"))),
    RunView(RUNNING, "", (task("prepare data", "SUCCEEDED", 1.25), task("tune model", "RUNNING"))),
    RunView(RUNNING, "", (task("prepare data", "SUCCEEDED", 1.25), task("tune model", "RUNNING"))),
    RunView(DONE, "", (task("prepare data", "SUCCEEDED", 1.25), task("tune model", "FAILED", 62))),
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_FIRST_POLL_SECONDS", 0.0)


def test_away_from_a_terminal_each_change_is_one_line() -> None:
    file = io.StringIO()
    view = watching.watch(Scripted(*VIEWS), Console(file=file, width=80), lambda: None)
    assert view is VIEWS[-1]
    assert file.getvalue().splitlines() == [
        "● prepare data running",
        "✓ prepare data succeeded 1.2 s",
        "● tune model running",
        "✗ tune model failed 62.0 s",
    ]


def test_on_a_terminal_all_tasks_are_drawn() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system=None)
    assert watching.watch(Scripted(*VIEWS), console, lambda: None) is VIEWS[-1]
    drawn = [line.split() for line in file.getvalue().splitlines() if "model" in line or "data" in line]
    assert [line[-6:] for line in drawn[-2:]] == [
        ["✓", "prepare", "data", "succeeded", "1.2", "s"],
        ["✗", "tune", "model", "failed", "62.0", "s"],
    ]


def test_watching_ends_when_the_check_says_so() -> None:
    calls = iter([None, None, RunError("the emulator ended")])

    def check() -> None:
        error = next(calls)
        if error:
            raise error

    with pytest.raises(RunError, match="the emulator ended"):
        watching.watch(Scripted(*VIEWS), Console(file=io.StringIO()), check)


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "NEW_WORD"])
def test_every_state_can_be_drawn(state: str) -> None:
    file = io.StringIO()
    Console(file=file, width=80).print(watching.picture(RunView(RUNNING, "", (task("a", state, 3),))))
    assert f"a  {state.lower()}" in file.getvalue()


def test_what_was_known_from_an_earlier_run_is_called_so() -> None:
    view = RunView(DONE, "", (task("prepare data", "SKIPPED", 0.01),))
    drawn, lines = io.StringIO(), io.StringIO()
    Console(file=drawn, width=80).print(watching.picture(view))
    assert drawn.getvalue().split() == ["✓", "prepare", "data", "taken", "from", "an", "earlier", "run"]
    watching.watch(Scripted(view), Console(file=lines, width=80), lambda: None)
    assert lines.getvalue().splitlines() == ["✓ prepare data taken from an earlier run"]


@pytest.mark.parametrize(
    ("state", "word"), [("SUCCEEDED", "not needed"), ("FAILED", "not run"), ("RUNNING", "not run")]
)
def test_what_did_not_run_is_dim_and_called_so(state: str, word: str) -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system="standard")
    untaken = TaskView("promote model", "NOT_TRIGGERED", None, None, "")
    console.print(watching.picture(RunView(state, "", (task("tune model", "SUCCEEDED", 3), untaken))))
    tuned, promoted = file.getvalue().splitlines()
    assert word in promoted and "not_triggered" not in promoted
    assert "\x1b[2mpromote model" in promoted and "\x1b[2mtune model" not in tuned


def test_away_from_a_terminal_nothing_is_said_of_what_did_not_run() -> None:
    file = io.StringIO()
    untaken = TaskView("promote model", "NOT_TRIGGERED", None, None, "")
    view = RunView(DONE, "", (task("tune model", "SUCCEEDED", 3), untaken))
    watching.watch(Scripted(view), Console(file=file, width=80), lambda: None)
    assert file.getvalue().splitlines() == ["✓ tune model succeeded 3.0 s"]


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (
            RunView(
                "FAILED",
                "job failed",
                (
                    task("prepare data", "SUCCEEDED"),
                    task("tune model", "FAILED", error="gemini_sft.errors.TuningError: ended as FAILED: no space"),
                    task("evaluate base model", "FAILED", error="MemoryError"),
                    task("extract metrics", "CANCELLED", error="upstream"),
                ),
            ),
            "task 'tune model' failed: ended as FAILED: no space; task 'evaluate base model' failed: MemoryError",
        ),
        (RunView("FAILED", "job failed", (task("a", "FAILED"),)), "job failed"),
        (RunView("CANCELLED", "", ()), "the run ended as CANCELLED"),
    ],
)
def test_a_failure_names_task_and_cause(view: RunView, message: str) -> None:
    assert failure(view) == message


def test_what_is_being_done_stands_below_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_DOING_SECONDS", 0.01)
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system=None)
    said = "answers of m: 5 of 9"
    watching.watch(Scripted(*VIEWS), console, lambda: time.sleep(0.02), lambda: [said])
    assert said in file.getvalue()


def test_away_from_a_terminal_what_is_being_done_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_DOING_SECONDS", 0.01)
    monkeypatch.setattr(watching, "_TOLD_SECONDS", 0.02)
    file, said = io.StringIO(), "answers of m: 5 of 9"
    watching.watch(Scripted(*VIEWS), Console(file=file, width=80), lambda: time.sleep(0.05), lambda: [said])
    assert f"  {said}\n" in file.getvalue()
