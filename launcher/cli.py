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
from launcher import predicting, reporting, results, showing
from launcher.checking import check, unknown
from launcher.cleaning import clean
from launcher.cli_retraining import recheck_command, retrain_command
from launcher.cli_runs import commands as commands_about_runs
from launcher.cli_schedule import schedule_app
from launcher.options import (
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
from launcher.running import Progress, run

app = typer.Typer(
    name="gemini-sft",
    help="Fine-tune Gemini with one pipeline you can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(commands_about_runs)
app.add_typer(schedule_app, name="schedule")


def _version(wanted: bool) -> None:
    if wanted:
        print(version("gemini-sft-pipelines"))
        raise typer.Exit


@app.callback()
def options(
    version_: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and nothing else.")
    ] = False,
) -> None:
    """Fine-tune Gemini with one pipeline you can trust."""


@app.command("run")
def run_command(
    experiment: ExperimentFile,
    on: Annotated[
        Where, typer.Option(help="The embedded emulator (free), Vertex AI (billed), or Kubeflow.")
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
    """Tune, evaluate and compare: exit code 0 whatever the verdict, 1 if the run failed, 2 for a mistake of yours."""
    where = (on, set_, data_dir, project, location, bucket, service_account)
    request = requested(experiment, *where, kubeflow_at(on, host, namespace), wait=not no_wait)
    console, progress = Console(stderr=as_json, highlight=False), Progress()
    try:
        summary = run(request, console, progress)
    except (UserError, RunError, KeyboardInterrupt) as error:
        if as_json:
            state, reasons = ending(error)
            print(json.dumps(results.nothing(progress.run_id, state, reasons, progress.seconds)))
        raise
    if as_json:
        print(json.dumps(summary))
    elif not no_wait:
        showing.show(Path(summary["artifacts"]), console)
        console.print(f"Done in {summary['seconds']:.0f} s.")


app.command("retrain")(retrain_command)
app.command("recheck")(recheck_command)


@app.command("check")
def check_command(
    experiment: ExperimentFile,
    on: Annotated[
        Where, typer.Option(help="Who counts the tokens: the embedded emulator, or Vertex AI (free of charge).")
    ] = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    bucket: Bucket = None,
    service_account: ServiceAccount = None,
) -> None:
    """Check data, project and cost, spending nothing: exit code 2 if a run would stop, with all problems."""
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


@app.command("predict")
def predict_command(
    experiment: ExperimentFile,
    text: Annotated[
        list[str] | None,
        typer.Argument(
            help="The user's text; of a template with several columns, COLUMN=VALUE for each.", metavar="[TEXT]..."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Many prompts, in any form that data may have, with or without answers.")
    ] = None,
    run_id: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="RUN", help="Ask this run's model: an id, a beginning of it, or latest [the champion]."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Put the answers to --file here, as JSONL [standard output].")
    ] = None,
    on: Annotated[
        Where, typer.Option(help="Where the model is: in the embedded emulator, or on Vertex AI.")
    ] = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
) -> None:
    """Ask the tuned model, with the prompt that it was tuned with: exit code 1 if a prompt has no answer."""
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


@app.command("report")
def report_command(
    run_: Annotated[
        str, typer.Argument(metavar="RUN", help="Its id, a beginning of it, `latest`, or the path of its folder.")
    ],
    other: Annotated[
        str | None, typer.Argument(metavar="RUN_B", help="Another run, to compare the first with.")
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the page in the browser.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
) -> None:
    """Open the report of a run, or a page that compares two: exit code 2 if there is no such run."""
    console = Console(stderr=as_json, highlight=False)
    if other is None:
        found = reporting.report_one(data_dir, run_, console)
    else:
        found = reporting.report_two(data_dir, (run_, other), console)
    if as_json:
        print(reporting.as_json(found))
    elif not no_open and found["report"]:
        reporting.open_page(Path(found["report"]))


@app.command("rollback")
def rollback_command(
    experiment: ExperimentFile,
    on: Annotated[Where, typer.Option(help="Whose models: the embedded emulator's, or Vertex AI's.")] = Where.LOCAL,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
) -> None:
    """Put the champion before this one in use again; once more, and this one is back."""
    request = requested(experiment, on, set_, data_dir, project, location)
    try:
        done = roll_back(request, Console(stderr=as_json, highlight=False, soft_wrap=True))
    except (UserError, RunError, KeyboardInterrupt) as error:
        if as_json:
            print(json.dumps(no_rollback(ending(error)[1])))
        raise
    if as_json:
        print(json.dumps(done))


@app.command("cleanup")
def cleanup_command(
    experiment: ExperimentFile,
    on: Annotated[Where, typer.Option(help="The embedded emulator, or Vertex AI.")] = Where.LOCAL,
    older_than: Annotated[
        int, typer.Option(metavar="DAYS", min=1, help="From which age on runs go that were not rejected.")
    ] = 30,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it, only say what would be deleted.")] = False,
    set_: Overrides = None,
    as_json: AsJson = False,
    data_dir: DataDir = Path(".local"),
    project: Project = None,
    location: Location = None,
    bucket: Bucket = None,
) -> None:
    """Delete what rejected and old runs left, never what is in use: exit code 1 if some of it could not be deleted."""
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


@app.command("emulator")
def emulator_command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 for a free one.")] = 8123,
    data_dir: DataDir = Path(".local"),
) -> None:
    """Serve the Vertex AI emulator until Ctrl-C, and print the environment that leads to it."""
    command = [sys.executable, "-m", "vertex_emulator", "--port", str(port), "--data-dir", str(data_dir)]
    # In this very process: nothing is left over when it is killed.
    os.execv(command[0], command)
