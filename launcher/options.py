"""What several commands of the command line take, and how they say what has ended them."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gemini_sft.errors import RunError, UserError
from launcher.place import Kubeflow, Request, Where

FLAG = ""
"""Stands where the help shows what an option takes, for one that takes nothing."""
_GOOGLE = "On Vertex AI"
_KUBEFLOW = "On Kubeflow"

ExperimentFile = Annotated[Path, typer.Argument(metavar="EXPERIMENT", help="Its file, such as experiments/chat.yaml.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a value: --set tuning.epochs=3.")
]
AsJson = Annotated[bool, typer.Option("--json", metavar=FLAG, help="Print one JSON object and nothing else.")]
Project = Annotated[
    str | None,
    typer.Option(metavar="ID", rich_help_panel=_GOOGLE, help="The project (GOOGLE_CLOUD_PROJECT, then gcloud's)."),
]
Location = Annotated[
    str | None,
    typer.Option(
        metavar="REGION",
        rich_help_panel=_GOOGLE,
        help="Where it runs (GOOGLE_CLOUD_LOCATION, else the nearest to gcloud's, else us-central1).",
    ),
]
Bucket = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=_GOOGLE,
        help="Where data and results go (GEMINI_SFT_BUCKET, else PROJECT-gemini-sft).",
    ),
]
Host = Annotated[
    str | None,
    typer.Option(metavar="URL", rich_help_panel=_KUBEFLOW, help="The address of its API (KF_PIPELINES_ENDPOINT)."),
]
Namespace = Annotated[
    str | None,
    typer.Option(metavar="NAME", rich_help_panel=_KUBEFLOW, help="Whose runs, where it serves several users."),
]
ServiceAccount = Annotated[
    str | None,
    typer.Option(
        metavar="EMAIL",
        rich_help_panel=_GOOGLE,
        help="What the pipeline runs as (GEMINI_SFT_SERVICE_ACCOUNT); on Kubeflow the name of one of Kubernetes.",
    ),
]
NoWait = Annotated[bool, typer.Option("--no-wait", metavar=FLAG, help="Only start it, and leave it going.")]
DataDir = Annotated[
    Path, typer.Option(metavar="FOLDER", help="Where the emulator keeps its data, and results are put.")
]


def requested(
    experiment: Path,
    on: Where,
    overrides: list[str] | None,
    data_dir: Path,
    project: str | None,
    location: str | None,
    bucket: str | None = None,
    service_account: str | None = None,
    kubeflow: Kubeflow | None = None,
    *,
    wait: bool = True,
) -> Request:
    """Returns what the options of a command ask for."""
    return Request(
        experiment_file=experiment,
        overrides=overrides or (),
        on=on,
        data_dir=data_dir,
        project=project,
        location=location,
        bucket=bucket,
        service_account=service_account,
        wait=wait,
        kubeflow=kubeflow,
    )


def kubeflow_at(on: Where, host: str | None, namespace: str | None) -> Kubeflow | None:
    """Returns where Kubeflow Pipelines is; None if nothing takes place there.

    Raises:
        UserError: Nobody says where it is, or it is said of another place.
    """
    if on is not Where.KUBEFLOW:
        if host or namespace:
            raise UserError("--host and --namespace are of Kubeflow: give --on kubeflow, or leave them out")
        return None
    host = host or os.environ.get("KF_PIPELINES_ENDPOINT")
    if not host:
        raise UserError(
            "where is Kubeflow Pipelines? Give --host, or set KF_PIPELINES_ENDPOINT, such as"
            " https://kubeflow.example.com/pipeline"
        )
    return Kubeflow(host if "://" in host else f"https://{host}", namespace)


def ending(error: BaseException) -> tuple[str, list[str]]:
    """Returns state and reasons, for the object of a command that an error has ended."""
    if isinstance(error, UserError):
        return "REFUSED", str(error).splitlines()
    if isinstance(error, RunError):
        return "FAILED", [str(error)]
    return "INTERRUPTED", ["interrupted"]
