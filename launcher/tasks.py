"""The tasks of a run: which of them do something, what they are called, and how they stand."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

NOT_TRIGGERED = "NOT_TRIGGERED"
"""The state of a task that did not run: its branch was not taken, or what it needs was not there."""
SKIPPED = "SKIPPED"
"""The state of a task whose outputs are those of an earlier run, which was given the same."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# The parser in C says the same ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class TaskView:
    """One task as it stands now; `state` is a word such as RUNNING."""

    name: str
    state: str
    started: datetime | None
    ended: datetime | None
    error: str


class Tasks:
    """The tasks of a compiled pipeline, to be found in what Vertex AI tells of a run.

    Tasks that hold others, at any depth, are no tasks to a person: exit handlers, branches, loops and their turns.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        """Takes what `read_pipeline` returns."""
        self._names: dict[str, str] = {}
        self._groups: set[str] = set()
        self._loops: set[str] = set()
        for part in (spec["root"], *spec["components"].values()):
            for key, task in part.get("dag", {}).get("tasks", {}).items():
                shown = task["taskInfo"]["name"]
                # "The user specified name", which Vertex AI tells, may be a task's own or the one for display.
                both = {key, shown}
                if "dag" not in spec["components"][task["componentRef"]["name"]]:
                    self._names |= dict.fromkeys(both, shown)
                    continue
                self._groups |= both
                if "parameterIterator" in task or "artifactIterator" in task:
                    self._loops |= both
        self._groups -= self._names.keys()

    def shown(self, name: str) -> str | None:
        """Returns what a task is called that a service names; None if it holds others, or is of no pipeline of ours."""
        return self._names.get(name)

    def named(self, details: Sequence[Any]) -> Iterator[tuple[str, Any]]:
        """Yields the tasks that do something, each with a name of its own.

        A task in a loop is there once for each turn: from the second on, they are numbered.

        Args:
            details: The `task_details` of a pipeline job.
        """
        parents = {detail.parent_task_id for detail in details}
        loops = {detail.task_id for detail in details if detail.task_name in self._loops}
        seen: Counter[str] = Counter()
        # A service lists tasks in any order; started tasks tell the true one.
        for detail in sorted(details, key=lambda detail: time_of(detail.start_time) or _NEVER):
            name = self._names.get(detail.task_name, str(detail.task_name))
            # A group may be there before anything in it is; what a turn is called, no pipeline says.
            turn = detail.parent_task_id in loops and detail.task_name not in self._names
            if detail.task_id in parents or detail.task_name in self._groups or turn:
                continue
            seen[name] += 1
            yield (f"{name} ({seen[name]})" if seen[name] > 1 else name), detail

    def views(self, details: Sequence[Any], *, ended: bool) -> tuple[TaskView, ...]:
        """Returns how these tasks stand, of a run that has ended also those that are not listed.

        Vertex AI need not list what is in a branch that was not taken.
        """
        untaken = _untaken(details)
        views = [_view(name, detail, detail.task_id in untaken) for name, detail in self.named(details)]
        if ended:
            listed = {view.name for view in views}
            names = [name for name in dict.fromkeys(self._names.values()) if name not in listed]
            views += [TaskView(name, NOT_TRIGGERED, None, None, "") for name in names]
        return tuple(views)


def read_pipeline(template: Path) -> dict[str, Any]:
    """Returns the specification in the file of a compiled pipeline."""
    spec: dict[str, Any] = yaml.load(template.read_text("utf-8"), Loader=_LOADER)
    return spec


def _untaken(details: Sequence[Any]) -> set[int]:
    """Returns the ids of the tasks below a group that did not run."""
    above = {detail.task_id: detail.parent_task_id for detail in details}
    closed = {detail.task_id for detail in details if detail.state.name in (NOT_TRIGGERED, SKIPPED)}
    return {task for task in above if closed.intersection(_ancestors(task, above))}


def _ancestors(task: int, above: dict[int, int]) -> Iterator[int]:
    while (task := above.get(task, 0)) in above:
        yield task


def _view(name: str, detail: Any, untaken: bool) -> TaskView:
    return TaskView(
        name=name,
        # A task that is skipped by itself is one whose outputs are known from another run.
        state=NOT_TRIGGERED if untaken else detail.state.name,
        started=time_of(detail.start_time),
        ended=time_of(detail.end_time),
        error=plain(detail.error.message),
    )


def time_of(timestamp: Any) -> datetime | None:
    """Returns a time that Vertex AI tells; None if it is not set, which reads as 1970."""
    return timestamp if timestamp and timestamp.timestamp() > 0 else None


def plain(text: str) -> str:
    """Returns a message without colours."""
    return _ANSI.sub("", text).strip()
