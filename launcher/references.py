"""Whether everything is there that the tasks of a compiled pipeline speak of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]

_CONDITION_INPUT = re.compile(r"inputs\.parameter_values\['([^']*)'\]")
_OUTPUTS = (("taskOutputParameter", "outputParameterKey"), ("taskOutputArtifact", "outputArtifactKey"))
_WHATEVER_HAPPENS = "ALL_UPSTREAM_TASKS_COMPLETED"


def dangling(spec: Document) -> Iterator[str]:
    """Yields what leads nowhere in a PipelineSpec: in the pipeline itself, and in each exit handler, branch and loop.

    A task's inputs must come from its own dag, of tasks that it waits for, or from what that dag is given; what the
    task's component needs must be given; its condition and its loop may speak only of its own inputs.
    """
    components = spec.get("components", {})
    yield from _Dag("root", spec["root"], components).dangling()
    for name, component in components.items():
        yield from _Dag(name, component, components).dangling()


@dataclass(frozen=True)
class _Dag:
    """A component that may hold tasks, with its name and all components."""

    name: str
    component: Document
    components: Document

    @property
    def tasks(self) -> Document:
        tasks: Document = self.component.get("dag", {}).get("tasks", {})
        return tasks

    def dangling(self) -> Iterator[str]:
        for name, task in self.tasks.items():
            place = f"{self.name}.{name}"
            called = self.components.get(task["componentRef"]["name"])
            if called is None:
                yield f"{place}: there is no component {task['componentRef']['name']}"
                continue
            yield from self._task(place, task, _ports(called, "inputDefinitions"))
        yield from self._outputs()

    def _task(self, place: str, task: Document, ports: Document) -> Iterator[str]:
        given = _inputs(task)
        for other in task.get("dependentTasks", []):
            if other not in self.tasks:
                yield f"{place}: waits for {other}, which is not in the same dag"
        for port, source in given.items():
            yield from self._source(f"{place}.{port}", source, task)
        for port, definition in ports.items():
            if port not in given and not (definition.get("isOptional") or "defaultValue" in definition):
                yield f"{place}: nothing is given for {port}"
        for port in _CONDITION_INPUT.findall(task.get("triggerPolicy", {}).get("condition", "")):
            if port not in given:
                yield f"{place}: its condition speaks of {port!r}, which it is not given"
        items = task.get("parameterIterator", {}).get("items", {}).get("inputParameter")
        if items is not None and items not in given:
            yield f"{place}: loops over {items!r}, which it is not given"

    def _source(self, place: str, source: Document, task: Document) -> Iterator[str]:
        own = _ports(self.component, "inputDefinitions")
        for key in ("componentInputParameter", "componentInputArtifact"):
            if key in source and source[key] not in own:
                yield f"{place}: dangling {key} {source[key]!r}"
        for key, port in _OUTPUTS:
            if key in source:
                producer = source[key]["producerTask"]
                yield from self._output(place, producer, source[key][port])
                if producer in self.tasks and producer not in task.get("dependentTasks", []):
                    yield f"{place}: takes an output of {producer} but does not wait for it"
        if told := source.get("taskFinalStatus"):
            producer = told["producerTask"]
            if producer not in self.tasks:
                yield f"{place}: is told the end of {producer}, which is not in the same dag"
            elif producer not in task.get("dependentTasks", []):
                yield f"{place}: is told the end of {producer} but does not wait for it"
            elif task.get("triggerPolicy", {}).get("strategy") != _WHATEVER_HAPPENS:
                yield f"{place}: is told the end of {producer} but does not run when that fails"

    def _output(self, place: str, producer: str, port: str) -> Iterator[str]:
        if producer not in self.tasks:
            yield f"{place}: takes an output of {producer}, which is not in the same dag"
            return
        made = self.components.get(self.tasks[producer]["componentRef"]["name"], {})
        if port not in _ports(made, "outputDefinitions"):
            yield f"{place}: {producer} has no output {port!r}"

    def _outputs(self) -> Iterator[str]:
        """Checks what the dag gives: each of its outputs is one of a task in it."""
        outputs = self.component.get("dag", {}).get("outputs", {})
        for name, output in {**outputs.get("parameters", {}), **outputs.get("artifacts", {})}.items():
            for selector in _selectors(output):
                port = selector.get("outputParameterKey") or selector["outputArtifactKey"]
                yield from self._output(f"{self.name}.{name}", selector["producerSubtask"], port)


def _selectors(output: Document) -> list[Document]:
    one = [output["valueFromParameter"]] if "valueFromParameter" in output else []
    one_of = output.get("valueFromOneof", {}).get("parameterSelectors", [])
    return [*one, *one_of, *output.get("artifactSelectors", [])]


def _ports(component: Document, side: str) -> Document:
    definitions = component.get(side, {})
    return {**definitions.get("parameters", {}), **definitions.get("artifacts", {})}


def _inputs(task: Document) -> Document:
    inputs = task.get("inputs", {})
    iterated: dict[str, Document] = {
        task[iterator]["itemInput"]: {} for iterator in ("parameterIterator", "artifactIterator") if iterator in task
    }
    return {**iterated, **inputs.get("parameters", {}), **inputs.get("artifacts", {})}
