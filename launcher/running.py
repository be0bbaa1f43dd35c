"""`gemini-sft run`, `retrain` and `recheck`: from an experiment file to what came of it."""

import contextlib
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from gemini_sft import storage
from gemini_sft.errors import DataError, RunError, UserError
from gemini_sft.experiment import Experiment
from gemini_sft.steps.find_models import find_models
from gemini_sft.steps.places import COMMANDS, PROGRESS, beside
from gemini_sft.telling import lines
from launcher import results, retraining
from launcher.checking import Checked, check_data, show_data, show_total
from launcher.compiling import compile_for, require_image
from launcher.kubeflow import KubeflowRun, portable
from launcher.notifying import told_here, told_there
from launcher.place import Place, Request, Where, at_place, disk_errors
from launcher.staging import is_local, stage
from launcher.submission import Run, RunView, new_run_id
from launcher.target import Target
from launcher.watching import watch

_JOB_FATE = "A tuning job that it has made and that was under way is cancelled: a new run makes another, and pays anew."
_CANCEL_SECONDS = 8.0
_PLACES = {Where.LOCAL: "the local emulator", Where.VERTEX: "Vertex AI", Where.KUBEFLOW: "Kubeflow"}
_OUR_ERRORS = re.compile(r"^gemini_sft\.errors\.\w+: ")


@dataclass
class Progress:
    """How far a run has come, for whoever has to speak of it when it breaks."""

    started: float = field(default_factory=time.monotonic)
    run_id: str | None = None

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.started


def run(request: Request, console: Console, progress: Progress) -> dict[str, Any]:
    """Runs an experiment to its end.

    Returns:
        The object that `--json` prints: of `results` for the main pipeline, of `retraining` for the others.

    Raises:
        UserError: Something that the user gave is wrong, or the run would cost too much; nothing has been started, or
            Vertex AI refused it.
        RunError: The run failed; the text names the task and the cause.
    """
    experiment = request.experiment()
    if request.on_vertex:
        request.target()
        require_image()
        experiment = told_there(experiment, request.on, console)
    else:
        experiment = told_here(experiment, console)
    checked = None
    # What lies elsewhere is read where the pipeline runs; what lies here shows its mistakes before anything starts.
    if is_local(experiment):
        with disk_errors(request.data_dir):
            checked = check_data(experiment, request.checks(experiment))
        if checked.problems:
            raise DataError(checked.problems)
        show_data(checked.summary, console)
    with at_place(request, console) as place:
        template = compile_for(experiment, request.data_dir / "compiled", request.pipeline)
        if request.on is Where.KUBEFLOW:
            template = portable(template)
        view, folder = _execute(experiment, checked, template, place, request, console, progress)
        summary = results.summary if request.pipeline == "finetune" else retraining.summary
        return summary(progress.run_id or "", view.state, folder, progress.seconds)


def _execute(
    experiment: Experiment,
    checked: Checked | None,
    template: Path,
    place: Place,
    request: Request,
    console: Console,
    progress: Progress,
) -> tuple[RunView, Path]:
    target = place.target
    experiment_uri = stage(experiment, target)
    if checked:
        quote, error = checked.quote(target, experiment_uri, request.purpose)
        show_total(quote, console)
        if error:
            raise error
    else:
        find_models(
            project=target.project,
            location=target.location,
            experiment_uri=experiment_uri,
            models_uri=str(request.checks(experiment) / "models.json"),
            purpose=request.purpose,
        )
    progress.run_id = new_run_id(experiment.name)
    parameters = {"project": target.project, "location": target.location, "experiment_uri": experiment_uri}
    storage.write_text(f"{beside(experiment_uri, COMMANDS)}/{progress.run_id}.txt", request.command())
    submitted = _run(experiment, template, progress.run_id, parameters, target, request)
    try:
        submitted.submit()
        console.print(f"Run {progress.run_id} on {_PLACES[request.on]}")
        if isinstance(submitted, KubeflowRun):
            console.print(f"Look at it: {submitted.link}", soft_wrap=True)
        view = watch(
            submitted,
            console,
            place.check,
            lambda: lines(beside(experiment_uri, f"{PROGRESS}/{submitted.id}")),
        )
    except KeyboardInterrupt:
        over = submitted.cancel(_CANCEL_SECONDS)
        if place.outlives_us:
            tells = f"may still go on: {_teller(submitted, request)} tells"
            console.print(f"The run {progress.run_id} {'is cancelled' if over else tells}.", soft_wrap=True)
        console.print(_JOB_FATE)
        console.print("What models have answered is kept: a new run of the experiment asks for the rest.")
        raise
    except RunError as error:
        if place.emulator:
            place.check()
            raise
        raise RunError(f"{error} (the run {progress.run_id} goes on at {_PLACES[request.on]})") from error
    folder = request.data_dir / "runs" / progress.run_id
    if not view.succeeded:
        kept = ""
        with contextlib.suppress(KeyError, UserError, RunError):  # unless it had come to its verdict
            results.fetch(submitted.artifacts(), folder, experiment, experiment_uri)
            kept = f" (its verdict and report are in {folder})"
        raise RunError(f"{_failure(view)}{kept}")
    results.fetch(submitted.artifacts(), folder, experiment, experiment_uri)
    return view, folder


def _run(
    experiment: Experiment,
    template: Path,
    run_id: str,
    parameters: dict[str, str],
    target: Target,
    request: Request,
) -> Run | KubeflowRun:
    if request.kubeflow:
        account = request.service_account
        return KubeflowRun(request.kubeflow, experiment.name, account, template, run_id, target, parameters)
    return Run(template, run_id, target, parameters)


def _teller(submitted: Run | KubeflowRun, request: Request) -> str:
    """Returns what tells how a run stands."""
    return submitted.link if isinstance(submitted, KubeflowRun) else f"`{request.status_command(submitted.id)}`"


def _failure(view: RunView) -> str:
    """Names the task that failed and why."""
    failed = [task for task in view.tasks if task.state == "FAILED"]
    causes = [f"task {task.name!r} failed: {_OUR_ERRORS.sub('', task.error)}" for task in failed if task.error]
    return "; ".join(causes) or view.error or f"the run ended as {view.state}"
