"""`gemini-sft run`: from an experiment file to a verdict."""

import contextlib
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from gemini_sft.errors import RunError
from gemini_sft.experiment import Experiment, load_experiment
from launcher import results
from launcher.compiling import compile_pipeline
from launcher.emulator import EmulatorProcess, embedded_emulator, enter
from launcher.staging import check_data, resolve_data, stage
from launcher.submission import Run, RunView, new_run_id
from launcher.target import Target, choose_target
from launcher.watching import watch

_OUR_ERRORS = re.compile(r"^gemini_sft\.errors\.\w+: ")


@dataclass(frozen=True)
class RunRequest:
    """What the user asked for.

    Attributes:
        experiment_file: Path of the YAML file.
        overrides: `key=value` texts over it.
        on_vertex: On Vertex AI, instead of the embedded emulator.
        data_dir: Where the emulator keeps its data and where results are put.
        project: For Vertex AI; None to take it from the environment.
        location: Likewise.
        bucket: Likewise; None for one named after the project.
        service_account: What the pipeline runs as on Vertex AI.
    """

    experiment_file: Path
    overrides: Sequence[str] = ()
    on_vertex: bool = False
    data_dir: Path = Path(".local")
    project: str | None = None
    location: str | None = None
    bucket: str | None = None
    service_account: str | None = None


@dataclass
class Progress:
    """How far a run has come, for whoever has to speak of it when it breaks."""

    started: float = field(default_factory=time.monotonic)
    run_id: str | None = None

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.started


def run(request: RunRequest, console: Console, progress: Progress) -> dict[str, Any]:
    """Runs an experiment to its end.

    Returns:
        The object that `--json` prints.

    Raises:
        UserError: Something that the user gave is wrong; nothing has been started, or Vertex AI refused it.
        RunError: The run failed; the text names the task and the cause.
    """
    experiment = load_experiment(str(request.experiment_file), request.overrides)
    experiment = resolve_data(experiment, str(request.experiment_file))
    check_data(experiment)
    with contextlib.ExitStack() as stack:
        emulator = None if request.on_vertex else stack.enter_context(embedded_emulator(request.data_dir))
        target = _target(request, emulator)
        template = compile_pipeline("finetune", request.data_dir / "compiled")
        view, folder = _execute(experiment, template, target, request, console, progress, emulator)
        return results.summary(progress.run_id or "", view.state, folder, progress.seconds)


def _target(request: RunRequest, emulator: EmulatorProcess | None) -> Target:
    if emulator is None:
        return choose_target(request.project, request.location, request.bucket, request.service_account)
    # Before any Google library is imported: google-auth reads its variables only then.
    enter(emulator.environment())
    return choose_target(None, None, request.bucket)


def _execute(
    experiment: Experiment,
    template: Path,
    target: Target,
    request: RunRequest,
    console: Console,
    progress: Progress,
    emulator: EmulatorProcess | None,
) -> tuple[RunView, Path]:
    experiment_uri = stage(experiment, target)
    progress.run_id = new_run_id(experiment.name)
    parameters = {"project": target.project, "location": target.location, "experiment_uri": experiment_uri}
    submitted = Run(template, progress.run_id, target, parameters)
    submitted.submit()
    console.print(f"Run {progress.run_id} on {'Vertex AI' if request.on_vertex else 'the local emulator'}")
    try:
        view = watch(submitted, console, emulator.require_alive if emulator else lambda: None)
    except KeyboardInterrupt:
        submitted.cancel()
        raise
    except RunError:
        if emulator:
            emulator.require_alive()
        raise
    if not view.succeeded:
        raise RunError(_failure(view))
    folder = request.data_dir / "runs" / progress.run_id
    results.fetch(submitted.artifacts(), folder)
    return view, folder


def _failure(view: RunView) -> str:
    """Names the task that failed and why."""
    failed = [task for task in view.tasks if task.state == "FAILED"]
    causes = [f"task {task.name!r} failed: {_OUR_ERRORS.sub('', task.error)}" for task in failed if task.error]
    return "; ".join(causes) or view.error or f"the run ended as {view.state}"
