"""The tasks of a pipeline job as a tree, from its compiled spec and from what has become of each task."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from vertex_emulator.pages.layered import Edge
from vertex_emulator.pages.telling import UNDER_WAY, State, plain_state, seconds_between, state_of

_ITERATION = re.compile(r"-iteration-(\d+)$")
_SOURCES = ("taskOutputParameter", "taskOutputArtifact", "taskFinalStatus")


@dataclass
class Task:
    """A task, or what holds tasks: an exit handler, a branch, a loop, an iteration, a nested pipeline.

    Attributes:
        path: Its unique name in the job, `loop.loop-iteration-0.train`.
        name: What the user calls it.
        detail: Google's `PipelineTaskDetail` as JSON; empty for a task that was never listed.
        holds: Whether it is of the kind that holds tasks.
        children: The tasks in it.
        edges: Which of the children waits for which, by their paths.
    """

    path: str
    name: str
    detail: Mapping[str, Any]
    holds: bool
    children: list["Task"] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    _unlisted: str = "NOT_TRIGGERED"

    @property
    def id(self) -> str:
        """Its number in the job; nothing for a task that was never listed."""
        return str(self.detail.get("taskId", ""))

    @cached_property
    def state(self) -> State:
        """How it stands."""
        return state_of(self.detail.get("state", self._unlisted))

    @property
    def idle(self) -> bool:
        """Whether nothing ran and nothing will."""
        return plain_state(self.detail.get("state", self._unlisted)) == "NOT_TRIGGERED"

    @property
    def failed(self) -> bool:
        """Whether it went wrong."""
        return self.detail.get("state") == "FAILED"

    @property
    def seconds(self) -> float | None:
        """How long it took, or takes by now; None if it has not begun."""
        return seconds_between(self.detail.get("startTime"), self.detail.get("endTime"))

    @property
    def error(self) -> str:
        """What went wrong, if anything."""
        return str(self.detail.get("error", {}).get("message", ""))

    def walk(self) -> Iterator["Task"]:
        """Yields the task and all that it holds."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def order(self) -> tuple[str, str]:
        """Sorts tasks by when they began; those that did not come last."""
        return str(self.detail.get("startTime", "~")), self.path

    @property
    def within(self) -> str:
        """The iterations of loops that it is in, as `iteration 2`; nothing outside of loops."""
        steps = [match[1] for step in self.path.split(".")[:-1] if (match := _ITERATION.search(step))]
        return f"iteration {'.'.join(steps)}" if steps else ""

    def ports(self, direction: str) -> dict[str, Any]:
        """Returns its parameters by name; `direction` is `input` or `output`."""
        metadata = self.detail.get("execution", {}).get("metadata", {})
        prefix = f"{direction}:"
        return {name.removeprefix(prefix): metadata[name] for name in sorted(metadata) if name.startswith(prefix)}

    def artifacts(self, direction: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Returns its artifacts with the names of their ports; `direction` is `inputs` or `outputs`."""
        ports = self.detail.get(direction, {})
        return [(port, artifact) for port in sorted(ports) for artifact in ports[port].get("artifacts", [])]


def task_tree(job: Mapping[str, Any]) -> Task:
    """Returns a task that stands for the whole job and holds all others.

    Args:
        job: A pipeline job as the API shows it. Tasks that its spec has and that it does not list yet are part of the
            tree: inside a branch, before anybody knows whether it will be taken.
    """
    details = job.get("jobDetail", {}).get("taskDetails", [])
    over = plain_state(job["state"]) not in UNDER_WAY
    builder = _Builder(job["pipelineSpec"].get("components", {}), details, "NOT_TRIGGERED" if over else "PENDING")
    root = Task("", "", {}, holds=True)
    builder.fill(root, job["pipelineSpec"]["root"], ())
    return root


class _Builder:
    def __init__(self, components: Mapping[str, Any], details: list[dict[str, Any]], unlisted: str) -> None:
        self._components = components
        self._details = {detail["taskUniqueName"]: detail for detail in details}
        self._unlisted = unlisted

    def fill(self, task: Task, component: Mapping[str, Any], within: tuple[str, ...]) -> None:
        """Gives a task the children that its component's dag has; `within` are the components that it is part of."""
        specs = component.get("dag", {}).get("tasks", {})
        paths = {name: f"{task.path}.{name}" if task.path else name for name in specs}
        for name in sorted(specs):
            task.children.append(self._task(paths[name], name, specs[name], task, within))
        for name in sorted(specs):
            task.edges += [(paths[one], paths[name]) for one in _waits_for(specs[name]) if one in paths]

    def _task(self, path: str, name: str, spec: Mapping[str, Any], above: Task, within: tuple[str, ...]) -> Task:
        reference = spec.get("componentRef", {}).get("name", "")
        component = self._components.get(reference, {})
        shown = spec.get("taskInfo", {}).get("name") or name
        unlisted = "NOT_TRIGGERED" if above.path and above.idle else self._unlisted
        task = Task(path, shown, self._details.get(path, {}), "dag" in component, _unlisted=unlisted)
        if reference in within:  # a pipeline that is part of itself has no last level
            return task
        iterations = self._iterations(f"{path}.{name}")
        for number, inner_path in iterations:
            inner = Task(inner_path, f"iteration {number}", self._details[inner_path], holds=True, _unlisted=unlisted)
            self.fill(inner, component, (*within, reference))
            task.children.append(inner)
        if not iterations and task.holds:
            self.fill(task, component, (*within, reference))
        return task

    def _iterations(self, prefix: str) -> list[tuple[int, str]]:
        found = []
        for path in self._details:
            match = _ITERATION.search(path)
            if match and path[: match.start()] == prefix:
                found.append((int(match[1]), path))
        return sorted(found)


def _waits_for(spec: Mapping[str, Any]) -> list[str]:
    """Returns the tasks of the same dag that a task comes after, by what it says and by what it takes."""
    names = dict.fromkeys(spec.get("dependentTasks", []))
    for kind in ("parameters", "artifacts"):
        for port in spec.get("inputs", {}).get(kind, {}).values():
            for source in _SOURCES:
                if "producerTask" in port.get(source, {}):
                    names[port[source]["producerTask"]] = None
    return list(names)
