"""The bucket of a run: finding it, making it, and whether it is where it should be."""

from typing import TYPE_CHECKING

from gemini_sft.errors import UserError
from launcher.submission import api_errors
from launcher.target import Target

if TYPE_CHECKING:
    from google.cloud.storage import Bucket

_HOLDS = {"US": "us-", "EU": "europe-", "NAM4": "us-central1", "EUR4": "europe-west4"}
"""What begins the names of the regions that a multi-region holds; of a dual-region, that of its two in which models are
tuned. Google, "Bucket locations"."""


def find_bucket(target: Target) -> "Bucket | None":
    """Returns the bucket if the project has one of that name; one of that name elsewhere is not to be trusted.

    Raises:
        UserError: It may not be looked for.
        ServiceError: Cloud Storage did not say.
    """
    from google.cloud.storage import Client

    with api_errors(f"list the buckets of {target.project}"):
        found = Client(project=target.project).list_buckets(prefix=target.bucket)
        return next((bucket for bucket in found if bucket.name == target.bucket), None)


def is_taken(target: Target) -> bool:
    """Returns whether another project has a bucket of that name; the project itself must have none."""
    from google.api_core.exceptions import Forbidden
    from google.cloud.storage import Client

    with api_errors(f"look for the bucket gs://{target.bucket}"):
        try:
            return Client(project=target.project).lookup_bucket(target.bucket) is not None
        except Forbidden:
            return True


def ensure_bucket(target: Target) -> None:
    """Makes the bucket if the project has none of that name, in the run's region and closed to the public.

    Raises:
        UserError: The name is taken, or there is no permission.
        ServiceError: Cloud Storage did not make it.
    """
    from google.api_core.exceptions import Conflict
    from google.cloud.storage import Client

    if find_bucket(target):
        return
    with api_errors(f"make the bucket gs://{target.bucket}"):
        client = Client(project=target.project)
        bucket = client.bucket(target.bucket)
        bucket.iam_configuration.uniform_bucket_level_access_enabled = True
        bucket.iam_configuration.public_access_prevention = "enforced"
        try:
            client.create_bucket(bucket, location=target.location)
        except Conflict as error:
            raise UserError(
                f"the bucket gs://{target.bucket} is not this project's: give another with --bucket ({error.message})"
            ) from error


def holds(bucket: "Bucket", region: str) -> bool:
    """Returns whether a bucket keeps its objects in a region, alone or among others."""
    places = [one.upper() for one in bucket.data_locations or [bucket.location]]
    return any(
        region == (held := _HOLDS.get(one, one.lower())) or (held[-1] == "-" and region.startswith(held))
        for one in places
    )


def make_command(target: Target, bucket: str | None = None) -> str:
    """Returns the command that makes the bucket as `ensure_bucket` does, or one of another name."""
    options = f"--project={target.project} --location={target.location}"
    closed = "--uniform-bucket-level-access --public-access-prevention"
    return f"gcloud storage buckets create gs://{bucket or target.bucket} {options} {closed}"
