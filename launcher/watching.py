"""Following a run on the terminal."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from launcher.submission import RunView
from launcher.tasks import NOT_TRIGGERED, SKIPPED, TaskView

_FIRST_POLL_SECONDS = 0.5
_LONGEST_POLL_SECONDS = 15.0
_POLLS_AT_FIRST_PACE = 120
_DOING_SECONDS = 1.0
_TOLD_SECONDS = 60.0

_LOOKS = {
    "SUCCEEDED": ("✓", "green"),
    SKIPPED: ("✓", "dim"),
    "RUNNING": ("●", "cyan"),
    "FAILED": ("✗", "bold red"),
    "CANCELLED": ("✗", "yellow"),
}
_WAITING = ("·", "dim")
_NEVER = datetime.max.replace(tzinfo=UTC)


class Watched(Protocol):
    """A run that can be looked at."""

    def view(self) -> RunView:
        """Returns the run as it stands now."""


def watch(run: Watched, console: Console, check: Callable[[], None], doing: Callable[[], list[str]] = list) -> RunView:
    """Shows the tasks of a run until it has ended.

    On a terminal the picture is redrawn; elsewhere each change is one line, and every minute what is being done.

    Args:
        run: A submitted run.
        console: Where to show it.
        check: Called before every look at the run; may raise to give up.
        doing: Called now and then; returns lines that say how far something is.

    Returns:
        The run as it ended.
    """
    with _Latest(doing) as latest:
        if not console.is_terminal:
            return _follow(run, check, _Changes(console, latest).show)
        with Live(console=console, refresh_per_second=4) as live:
            return _follow(run, check, lambda view: live.update(picture(view, latest.lines), refresh=True))


class _Latest:
    """What is being done, asked for beside the watching: nobody waits for it, whatever becomes of the service."""

    def __init__(self, doing: Callable[[], list[str]]) -> None:
        self.lines: list[str] = []
        self._doing = doing
        self._over = threading.Event()

    def __enter__(self) -> "_Latest":
        threading.Thread(target=self._ask, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def _ask(self) -> None:
        while not self._over.wait(_DOING_SECONDS):
            self.lines = self._doing()


def _follow(run: Watched, check: Callable[[], None], show: Callable[[RunView], None]) -> RunView:
    polls = 0
    while True:
        check()
        view = run.view()
        show(view)
        if view.ended:
            return view
        polls += 1
        late = max(0, polls - _POLLS_AT_FIRST_PACE)
        time.sleep(min(_FIRST_POLL_SECONDS + 0.5 * late, _LONGEST_POLL_SECONDS))


def picture(view: RunView, doing: Sequence[str] = ()) -> Group:
    """Returns the tasks of a run as a table (sign, name, state, duration), and what is being done below it."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    for task in view.tasks:
        sign, style = _LOOKS.get(task.state, _WAITING)
        name = Text(task.name, "dim" if task.state == NOT_TRIGGERED else "")
        table.add_row(Text(sign, style), name, Text(_word(task, view), style), Text(_duration(task), "dim"))
    lines = [Text(f"   {line}", "cyan", no_wrap=True, overflow="ellipsis") for line in doing]
    return Group(table, *lines)


class _Changes:
    """Prints a line for every task that has changed its state, and now and then what is being done."""

    def __init__(self, console: Console, latest: _Latest) -> None:
        self._console = console
        self._latest = latest
        self._told = time.monotonic()
        self._states: dict[str, str] = {}

    def show(self, view: RunView) -> None:
        # Those that ended first: what they end lets others begin.
        for task in sorted(view.tasks, key=lambda task: (task.ended is None, task.ended or task.started or _NEVER)):
            if task.state not in ("PENDING", NOT_TRIGGERED, self._states.get(task.name)):
                self._states[task.name] = task.state
                sign, style = _LOOKS.get(task.state, _WAITING)
                line = f"{sign} {task.name} {_word(task, view)} {_duration(task) if task.ended else ''}"
                self._console.print(Text(line.rstrip(), style))
        if time.monotonic() - self._told >= _TOLD_SECONDS:
            self._told = time.monotonic()
            for line in self._latest.lines:
                self._console.print(Text(f"  {line}", "dim"), soft_wrap=True)


def _word(task: TaskView, view: RunView) -> str:
    """Returns how a task stands; of one that did not run, why not."""
    if task.state == NOT_TRIGGERED:
        return "not needed" if view.succeeded else "not run"
    if task.state == SKIPPED:
        return "taken from an earlier run"
    return task.state.lower()


def _duration(task: TaskView) -> str:
    if task.started is None or task.state == SKIPPED:
        return ""
    return f"{((task.ended or datetime.now(UTC)) - task.started).total_seconds():.1f} s"
