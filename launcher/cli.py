"""The command line."""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gemini_sft.errors import RunError, UserError
from launcher import predicting, reporting
from launcher.checking import check, unknown
from launcher.cleaning import clean
from launcher.cli_retraining import recheck_command, retrain_command, to_its_end
from launcher.cli_runs import cancel_command, logs_command, status_command
from launcher.cli_schedule import schedule_app
from launcher.options import (
    FLAG,
    AsJson,
    Bucket,
    DataDir,
    ExperimentFile,
    Host,
    Location,
    Namespace,
    NoWait,
    Overrides,
    Project,
    ServiceAccount,
    ending,
    kubeflow_at,
    requested,
)
from launcher.place import Where
from launcher.releasing import nothing as no_rollback
from launcher.releasing import roll_back

app = typer.Typer(
    name="gemini-sft",
    help="Fine-tune Gemini with one pipeline you can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

# Panels stand in the help in the order in which a command first names them; a group of commands comes after them.
_RUN = "Run"
_WATCH = "Watch"
_RELEASE = "Release"
_TOOLS = "Tools"

app.add_typer(schedule_app, name="schedule", rich_help_panel=_RUN)


def _version(wanted: bool) -> None:
    if wanted:
        print(version("gemini-sft-pipelines"))
        raise typer.Exit


@app.callback()
def options(
    version_: Annotated[
        bool,
        typer.Option(
            "--version", metavar=FLAG, callback=_version, is_eager=True, help="Print the version and nothing else."
        ),
    ] = False,
) -> None:
    """Fine-tune Gemini with one pipeline you can trust."""


@app.command("check", rich_help_panel=_RUN)
def check_command(
    experiment: ExperimentFile,
    on: Annotated[
        Where,
        typer.Option(metavar="PLACE", help="Who counts tokens: local, the emulator, or vertex, also free of charge."),
    ] = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    bucket: Bucket = None,
    service_account: ServiceAccount = None,
) -> None:
    """Check data, project and cost, spending nothing.

    Exit code 2 if a run would stop, with all problems.
    """
    request = requested(experiment, on, set_, data_dir, project, location, bucket, service_account)
    try:
        found = check(request, Console(stderr=as_json, highlight=False))
    except (RunError, KeyboardInterrupt) as error:
        if as_json:
            print(json.dumps(unknown(ending(error)[1])))
        raise
    if as_json:
        print(json.dumps(found))
    if not found["ok"]:
        raise typer.Exit(2)


@app.command("run", rich_help_panel=_RUN)
def run_command(
    experiment: ExperimentFile,
    on: Annotated[
        Where,
        typer.Option(metavar="PLACE", help="local, the embedded emulator (free), or vertex (billed), or kubeflow."),
    ] = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    bucket: Bucket = None,
    service_account: ServiceAccount = None,
    no_wait: NoWait = False,
    host: Host = None,
    namespace: Namespace = None,
) -> None:
    """Tune, evaluate and compare.

    Exit code 0 whatever the verdict, 1 if the run failed, 2 for a mistake of yours.
    """
    where = (on, set_, data_dir, project, location, bucket, service_account)
    request = requested(experiment, *where, kubeflow_at(on, host, namespace), wait=not no_wait)
    to_its_end(request, as_json)


app.command("retrain", rich_help_panel=_RUN)(retrain_command)
app.command("recheck", rich_help_panel=_RUN)(recheck_command)
app.command("status", rich_help_panel=_WATCH)(status_command)
app.command("logs", rich_help_panel=_WATCH)(logs_command)
app.command("cancel", rich_help_panel=_WATCH)(cancel_command)


@app.command("report", rich_help_panel=_WATCH)
def report_command(
    run_: Annotated[
        str, typer.Argument(metavar="RUN", help="Its id, a beginning of it, `latest`, or the path of its folder.")
    ],
    other: Annotated[
        str | None, typer.Argument(metavar="RUN_B", help="Another run, to compare the first with.")
    ] = None,
    no_open: Annotated[
        bool, typer.Option("--no-open", metavar=FLAG, help="Do not open the page in the browser.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
) -> None:
    """Open the report of a run, or a page that compares two.

    Exit code 2 if there is no such run.
    """
    console = Console(stderr=as_json, highlight=False)
    if other is None:
        found = reporting.report_one(data_dir, run_, console)
    else:
        found = reporting.report_two(data_dir, (run_, other), console)
    if as_json:
        print(reporting.as_json(found))
    elif not no_open and found["report"]:
        reporting.open_page(Path(found["report"]))


@app.command("predict", rich_help_panel=_RELEASE)
def predict_command(
    experiment: ExperimentFile,
    text: Annotated[
        list[str] | None,
        typer.Argument(
            help="The user's text; of a template with several columns, COLUMN=VALUE for each.", metavar="TEXT"
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Many prompts, in any form that data may have, with or without answers."),
    ] = None,
    run_id: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="RUN", help="Ask this run's model: an id, a beginning of it, or latest; else the champion."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Put the answers to --file here, as JSONL; else on standard output."),
    ] = None,
    on: Annotated[
        Where, typer.Option(metavar="PLACE", help="Where the model is: local, in the emulator, or vertex.")
    ] = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
) -> None:
    """Ask the tuned model, with the prompt that it was tuned with.

    Exit code 1 if a prompt has no answer.
    """
    request = requested(experiment, on, set_, data_dir, project, location)
    question = predicting.Question(texts=text or (), file=file, run_id=run_id, out=out)
    # Standard output is the answer's alone.
    console = Console(stderr=True, highlight=False)
    try:
        found = predicting.ask_model(request, question, console)
    except (UserError, RunError, KeyboardInterrupt) as error:
        if as_json:
            print(json.dumps(predicting.nothing(ending(error)[1])))
        raise
    if as_json:
        print(json.dumps(found))
    else:
        predicting.show(question, found, console)
    if found["failures"]:
        raise typer.Exit(1)


@app.command("rollback", rich_help_panel=_RELEASE)
def rollback_command(
    experiment: ExperimentFile,
    on: Annotated[
        Where, typer.Option(metavar="PLACE", help="Where the models are: local, in the emulator, or vertex.")
    ] = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
) -> None:
    """Put the champion before this one in use again.

    Once more, and this one is back. Exit code 1 if Vertex AI refused, 2 if there is none.
    """
    request = requested(experiment, on, set_, data_dir, project, location)
    try:
        done = roll_back(request, Console(stderr=as_json, highlight=False, soft_wrap=True))
    except (UserError, RunError, KeyboardInterrupt) as error:
        if as_json:
            print(json.dumps(no_rollback(ending(error)[1])))
        raise
    if as_json:
        print(json.dumps(done))


@app.command("cleanup", rich_help_panel=_TOOLS)
def cleanup_command(
    experiment: ExperimentFile,
    on: Annotated[Where, typer.Option(metavar="PLACE", help="local, the emulator, or vertex.")] = Where.LOCAL,
    older_than: Annotated[
        int, typer.Option(metavar="DAYS", min=1, help="From which age on runs go that were not rejected.")
    ] = 30,
    yes: Annotated[
        bool, typer.Option("--yes", metavar=FLAG, help="Delete; without it, only say what would be deleted.")
    ] = False,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    bucket: Bucket = None,
) -> None:
    """Delete what rejected and old runs left, never what is in use.

    Exit code 1 if some of it could not be deleted.
    """
    request = requested(experiment, on, set_, data_dir, project, location, bucket)
    try:
        cleaned = clean(request, older_than, yes, Console(stderr=as_json, highlight=False))
    except (UserError, RunError, KeyboardInterrupt) as error:
        if as_json:
            state, reasons = ending(error)
            print(json.dumps({"state": state, "reasons": reasons}))
        raise
    if as_json:
        print(json.dumps(cleaned))
    if cleaned["state"] == "INCOMPLETE":
        raise typer.Exit(1)


@app.command("emulator", rich_help_panel=_TOOLS)
def emulator_command(
    port: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, max=65535, help="Port on 127.0.0.1; 0 for a free one.")
    ] = 8123,
    data_dir: DataDir = Path(".local"),
) -> None:
    """Serve the Vertex AI emulator until Ctrl-C.

    Prints the environment that leads to it, and the address of its pages.
    """
    command = [sys.executable, "-m", "vertex_emulator", "--port", str(port), "--data-dir", str(data_dir)]
    # In this very process: nothing is left over when it is killed.
    os.execv(command[0], command)
