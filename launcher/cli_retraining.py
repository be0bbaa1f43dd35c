"""The commands `gemini-sft retrain` and `gemini-sft recheck`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gemini_sft.errors import RunError, UserError
from launcher import retraining
from launcher.options import (
    AsJson,
    Bucket,
    DataDir,
    ExperimentFile,
    Location,
    NoWait,
    Overrides,
    Project,
    ServiceAccount,
    ending,
    requested,
)
from launcher.place import Request, Where
from launcher.running import Progress, run

_On = Annotated[Where, typer.Option(metavar="PLACE", help="local, the embedded emulator (free), or vertex (billed).")]


def retrain_command(
    experiment: ExperimentFile,
    on: _On = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    bucket: Bucket = None,
    service_account: ServiceAccount = None,
    no_wait: NoWait = False,
) -> None:
    """Do now what a scheduled run does: tune, ask the champion again, or say why neither.

    Exit code 0 whatever it did, 1 if the run failed, 2 for a mistake of yours.
    """
    request = requested(experiment, on, set_, data_dir, project, location, bucket, service_account, wait=not no_wait)
    to_its_end(replace(request, pipeline="retrain"), as_json)


def recheck_command(
    experiment: ExperimentFile,
    on: _On = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    bucket: Bucket = None,
    service_account: ServiceAccount = None,
    no_wait: NoWait = False,
) -> None:
    """Ask the champion today's test examples: does it score what it did?

    Exit code 0 also if it has fallen, 1 if the run failed, 2 for a mistake of yours.
    """
    request = requested(experiment, on, set_, data_dir, project, location, bucket, service_account, wait=not no_wait)
    to_its_end(replace(request, pipeline="recheck"), as_json)


def to_its_end(request: Request, as_json: bool) -> None:
    """Runs a pipeline, and prints what came of it; with `--json` one object, also if it went wrong."""
    console, progress = Console(stderr=as_json, highlight=False), Progress()
    try:
        summary = run(request, console, progress)
    except (UserError, RunError, KeyboardInterrupt) as error:
        if as_json:
            state, reasons = ending(error)
            nothing = retraining.nothing_of(request.pipeline)
            print(json.dumps(nothing(progress.run_id, state, reasons, progress.seconds)))
        raise
    if as_json:
        print(json.dumps(summary))
    elif request.wait:
        retraining.show(Path(summary["artifacts"]), console)
        console.print(f"Done in {summary['seconds']:.0f} s.")
