"""What several commands of the command line take, and how they say what has ended them."""

from pathlib import Path
from typing import Annotated

import typer

from gemini_sft.errors import RunError, UserError
from launcher.place import Request, Where

ExperimentFile = Annotated[Path, typer.Argument(help="The experiment file, such as experiments/summarization.yaml.")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a value: --set tuning.epochs=3.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Project = Annotated[str | None, typer.Option(help="Google Cloud project [GOOGLE_CLOUD_PROJECT, then gcloud's].")]
Location = Annotated[
    str | None, typer.Option(help="Region [GOOGLE_CLOUD_LOCATION, the nearest to gcloud's, us-central1].")
]
Bucket = Annotated[str | None, typer.Option(help="Staging bucket [GEMINI_SFT_BUCKET, PROJECT-gemini-sft].")]
ServiceAccount = Annotated[
    str | None, typer.Option(help="What the pipeline runs as on Vertex AI [GEMINI_SFT_SERVICE_ACCOUNT].")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Only start it, and leave it going.")]
DataDir = Annotated[Path, typer.Option(help="Where the emulator keeps its data, and results are put.")]


def requested(
    experiment: Path,
    on: Where,
    overrides: list[str] | None,
    data_dir: Path,
    project: str | None,
    location: str | None,
    bucket: str | None = None,
    service_account: str | None = None,
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
    )


def ending(error: BaseException) -> tuple[str, list[str]]:
    """Returns state and reasons, for the object of a command that an error has ended."""
    if isinstance(error, UserError):
        return "REFUSED", str(error).splitlines()
    if isinstance(error, RunError):
        return "FAILED", [str(error)]
    return "INTERRUPTED", ["interrupted"]
