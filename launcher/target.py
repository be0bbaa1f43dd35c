"""Where a run takes place: a project, a region and a bucket, on Vertex AI or on an emulator that plays it."""

import os
import re
from dataclasses import dataclass

from gemini_sft.errors import UserError

DEFAULT_LOCATION = "us-central1"
_BUCKET = re.compile(r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$")


@dataclass(frozen=True)
class Target:
    """A place to run.

    Attributes:
        project: Google Cloud project id.
        location: Region of pipeline and tuning job.
        bucket: Cloud Storage bucket for data and artifacts.
        service_account: What the pipeline runs as; None for the project's default.
    """

    project: str
    location: str
    bucket: str
    service_account: str | None = None

    @property
    def pipeline_root(self) -> str:
        """Where artifacts go."""
        return f"gs://{self.bucket}/pipelines"


def choose_target(
    project: str | None, location: str | None, bucket: str | None, service_account: str | None = None
) -> Target:
    """Completes what the user said from the environment.

    Raises:
        UserError: There is no project to be found, or the bucket's name is impossible.
    """
    project = project or os.environ.get("GOOGLE_CLOUD_PROJECT")
    if not project:
        raise UserError("no Google Cloud project: give --project or set GOOGLE_CLOUD_PROJECT")
    location = location or os.environ.get("GOOGLE_CLOUD_LOCATION") or DEFAULT_LOCATION
    bucket = (bucket or f"{project}-gemini-sft").removeprefix("gs://").rstrip("/")
    if not _BUCKET.match(bucket):
        raise UserError(f"--bucket {bucket}: not a name that a Cloud Storage bucket can have")
    return Target(project, location, bucket, service_account)
