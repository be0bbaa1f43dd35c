"""Going to where a command takes place: Vertex AI, or an emulator that is open already or is started for it."""

import contextlib
import errno
import fcntl
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.text import Text

from gemini_sft.catalog import catalog
from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment, load_experiment
from gemini_sft.experiment.files import complete
from gemini_sft.experiment.schema import CHAMPION, is_tuned, listed
from gemini_sft.metrics.named import check_names
from gemini_sft.metrics.table import own_metrics
from gemini_sft.vertex import location_of
from launcher.emulator import EmulatorProcess, StandingEmulator, embedded_emulator, enter
from launcher.target import Target, choose_target

PipelineName = Literal["finetune", "retrain", "recheck"]
"""What a run does: tune and compare; what a scheduled run does; ask the champion again."""

_COMMANDS = {"finetune": "run", "retrain": "retrain", "recheck": "recheck"}
"""The command of each pipeline, which is also what its runs are for."""


class Where(StrEnum):
    """Where a pipeline runs."""

    LOCAL = "local"
    VERTEX = "vertex"
    KUBEFLOW = "kubeflow"


@dataclass(frozen=True)
class Kubeflow:
    """Where Kubeflow Pipelines is.

    Attributes:
        host: The address of its API.
        namespace: Whose runs, where it serves several users; None for its own.
    """

    host: str
    namespace: str | None = None


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where the user wants something to take place.

    Attributes:
        on: On the emulator, on Vertex AI, or on Kubeflow.
        data_dir: Where the emulator keeps its data and where results are put.
        project: For Vertex AI; None to take it from the environment.
        location: Likewise.
        bucket: Likewise; None for one named after the project.
        service_account: What the pipeline runs as on Vertex AI or Kubeflow.
        wait: Whether to see a run through to its end.
        pipeline: Which pipeline runs.
        kubeflow: Where that is; None for a command that does not take place there.
    """

    on: Where = Where.LOCAL
    data_dir: Path = Path(".local")
    project: str | None = None
    location: str | None = None
    bucket: str | None = None
    service_account: str | None = None
    wait: bool = True
    pipeline: PipelineName = "finetune"
    kubeflow: Kubeflow | None = None

    def __post_init__(self) -> None:
        """Refuses what does not take place on Kubeflow.

        Raises:
            UserError: It was asked for there.
        """
        if self.on is Where.KUBEFLOW and self.kubeflow is None:
            raise UserError(
                "--on kubeflow is for run and schedule: Kubeflow runs the pipeline, but models and files are Google's,"
                " so give --on vertex"
            )

    @property
    def purpose(self) -> str:
        """What the run is for, as `gemini_sft.retraining.Purpose` has it."""
        return _COMMANDS[self.pipeline]

    @property
    def on_vertex(self) -> bool:
        """Whether models and files are those of Vertex AI; the pipeline's tasks may run on Kubeflow all the same."""
        return self.on is not Where.LOCAL

    @property
    def _google_account(self) -> str | None:
        """The service account, if it is one of Google's and not of Kubernetes."""
        return None if self.kubeflow else self.service_account

    def target(self) -> Target:
        """Returns where on Vertex AI.

        Raises:
            UserError: There is no project to be found, or the bucket's name is impossible.
        """
        return choose_target(self.project, self.location, self.bucket, self._google_account, ask_gcloud=True)

    def command_on(self, verb: str, run_id: str, target: Target) -> str:
        """Returns the command that does something about a run there: `status`, `logs` or `cancel`."""
        words = ["gemini-sft", verb, run_id]
        if self.on_vertex:
            words += ["--on", "vertex", "--project", target.project, "--location", target.location]
        return shlex.join(words + (["--data-dir", str(self.data_dir)] if self.data_dir != Path(".local") else []))


@dataclass(frozen=True)
class Request(Site):
    """What the user asked for.

    Attributes:
        experiment_file: Path of the YAML file.
        overrides: `key=value` texts over it.
    """

    experiment_file: Path
    overrides: Sequence[str] = ()

    def experiment(self) -> Experiment:
        """Returns the experiment, standing by itself.

        Raises:
            UserError: There is none, or it has mistakes.
        """
        file = str(self.experiment_file)
        # Of a base model that is gone, somebody must be told: a scheduled run does so, and goes on.
        loaded = load_experiment(file, self.overrides, allow_retired=self.pipeline != "finetune")
        experiment = complete(loaded, file)
        for split in ("train", "validation", "test"):
            for uri in listed(getattr(experiment.data, split)):
                if uri.startswith("bq://") and not self.on_vertex and "BIGQUERY_EMULATOR_HOST" not in os.environ:
                    raise UserError(
                        f"data.{split} is {uri}: BigQuery is asked for it with your account, so give --on vertex, or"
                        " export the table to a file"
                    )
        check_names(experiment)
        # What lies in a bucket is loaded where the bucket can be read: before anything is paid for, but not here.
        local = [one for one in experiment.evaluation.metrics if not one.startswith("gs://")]
        here = experiment.evaluation.model_copy(update={"metrics": local})
        own_metrics(experiment.model_copy(update={"evaluation": here}))
        return experiment

    def command(self, verb: str = "") -> str:
        """Returns the command that runs the same again, or that does something else with the same experiment."""
        words = ["gemini-sft", *(verb or _COMMANDS[self.pipeline]).split(), str(self.experiment_file)]
        words += [word for override in self.overrides for word in ("--set", override)]
        words += ["--on", self.on] if self.on_vertex else []
        options = {"project": self.project, "location": self.location, "bucket": self.bucket}
        options |= {"service-account": self.service_account}
        options |= {"host": self.kubeflow.host, "namespace": self.kubeflow.namespace} if self.kubeflow else {}
        words += [word for name, value in options.items() if value for word in (f"--{name}", value)]
        return shlex.join(words)

    def target(self) -> Target:
        """Returns where on Vertex AI, in a region in which the experiment's model can be tuned if it is ours to choose.

        Raises:
            UserError: There is no project to be found, or the bucket's name is impossible.
        """
        gone = self.pipeline != "finetune"
        base = load_experiment(str(self.experiment_file), self.overrides, allow_retired=gone).base_model
        regions = catalog().models[base].tuning_regions if base in catalog().models else ()
        if is_tuned(base) and base != CHAMPION:
            regions = (location_of(base, ""),)  # a tuned model is tuned further only where it is
        where = (self.project, self.location, self.bucket, self._google_account)
        return choose_target(*where, regions=regions, ask_gcloud=True)

    def checks(self, experiment: Experiment) -> Path:
        """Returns the folder for what the checks of an experiment leave."""
        return self.data_dir / "checks" / experiment.name

    @contextlib.contextmanager
    def alone(self, experiment: Experiment, console: Console) -> Iterator[None]:
        """Keeps other commands from checking and compiling the same experiment: they would write the same files."""
        file = self.checks(experiment) / ".lock"
        with contextlib.ExitStack() as stack:
            with disk_errors(self.data_dir):
                file.parent.mkdir(parents=True, exist_ok=True)
                lock = stack.enter_context(file.open("a"))
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                console.print(f"Waiting for another command that prepares {experiment.name} in {self.data_dir} ...")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def compiled(self, experiment: Experiment) -> Path:
        """Returns the folder for the compiled pipelines of an experiment."""
        return self.data_dir / "compiled" / experiment.name


@dataclass(frozen=True)
class Place:
    """Where the Google SDKs now lead.

    Attributes:
        target: Project, region and bucket.
        emulator: That is used; None on Vertex AI.
    """

    target: Target
    emulator: EmulatorProcess | StandingEmulator | None

    @property
    def outlives_us(self) -> bool:
        """Whether what goes on there goes on when this process has ended."""
        return not isinstance(self.emulator, EmulatorProcess)

    def check(self) -> None:
        """Checks that it is still there.

        Raises:
            RunError: The emulator has ended.
        """
        if self.emulator:
            self.emulator.require_alive()


def notes() -> Console:
    """Returns a console for what is said beside the answer of a command, such as where it was looked for."""
    return Console(stderr=True, highlight=False)


@contextlib.contextmanager
def at_place(site: Site, console: Console) -> Iterator[Place]:
    """Points this process at Vertex AI or at an emulator.

    That is the one that is open on the data directory, which is left as it is, or one that runs while the block runs.

    Raises:
        UserError: There is no project, or the emulator could not start.
    """
    with disk_errors(site.data_dir), contextlib.ExitStack() as stack:
        if site.on_vertex:
            target = site.target()
            # Whoever has forgotten what a shell exports takes an emulator for Google.
            where = f" at {endpoint}" if (endpoint := os.environ.get("VERTEX_API_ENDPOINT")) else ""
            console.print(Text(f"Vertex AI{where}: {target.words}", "dim"), soft_wrap=True)
            yield Place(target, None)
            return
        emulator: EmulatorProcess | StandingEmulator | None = StandingEmulator.find(site.data_dir)
        if emulator:
            console.print(f"Using the emulator that is open on {site.data_dir}.")
        else:
            emulator = stack.enter_context(embedded_emulator(site.data_dir))
            console.print("Starting the local emulator ...")
        # Before any Google library is imported: google-auth reads its variables only then.
        enter(emulator.environment())
        yield Place(choose_target(None, site.location, site.bucket), emulator)


@contextlib.contextmanager
def disk_errors(data_dir: Path) -> Iterator[None]:
    """Raises a full disk, and what else keeps a file from being written, as the user's to mend."""
    try:
        yield
    except OSError as error:
        # Errors of the network are OSErrors too, but name no file.
        if error.filename is None and error.errno != errno.ENOSPC:
            raise
        what = f"{error.filename or data_dir}: {error.strerror}"
        raise UserError(f"cannot write: {what}; free some space, or choose another --data-dir") from error
