"""The process that runs one pipeline job: `python -m vertex_emulator.pipelines.runner FOLDER`.

`FOLDER/order.json` says what to run. Events go to standard output, one JSON object a line; what kfp prints goes to
standard error. The end of standard input means that the emulator is gone: then this process and its tasks are killed.
It must be the leader of a process group, which belongs to it and its tasks alone.
"""

import json
import os
import signal
import sys
import threading
import types
import warnings
from pathlib import Path
from typing import Any


class _Events:
    """Standard output, taken away from everybody else."""

    def __init__(self) -> None:
        self._pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
        self._lock = threading.Lock()
        os.dup2(2, 1)

    def emit(self, event: dict[str, Any]) -> None:
        with self._lock:
            self._pipe.write(json.dumps(event) + "\n")
            self._pipe.flush()


def _die_with_the_emulator() -> None:
    while os.read(0, 4096):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _leave_out_the_client() -> None:
    """Spares two thirds of kfp's import: its client of a Kubernetes cluster, with all of Kubernetes' models."""
    client = types.ModuleType("kfp.client")
    client.Client = None  # type: ignore[attr-defined]
    sys.modules["kfp.client"] = client


def _run(order: dict[str, Any], events: _Events) -> None:
    from google.protobuf import json_format
    from kfp import local
    from kfp.local import executor_input_utils, pipeline_orchestrator
    from kfp.pipeline_spec import pipeline_spec_pb2

    from vertex_emulator.pipelines import conditions, placeholders
    from vertex_emulator.pipelines.caching import Executions
    from vertex_emulator.pipelines.observer import Observer, display_names, producers
    from vertex_emulator.pipelines.task_process import Processes

    processes = Processes()
    signal.signal(signal.SIGTERM, lambda *_: processes.stop())
    spec = json_format.ParseDict(order["pipelineSpec"], pipeline_spec_pb2.PipelineSpec())
    observer = Observer(
        events.emit,
        order["jobName"],
        Path(order["logs"]),
        Executions(Path(order["executions"]), order["jobName"], spec.pipeline_info.name, order["taskPython"]),
        fail_fast=order["failFast"],
        cancelled=order["cancelled"],
    )
    conditions.install()
    placeholders.install(order)
    observer.install(processes, order["taskPython"])
    # Vertex names the run after the job: in `{{$.pipeline_job_name}}`, and in the folder of its artifacts.
    executor_input_utils.get_local_pipeline_resource_name = lambda _: order["jobId"]
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=order["pipelineRoot"],
        workspace_root=order["workspace"],
        raise_on_error=True,
    )
    exit_tasks = {name: whose for name, task in spec.root.dag.tasks.items() if (whose := producers(task))}
    if not order["cancelled"]:
        tasks = display_names(spec.root.dag)
        events.emit({"event": "pipeline_started", "tasks": tasks, "exitTasks": exit_tasks})
    cause = None
    try:
        pipeline_orchestrator.run_local_pipeline(spec, order["parameters"])
    except Exception as error:
        cause = observer.failure or f"{type(error).__name__}: {error}"
    if not order["cancelled"]:
        events.emit({"event": "pipeline_finished", "cause": cause})


def main() -> None:
    """Runs the job that the order in the folder on the command line describes."""
    if os.getpgrp() != os.getpid():
        sys.exit("the runner must lead a process group of its own")
    events = _Events()
    threading.Thread(target=_die_with_the_emulator, daemon=True).start()
    warnings.simplefilter("ignore")  # kfp's, of settings that mean nothing on this machine
    _leave_out_the_client()
    _run(json.loads((Path(sys.argv[1]) / "order.json").read_bytes()), events)


if __name__ == "__main__":
    main()
