"""`gemini-sft schedule`: the commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gemini_sft.errors import RunError, UserError
from launcher.options import (
    AsJson,
    Bucket,
    DataDir,
    ExperimentFile,
    Host,
    Location,
    Namespace,
    Overrides,
    Project,
    ServiceAccount,
    ending,
    kubeflow_at,
    requested,
)
from launcher.place import Site, Where
from launcher.schedule import scheduling
from launcher.schedule.timing import Asked

schedule_app = typer.Typer(
    help="Run an experiment on a schedule: create, list, pause, resume, update, delete.", no_args_is_help=True
)

_On = Annotated[Where, typer.Option(metavar="PLACE", help="local, the emulator, or vertex, or kubeflow.")]
_Given = Annotated[
    str, typer.Argument(metavar="SCHEDULE", help="The experiment file, the experiment's name, or the schedule's id.")
]
_Zone = Annotated[
    str | None, typer.Option("--time-zone", metavar="AREA/CITY", help="Of --cron and of days without one (UTC).")
]
_Until = Annotated[
    str | None, typer.Option(metavar="DAY", help="The last day, or a moment, to start runs (without end).")
]
_MaxRuns = Annotated[int | None, typer.Option(metavar="N", min=1, help="How many runs at most (any number).")]
_CRON_HELP = 'When: "minute hour day-of-month month day-of-week", such as "0 6 * * 1" for Mondays at 06:00.'


@schedule_app.command("create")
def create_command(
    experiment: ExperimentFile,
    cron: Annotated[str, typer.Option(metavar="CRON", help=_CRON_HELP)],
    time_zone: _Zone = None,
    start: Annotated[str | None, typer.Option(metavar="DAY", help="The first day, or a moment (now).")] = None,
    until: _Until = None,
    max_runs: _MaxRuns = None,
    on: _On = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    bucket: Bucket = None,
    service_account: ServiceAccount = None,
    host: Host = None,
    namespace: Namespace = None,
) -> None:
    """Run it on a schedule, never twice at a time.

    Exit code 2 if it has a schedule, or if a run would stop.
    """
    kubeflow = kubeflow_at(on, host, namespace)
    request = requested(experiment, on, set_, data_dir, project, location, bucket, service_account, kubeflow)
    asked = Asked(cron=cron, zone=time_zone, start=start, until=until, max_runs=max_runs)
    _answer(as_json, "schedule", lambda console: scheduling.create(request, asked, console))


@schedule_app.command("update")
def update_command(
    experiment: ExperimentFile,
    cron: Annotated[str | None, typer.Option(metavar="CRON", help=f"{_CRON_HELP} (as it is)")] = None,
    time_zone: _Zone = None,
    until: _Until = None,
    max_runs: _MaxRuns = None,
    on: _On = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    bucket: Bucket = None,
    service_account: ServiceAccount = None,
    host: Host = None,
    namespace: Namespace = None,
) -> None:
    """Have its schedule run the experiment as it is now.

    With a new copy of local data, and at other times if they are given.
    """
    kubeflow = kubeflow_at(on, host, namespace)
    request = requested(experiment, on, set_, data_dir, project, location, bucket, service_account, kubeflow)
    asked = Asked(cron=cron, zone=time_zone, until=until, max_runs=max_runs)
    _answer(as_json, "schedule", lambda console: scheduling.update(request, asked, console))


@schedule_app.command("list")
def list_command(
    on: _On = Where.LOCAL,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    host: Host = None,
    namespace: Namespace = None,
) -> None:
    """Show all schedules: when each is due next, and how its last run stands."""
    site = _site(on, data_dir, project, location, host, namespace)
    _answer(as_json, "schedules", lambda console: scheduling.list_all(site, console))


@schedule_app.command("pause")
def pause_command(
    schedule: _Given,
    on: _On = Where.LOCAL,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    host: Host = None,
    namespace: Namespace = None,
) -> None:
    """Start no more runs, until it is resumed; runs under way go on."""
    site = _site(on, data_dir, project, location, host, namespace)
    _answer(as_json, "schedule", lambda console: scheduling.pause(site, schedule, console))


@schedule_app.command("resume")
def resume_command(
    schedule: _Given,
    on: _On = Where.LOCAL,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    host: Host = None,
    namespace: Namespace = None,
) -> None:
    """Start runs again, from the next due time on; what was missed is not made up."""
    site = _site(on, data_dir, project, location, host, namespace)
    _answer(as_json, "schedule", lambda console: scheduling.resume(site, schedule, console))


@schedule_app.command("delete")
def delete_command(
    schedule: _Given,
    on: _On = Where.LOCAL,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    host: Host = None,
    namespace: Namespace = None,
) -> None:
    """Delete a schedule; its runs stay, and one that is under way goes on."""
    site = _site(on, data_dir, project, location, host, namespace)
    _answer(as_json, "schedule", lambda console: scheduling.delete(site, schedule, console))


def _site(
    on: Where, data_dir: Path, project: str | None, location: str | None, host: str | None, namespace: str | None
) -> Site:
    kubeflow = kubeflow_at(on, host, namespace)
    return Site(on=on, data_dir=data_dir, project=project, location=location, kubeflow=kubeflow)


def _answer(as_json: bool, what: str, act: Callable[[Console], dict[str, Any]]) -> None:
    """Does it; with `--json` prints one object, also if it went wrong: `what` is null then."""
    try:
        found = act(Console(stderr=as_json, highlight=False, soft_wrap=True))
    except (UserError, RunError, KeyboardInterrupt) as error:
        if as_json:
            print(json.dumps({what: None, "problems": ending(error)[1]}))
        raise
    if as_json:
        print(json.dumps(found))
