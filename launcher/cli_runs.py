"""The commands about runs that were submitted before."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from launcher import cancelling, logs, status
from launcher.options import FLAG, AsJson, DataDir, Location, Project
from launcher.place import Site, Where

_WHICH = "Its id, a beginning of it, or `latest`."
RunId = Annotated[str, typer.Argument(metavar="RUN", help=_WHICH)]
On = Annotated[Where, typer.Option(metavar="PLACE", help="Where the run is: local, on the emulator, or vertex.")]


def status_command(
    run: Annotated[str | None, typer.Argument(metavar="RUN", help=f"{_WHICH} Without it, the last runs.")] = None,
    on: On = Where.LOCAL,
    wait: Annotated[bool, typer.Option("--wait", metavar=FLAG, help="Follow the run to its end.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
) -> None:
    """Show the last runs, or one with its tasks and verdict.

    Exit code 1 if that one failed, 2 if there is no such run.
    """
    site = Site(on=on, data_dir=data_dir, project=project, location=location)
    console = Console(stderr=as_json, highlight=False)
    if run is None:
        if wait:
            raise typer.BadParameter("which run? Give RUN with --wait, such as `latest`")
        found, failed = status.show_recent(site, console), False
    else:
        found, failed = status.show_one(site, run, wait, console)
    if as_json:
        print(json.dumps(found))
    if failed:
        raise typer.Exit(1)


def logs_command(
    run: RunId,
    task: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this task, by the name that `status` shows.")
    ] = None,
    on: On = Where.LOCAL,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
) -> None:
    """Print what the tasks of a run have written.

    Exit code 2 if there is no such run or task.
    """
    site = Site(on=on, data_dir=data_dir, project=project, location=location)
    logs.show_logs(site, run, task, Console(highlight=False), Console(stderr=True, highlight=False))


def cancel_command(
    run: RunId,
    on: On = Where.LOCAL,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
) -> None:
    """Cancel a run, and the tuning job that it waits for.

    Exit code 2 if it has ended already.
    """
    cancelling.cancel(Site(on=on, data_dir=data_dir, project=project, location=location), run, Console(highlight=False))
