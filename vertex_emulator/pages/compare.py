"""Two runs side by side: what they were given, how long their tasks took, and what these measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import compress
from operator import not_
from typing import Any

from vertex_emulator.pages.runs import Run
from vertex_emulator.pages.tasks import Task, task_tree
from vertex_emulator.pages.telling import duration, value


@dataclass(frozen=True)
class Row:
    """A line of a comparison; a side that has nothing is empty, and so is the difference of what is no number."""

    name: str
    a: str
    b: str
    difference: str = ""

    @property
    def differs(self) -> bool:
        """Whether the sides are not the same."""
        return self.a != self.b


@dataclass(frozen=True)
class Comparison:
    """Two runs.

    Attributes:
        parameters: Those of the runs, what differs first.
        tasks: Times of the tasks, in the order in which they began.
        metrics: Names of a task and its port, and the rows of what was measured there.
        alone: The same of what only one of the runs has measured.
    """

    a: Run
    b: Run
    parameters: list[Row]
    tasks: list[Row]
    metrics: list[tuple[str, list[Row]]]
    alone: list[tuple[str, list[Row]]]


def compare(a: Run, b: Run) -> Comparison:
    """Puts two runs side by side; tasks of the same unique name belong together."""
    trees = (_tasks(a), _tasks(b))
    paths = list(dict.fromkeys([*trees[0], *trees[1]]))
    metrics = [(name, rows) for name, rows in _metrics(paths, *trees) if rows]
    shared = [any(row.a and row.b for row in rows) for _, rows in metrics]
    return Comparison(
        a,
        b,
        sorted(_parameters(a.given, b.given), key=lambda row: not row.differs),
        [_times(path, trees[0].get(path), trees[1].get(path)) for path in paths],
        list(compress(metrics, shared)),
        list(compress(metrics, map(not_, shared))),
    )


def _parameters(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Row]:
    for name in sorted(set(a) | set(b)):
        yield Row(name, *(value(side[name]) if name in side else "" for side in (a, b)))


def _tasks(run: Run) -> dict[str, Task]:
    """Returns the tasks that do something by their paths, in the order in which they began."""
    tasks = [task for task in task_tree(run.job).walk() if task.path and not task.holds]
    tasks.sort(key=lambda task: task.order)
    return {task.path: task for task in tasks}


def _times(path: str, a: Task | None, b: Task | None) -> Row:
    one = a or b
    assert one is not None, path
    seconds = [task.seconds if task else None for task in (a, b)]
    difference = "" if seconds[0] is None or seconds[1] is None else _signed(seconds[1] - seconds[0], duration)
    return Row(_within(one), _told(a), _told(b), difference)


def _told(task: Task | None) -> str:
    if task is None:
        return ""
    return duration(task.seconds) if task.state.word == "succeeded" else f"{task.state.word} {duration(task.seconds)}"


def _within(task: Task) -> str:
    return f"{task.name} ({task.within})" if task.within else task.name


def _metrics(paths: list[str], a: Mapping[str, Task], b: Mapping[str, Task]) -> Iterator[tuple[str, list[Row]]]:
    for path in paths:
        sides = [_measured(tree.get(path)) for tree in (a, b)]
        one = a.get(path) or b[path]
        for port in dict.fromkeys([*sides[0], *sides[1]]):
            left, right = sides[0].get(port, {}), sides[1].get(port, {})
            names = sorted(set(left) | set(right))
            yield f"{_within(one)}: {port}", [_measure(name, left.get(name), right.get(name)) for name in names]


def _measured(task: Task | None) -> dict[str, Mapping[str, Any]]:
    artifacts = task.artifacts("outputs") if task else []
    return {port: one["metadata"] for port, one in artifacts if one.get("schemaTitle") == "system.Metrics"}


def _measure(name: str, a: Any, b: Any) -> Row:
    numbers = [side for side in (a, b) if isinstance(side, int | float) and not isinstance(side, bool)]
    difference = _signed(numbers[1] - numbers[0], value) if len(numbers) == 2 else ""
    return Row(name, "" if a is None else value(a), "" if b is None else value(b), difference)


def _signed(number: float, told: Any) -> str:
    if not number:
        return "0"
    return f"{'+' if number > 0 else '−'}{told(abs(number))}"
