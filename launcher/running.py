"""`gemini-sft run`: from an experiment file to a verdict."""

import contextlib
import errno
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from gemini_sft.errors import RunError, UserError
from gemini_sft.experiment import Experiment, load_experiment
from launcher import results
from launcher.compiling import compile_pipeline
from launcher.emulator import EmulatorProcess, embedded_emulator, enter
from launcher.staging import check_data, resolve_data, stage
from launcher.submission import Run, RunView, new_run_id
from launcher.target import Target, choose_target
from launcher.watching import watch

_CANCEL_SECONDS = 8.0
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
    with _disk_errors(request.data_dir), contextlib.ExitStack() as stack:
        emulator = None if request.on_vertex else stack.enter_context(embedded_emulator(request.data_dir))
        if emulator:
            console.print("Starting the local emulator ...")
        target = _target(request, emulator)
        template = compile_pipeline("finetune", request.data_dir / "compiled")
        view, folder = _execute(experiment, template, target, request, console, progress, emulator)
        return results.summary(progress.run_id or "", view.state, folder, progress.seconds)


@contextlib.contextmanager
def _disk_errors(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Errors of the network are OSErrors too, but name no file.
        if error.filename is None and error.errno != errno.ENOSPC:
            raise
        what = f"{error.filename or data_dir}: {error.strerror}"
        raise UserError(f"cannot write: {what}; free some space, or choose another --data-dir") from error


def _target(request: RunRequest, emulator: EmulatorProcess | None) -> Target:
    if emulator is None:
        target = choose_target(request.project, request.location, request.bucket, request.service_account)
        if "/" not in os.environ.get("GEMINI_SFT_IMAGE", ""):
            raise UserError(
                "the components need an image that Vertex AI can pull: build one with `make image IMAGE=...`, push it,"
                " and set GEMINI_SFT_IMAGE to its address in Artifact Registry"
            )
        return target
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
    try:
        submitted.submit()
        console.print(f"Run {progress.run_id} on {'Vertex AI' if request.on_vertex else 'the local emulator'}")
        view = watch(submitted, console, emulator.require_alive if emulator else lambda: None)
    except KeyboardInterrupt:
        over = submitted.cancel(_CANCEL_SECONDS)
        if request.on_vertex:
            fate = "is cancelled" if over else "may still go on: look at it in the console of Vertex AI"
            console.print(f"The run {progress.run_id} {fate}.")
        raise
    except RunError as error:
        if emulator:
            emulator.require_alive()
            raise
        raise RunError(f"{error} (the run {progress.run_id} goes on at Vertex AI)") from error
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
