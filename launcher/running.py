"""`gemini-sft run`, `retrain` and `recheck`: from an experiment file to what came of it."""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from gemini_sft import storage
from gemini_sft.errors import DataError, RunError, ServiceError, UserError
from gemini_sft.experiment import Experiment
from gemini_sft.steps.find_models import find_models
from gemini_sft.steps.places import COMMANDS, PROGRESS, beside
from gemini_sft.telling import lines
from launcher import results, retraining
from launcher.checking import Checked, check_data, show_data, show_total
from launcher.compiling import compile_for
from launcher.kubeflow import KubeflowRun, portable
from launcher.labels import run_labels
from launcher.leaving import leave, link_of, require_lasting
from launcher.notifying import told_here, told_there
from launcher.place import Place, Request, Where, at_place, disk_errors
from launcher.preflight.ready import require_ready
from launcher.staging import is_local, stage
from launcher.submission import Run, RunView, new_run_id
from launcher.watching import watch

JOB_FATE = "A tuning job that it has made and that was under way is cancelled: a new run makes another, and pays anew."
AnyRun = Run | KubeflowRun
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
    """Runs an experiment to its end, or only starts it.

    Returns:
        The object that `--json` prints: of `results` for the main pipeline, of `retraining` for the others.

    Raises:
        UserError: Something that the user gave is wrong, the run would cost too much, or the project lacks something;
            nothing has been started, or Vertex AI refused it.
        RunError: The run failed; the text names the task and the cause.
    """
    if not request.wait:
        require_lasting(request)
    experiment = request.experiment()
    if request.on_vertex:
        request.target()
        experiment = told_there(experiment, request.on, console)
    else:
        experiment = told_here(experiment, console)
    with contextlib.ExitStack() as preparing:
        preparing.enter_context(request.alone(experiment, console))
        return _run(experiment, request, preparing, console, progress)


def _run(
    experiment: Experiment, request: Request, preparing: contextlib.ExitStack, console: Console, progress: Progress
) -> dict[str, Any]:
    """Does what `run` does, with an experiment that stands by itself; ends the preparing once the run is submitted."""
    checked = None
    # What lies elsewhere is read where the pipeline runs; what lies here shows its mistakes before anything starts.
    if is_local(experiment):
        with disk_errors(request.data_dir):
            checked = check_data(experiment, request.checks(experiment))
        if checked.problems:
            raise DataError(checked.problems)
        show_data(checked.summary, console)
    with at_place(request, console) as place:
        template = compile_for(experiment, request.compiled(experiment), request.pipeline)
        if request.kubeflow:
            template = portable(template)
        require_ready(experiment, place, template, checked, request, console)
        submitted, experiment_uri = _prepare(experiment, checked, template, place, request, console)
        progress.run_id = submitted.id
        with _cancelled_by_interrupt(submitted, request, place, console):
            submitted.submit()
            preparing.close()
            link = _link(submitted, request, place)
            console.print(f"Run {submitted.id} on {_PLACES[request.on]}{link and f': {link}'}", soft_wrap=True)
            if not request.wait:
                return leave(request, place.target, submitted.id, link, progress.seconds, console)
            view = _watch(submitted, experiment_uri, place, request, console)
        folder = _fetch(submitted, view, experiment, experiment_uri, request)
        summary = results.summary if request.pipeline == "finetune" else retraining.summary
        return summary(submitted.id, view.state, folder, progress.seconds)


def _prepare(
    experiment: Experiment, checked: Checked | None, template: Path, place: Place, request: Request, console: Console
) -> tuple[AnyRun, str]:
    """Stages the experiment; returns its run, which is not submitted yet, and where the experiment is staged."""
    target = place.target
    experiment_uri = stage(experiment, target)
    if checked:
        checked.hand_over_counts(experiment_uri)
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
    run_id = new_run_id(experiment.name)
    parameters = {"project": target.project, "location": target.location, "experiment_uri": experiment_uri}
    storage.write_text(f"{beside(experiment_uri, COMMANDS)}/{run_id}.txt", request.command())
    submitted: AnyRun
    if request.kubeflow:
        account = request.service_account
        submitted = KubeflowRun(request.kubeflow, experiment.name, account, template, run_id, target, parameters)
    else:
        submitted = Run(template, run_id, target, parameters, run_labels(experiment.name, template.stem))
    return submitted, experiment_uri


def _link(submitted: AnyRun, request: Request, place: Place) -> str:
    """Returns where a person can look at a run that was submitted; empty if it is nowhere but here."""
    if isinstance(submitted, KubeflowRun):
        return submitted.link
    return link_of(place.target, submitted.id) if request.on_vertex else ""


def _watch(submitted: AnyRun, experiment_uri: str, place: Place, request: Request, console: Console) -> RunView:
    """Watches a run to its end."""
    try:
        return watch(
            submitted,
            console,
            place.check,
            lambda: lines(beside(experiment_uri, f"{PROGRESS}/{submitted.id}")),
        )
    except RunError as error:
        if place.emulator:
            place.check()
            raise
        teller = _teller(submitted, request, place)
        raise ServiceError(
            f"{error} (the run {submitted.id} goes on at {_PLACES[request.on]}: {teller} tells)"
        ) from error


def _fetch(submitted: AnyRun, view: RunView, experiment: Experiment, experiment_uri: str, request: Request) -> Path:
    """Fetches the results of a run that has ended; returns their folder."""
    folder = request.data_dir / "runs" / submitted.id
    if not view.succeeded:
        kept = ""
        with contextlib.suppress(KeyError, UserError, RunError):  # unless it had come to its verdict
            results.fetch(submitted.artifacts(), folder, experiment, experiment_uri)
            kept = f" (its verdict and report are in {folder})"
        raise RunError(f"{failure(view)}{kept}")
    results.fetch(submitted.artifacts(), folder, experiment, experiment_uri)
    return folder


@contextlib.contextmanager
def _cancelled_by_interrupt(submitted: AnyRun, request: Request, place: Place, console: Console) -> Iterator[None]:
    """Cancels the run when the user interrupts us, and says what becomes of it."""
    try:
        yield
    except KeyboardInterrupt:
        over = submitted.cancel(_CANCEL_SECONDS)
        if place.outlives_us:
            fate = "is cancelled" if over else f"may still go on: {_teller(submitted, request, place)} tells"
            console.print(
                f"The run {submitted.id} {fate}. To leave a run going, start it with --no-wait.", soft_wrap=True
            )
        console.print(JOB_FATE)
        console.print("What models have answered is kept: a new run of the experiment asks for the rest.")
        raise


def _teller(submitted: AnyRun, request: Request, place: Place) -> str:
    """Returns what tells how a run stands: a command, or a page."""
    if isinstance(submitted, KubeflowRun):
        return submitted.link
    return f"`{request.command_on('status', submitted.id, place.target)}`"


def failure(view: RunView) -> str:
    """Names the task that failed and why."""
    failed = [task for task in view.tasks if task.state == "FAILED"]
    causes = [f"task {task.name!r} failed: {_OUR_ERRORS.sub('', task.error)}" for task in failed if task.error]
    return "; ".join(causes) or view.error or f"the run ended as {view.state}"
