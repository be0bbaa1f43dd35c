"""Going to where a command takes place: Vertex AI, or an emulator that is started for it."""

import contextlib
import errno
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from rich.console import Console

from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment, load_experiment
from gemini_sft.experiment.files import complete
from gemini_sft.experiment.schema import listed
from gemini_sft.metrics.named import check_names
from gemini_sft.metrics.table import own_metrics
from launcher.emulator import EmulatorProcess, embedded_emulator, enter
from launcher.target import Target, choose_target

PipelineName = Literal["finetune", "retrain", "recheck"]
"""What a run does: tune and compare; what a scheduled run does; ask the champion again."""

_COMMANDS = {"finetune": "run", "retrain": "retrain", "recheck": "recheck"}
"""The command of each pipeline, which is also what its runs are for."""


class Where(StrEnum):
    """Where a pipeline runs."""

    LOCAL = "local"
    VERTEX = "vertex"


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes:
        experiment_file: Path of the YAML file.
        overrides: `key=value` texts over it.
        on: On the embedded emulator, or on Vertex AI.
        data_dir: Where the emulator keeps its data and where results are put.
        project: For Vertex AI; None to take it from the environment.
        location: Likewise.
        bucket: Likewise; None for one named after the project.
        service_account: What the pipeline runs as on Vertex AI.
        pipeline: Which pipeline runs.
    """

    experiment_file: Path
    overrides: Sequence[str] = ()
    on: Where = Where.LOCAL
    data_dir: Path = Path(".local")
    project: str | None = None
    location: str | None = None
    bucket: str | None = None
    service_account: str | None = None
    pipeline: PipelineName = "finetune"

    @property
    def purpose(self) -> str:
        """What the run is for, as `gemini_sft.retraining.Purpose` has it."""
        return _COMMANDS[self.pipeline]

    @property
    def on_vertex(self) -> bool:
        """Whether it is asked of Vertex AI."""
        return self.on is Where.VERTEX

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

    def command(self) -> str:
        """Returns the command that runs the same again."""
        words = ["gemini-sft", _COMMANDS[self.pipeline], str(self.experiment_file)]
        words += [word for override in self.overrides for word in ("--set", override)]
        words += ["--on", "vertex"] if self.on_vertex else []
        options = {"project": self.project, "location": self.location, "bucket": self.bucket}
        options |= {"service-account": self.service_account}
        words += [word for name, value in options.items() if value for word in (f"--{name}", value)]
        return shlex.join(words)

    def target(self) -> Target:
        """Returns where on Vertex AI.

        Raises:
            UserError: There is no project to be found, or the bucket's name is impossible.
        """
        return choose_target(self.project, self.location, self.bucket, self.service_account)

    def checks(self, experiment: Experiment) -> Path:
        """Returns the folder for what the checks of an experiment leave."""
        return self.data_dir / "checks" / experiment.name


@dataclass(frozen=True)
class Place:
    """Where the Google SDKs now lead.

    Attributes:
        target: Project, region and bucket.
        emulator: That was started for this; None on Vertex AI.
    """

    target: Target
    emulator: EmulatorProcess | None


@contextlib.contextmanager
def at_place(request: Request, console: Console) -> Iterator[Place]:
    """Points this process at Vertex AI or at an emulator of its own, which runs while the block runs.

    Raises:
        UserError: There is no project, or the emulator could not start.
    """
    with disk_errors(request.data_dir), contextlib.ExitStack() as stack:
        if request.on_vertex:
            yield Place(request.target(), None)
            return
        emulator = stack.enter_context(embedded_emulator(request.data_dir))
        console.print("Starting the local emulator ...")
        # Before any Google library is imported: google-auth reads its variables only then.
        enter(emulator.environment())
        yield Place(choose_target(None, request.location, request.bucket), emulator)


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
