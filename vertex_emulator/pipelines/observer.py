"""Watches `kfp.local` run a pipeline, and makes it follow Vertex where it does not.

All tasks pass through two functions of kfp's orchestrator, one for tasks and one for loops; these are wrapped here.
"""

import contextlib
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from kfp.local import graph_utils, logging_utils, placeholder_utils, status, subprocess_task_handler
from kfp.local.orchestrator import dag_orchestrator, task_spec_utils
from kfp.local.orchestrator import enhanced_dag_orchestrator as orchestrator
from kfp.local.orchestrator.orchestrator_utils import OrchestratorUtils

from vertex_emulator.pipelines.caching import Executions
from vertex_emulator.pipelines.causes import without_colors
from vertex_emulator.pipelines.task_process import Processes, TaskProcess
from vertex_emulator.pipelines.values import described

Emit = Callable[[dict[str, Any]], None]
Result = tuple[dict[str, Any], Any]

_ITERATION = re.compile(r"-iteration-\d+$")


@dataclass
class _Attempt:
    log: Path | None = None
    cause: str | None = None


class Observer:
    """Reports every task's start and end.

    Args:
        emit: Takes the events: JSON objects, from any thread.
        job_name: The pipeline job's resource name, which exit tasks are told.
        logs: Folder for the lines of tasks.
        executions: What tasks gave before, for those that need not be run again.
        fail_fast: Whether to start no new tasks after a failure, except exit tasks.
        cancelled: Whether the job was cancelled, and nothing but its exit tasks is to run any more.
    """

    def __init__(
        self, emit: Emit, job_name: str, logs: Path, executions: Executions, *, fail_fast: bool, cancelled: bool
    ) -> None:
        self._emit = emit
        self._job_name = job_name
        self._logs = logs
        self._executions = executions
        self._fail_fast = fail_fast
        self._cancelled = cancelled
        self._failures: list[str] = []
        self._scope: ContextVar[str] = ContextVar("scope")
        self._attempt: ContextVar[_Attempt] = ContextVar("attempt")
        self._loops: dict[tuple[int, str], str] = {}

    def install(self, processes: Processes, python: str | None) -> None:
        """Puts itself into `kfp.local`, for good: one process runs one pipeline; for `python` see `TaskProcess`."""
        self._processes = processes
        handler = partial(TaskProcess, processes=processes, python=python, begin=self._begin, report=self._note)
        subprocess_task_handler.SubprocessTaskHandler = handler
        self._execute_task = orchestrator.execute_task
        self._run_loop = orchestrator._run_parallel_for_task
        orchestrator.execute_task = self.execute_task
        orchestrator._run_parallel_for_task = self.run_loop
        # The plain orchestrator stops at the first failure; Vertex runs whatever does not depend on it.
        dag_orchestrator.run_dag = orchestrator.run_enhanced_dag
        graph_utils.topological_sort_tasks = _sorted_tasks
        for name in ("replace_placeholders", "recursively_resolve_json_dict_placeholders"):
            setattr(placeholder_utils, name, _with_job_name(getattr(placeholder_utils, name)))
        for color in ("CYAN", "GREEN", "RED", "MAGENTA", "RESET"):
            setattr(logging_utils.Color, color, "")
        self._scope.set("")

    @property
    def failure(self) -> str | None:
        """Which tasks failed and why, in Vertex's manner; None if none did."""
        if not self._failures:
            return None
        names = ", ".join(failure.partition(":")[0] for failure in self._failures)
        causes = "; ".join(self._failures)
        return f"The DAG failed because some tasks failed. The failed tasks are: [{names}].; {causes}"

    def execute_task(self, **call: Any) -> Result:
        """Runs a task or a nested pipeline; takes what kfp's `execute_task` does."""
        name, spec = call["task_name"], call["task_spec"]
        failed_fast = self._fail_fast and self._failures and not _runs_after_failure(spec)
        over = self._cancelled and not producers(spec)
        if failed_fast or over or self._processes.stopping:
            return {}, status.Status.FAILURE
        call["task_spec"] = self._with_final_status(spec, call["io_store"])
        component = call["components"][spec.component_ref.name]
        path = self._path(call["io_store"], name)
        self._started(path, _kind(component, call["executors"]), _inputs(component, call), component)
        key = self._cache_key(component, call)
        known = self._executions.find(key) if key else None
        if known is not None:
            _keep_types(component, known)
            self._emit({"event": "task_skipped", "task": path, "outputs": described(known)})
            return known, status.Status.SUCCESS
        outer = self._scope.set(path)
        attempt = _Attempt()
        before = self._attempt.set(attempt)
        try:
            outputs, result = self._execute_task(**call)
            _keep_types(component, outputs)
        except Exception as error:
            # Let through, it would end the pipeline here and now, without its exit tasks.
            outputs, result = {}, status.Status.FAILURE
            attempt.cause = without_colors(f"{type(error).__name__}: {error}")
        finally:
            self._scope.reset(outer)
            self._attempt.reset(before)
        if key and result == status.Status.SUCCESS:
            self._executions.keep(key, outputs)
        self._finished(path, result == status.Status.SUCCESS, attempt, outputs)
        return outputs, result

    def _cache_key(self, component: Any, call: dict[str, Any]) -> str | None:
        """Returns what a task's outputs are kept by; None if it is to be run in any case."""
        spec, executor = call["task_spec"], call["executors"].get(component.executor_label)
        if not spec.caching_options.enable_cache or executor is None or executor.WhichOneof("spec") != "container":
            return None
        try:
            return self._executions.key(
                component, executor, OrchestratorUtils.make_task_arguments(spec.inputs, call["io_store"])
            )
        except ValueError:  # an input that is missing: kfp meets the same when it runs the task, and says it then
            return None

    def run_loop(self, **call: Any) -> bool:
        """Runs a loop; takes what kfp's `_run_parallel_for_task` does and returns whether it failed."""
        if self._cancelled:
            return True
        name, io_store = call["task_name"], call["io_store"]
        path = self._path(io_store, name)
        # Its iterations come back through `execute_task`, from other threads, which do not know the scope.
        self._loops[id(io_store), name] = path
        self._started(path, "loop", {}, None)
        attempt = _Attempt()
        try:
            failed = bool(self._run_loop(**call))
        except Exception as error:
            failed = True
            attempt.cause = without_colors(f"{type(error).__name__}: {error}")
        self._finished(path, not failed, attempt, {})
        return failed

    def _begin(self) -> Path:
        """Tells that a process of the task under way starts; returns a file for its lines."""
        file = f"{uuid.uuid4().hex}.jsonl"
        self._emit({"event": "container_started", "task": self._scope.get(), "lines": file})
        return self._logs / file

    def _note(self, log: Path, cause: str | None) -> None:
        attempt = self._attempt.get()
        attempt.log, attempt.cause = log, cause

    def _path(self, io_store: Any, name: str) -> str:
        scope = self._scope.get(None)
        if scope is None:
            scope = self._loops[id(io_store), name.rpartition("-iteration-")[0]]
        return f"{scope}.{name}" if scope else str(name)

    def _started(self, path: str, kind: str, inputs: dict[str, Any], component: Any) -> None:
        tasks = display_names(component.dag) if kind == "dag" else {}
        self._emit({"event": "task_started", "task": path, "kind": kind, "tasks": tasks, "inputs": described(inputs)})

    def _finished(self, path: str, succeeded: bool, attempt: _Attempt, outputs: dict[str, Any]) -> None:
        event: dict[str, Any] = {"event": "task_finished", "task": path, "succeeded": succeeded}
        if not succeeded and attempt.cause:
            cause = attempt.cause + (f" (log: {attempt.log})" if attempt.log else "")
            self._failures.append(f"{_known_as(path)}: {cause}")
            event["cause"] = cause
        self._emit({**event, "outputs": described(outputs)})

    def _with_final_status(self, spec: Any, io_store: Any) -> Any:
        """Tells an exit task what Vertex tells it: the job's name and the error, which kfp.local makes up."""
        told = type(spec)()
        told.CopyFrom(spec)
        for parameter in told.inputs.parameters.values():
            if parameter.HasField("task_final_status"):
                producer = parameter.task_final_status.producer_task
                state = "CANCELLED" if self._cancelled else "SUCCEEDED"
                if not self._cancelled:
                    with contextlib.suppress(ValueError):  # not known: a task that did not run
                        state = io_store.get_task_status(producer)
                errors = {
                    "FAILED": {"code": 9, "message": self.failure},
                    "CANCELLED": {"code": 1, "message": "The job was cancelled."},
                }
                parameter.runtime_value.constant.struct_value.update(
                    {
                        "state": state,
                        "pipelineJobResourceName": self._job_name,
                        "pipelineTaskName": producer,
                        "error": errors.get(state, {}),
                    }
                )
        return told


def display_names(dag: Any) -> dict[str, str]:
    """Returns what the user calls each task of a dag, by the task's own name and in the order of these."""
    return {name: task.task_info.name or name for name, task in sorted(dag.tasks.items())}


def producers(spec: Any) -> list[str]:
    """Returns whose final status a task is told; nobody's if it is no exit task."""
    parameters = spec.inputs.parameters.values()
    return [one.task_final_status.producer_task for one in parameters if one.HasField("task_final_status")]


def _known_as(path: str) -> str:
    """Returns what failures call a task: its own name; in a loop, which iteration's it is."""
    steps = path.split(".")
    first = next((number for number, step in enumerate(steps) if _ITERATION.search(step)), len(steps) - 1)
    return ".".join(steps[first:])


def _kind(component: Any, executors: Any) -> str:
    if component.WhichOneof("implementation") == "dag":
        return "dag"
    return str(executors[component.executor_label].WhichOneof("spec"))


def _runs_after_failure(spec: Any) -> bool:
    return bool(spec.trigger_policy.strategy == spec.trigger_policy.ALL_UPSTREAM_TASKS_COMPLETED)


def _inputs(component: Any, call: dict[str, Any]) -> dict[str, Any]:
    try:
        if component.WhichOneof("implementation") == "dag":
            arguments = task_spec_utils.build_nested_dag_arguments(
                call["task_name"], call["task_spec"], component, call["io_store"]
            )
            return dict(arguments)
        return dict(OrchestratorUtils.make_task_arguments(call["task_spec"].inputs, call["io_store"]))
    except Exception:  # kfp meets the same when it runs the task, and says it then
        return {}


def _with_job_name(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Makes `{{$.pipeline_job_name}}` the job's name in loops too; kfp.local puts the loop's and more behind it."""

    def resolved(*given: Any, pipeline_resource_name: str, **others: Any) -> Any:
        return resolve(*given, pipeline_resource_name=pipeline_resource_name.partition("/")[0], **others)

    return resolved


def _sorted_tasks(tasks: Any) -> list[str]:
    """Orders tasks by need, then by name; kfp.local's order is that of a protobuf map, another one in every run."""
    names: list[str] = graph_utils.topological_sort(dict(sorted(graph_utils.build_dependency_map(tasks).items())))
    return names


def _keep_types(component: Any, outputs: dict[str, Any]) -> None:
    """Gives artifacts of other schemas than kfp's own, such as `google.VertexModel`, back what kfp.local forgets."""
    for port, definition in component.output_definitions.artifacts.items():
        value = outputs.get(port)
        for artifact in value if isinstance(value, list) else [value] if value is not None else []:
            if definition.artifact_type.schema_title:
                artifact.schema_title = definition.artifact_type.schema_title
                artifact.schema_version = definition.artifact_type.schema_version
