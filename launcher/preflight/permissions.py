"""What one must be allowed to do, in one table: of whoever starts runs, and of the account that a pipeline runs as.

`gemini-sft check --on vertex` asks Google for what stands here. docs/vertex.md shows it, and a test holds the two
against each other. Roles are Google's predefined ones: https://cloud.google.com/iam/docs/roles-permissions.
"""

from dataclasses import dataclass
from enum import StrEnum


class On(StrEnum):
    """What a permission is needed on."""

    PROJECT = "project"
    BUCKET = "bucket"
    ACCOUNT = "service account"
    SECRET = "secret"
    DATA = "data"
    IMAGE = "image"


@dataclass(frozen=True)
class Need:
    """Something that one must be allowed to do.

    Attributes:
        on: On what.
        why: What for, to be read after "to".
        role: The role that holds it, as narrow as there is one.
        permissions: Which of its permissions; none where nobody can ask for them beforehand.
    """

    on: On
    why: str
    role: str
    permissions: tuple[str, ...] = ()


STARTS = (
    Need(
        On.PROJECT,
        "submit, watch and cancel runs, count tokens and look up models",
        "roles/aiplatform.user",
        (
            "aiplatform.pipelineJobs.create",
            "aiplatform.pipelineJobs.get",
            "aiplatform.pipelineJobs.list",
            "aiplatform.pipelineJobs.cancel",
            "aiplatform.endpoints.predict",
            "aiplatform.endpoints.list",
            "aiplatform.models.get",
            "aiplatform.models.list",
        ),
    ),
    Need(On.PROJECT, "see that the bucket is the project's", "roles/storage.bucketViewer", ("storage.buckets.list",)),
    Need(
        On.BUCKET,
        "put the data there and fetch the results",
        "roles/storage.objectUser",
        ("storage.objects.create", "storage.objects.get", "storage.objects.list", "storage.objects.delete"),
    ),
    Need(
        On.ACCOUNT,
        "have the pipeline run as it",
        "roles/iam.serviceAccountUser",
        ("iam.serviceAccounts.actAs",),
    ),
)
"""Whoever starts a run, or a schedule."""

MAKES_BUCKET = Need(On.PROJECT, "make the bucket", "roles/storage.admin", ("storage.buckets.create",))
"""Whoever starts the first run, unless somebody else has made the bucket."""

SEES = Need(
    On.PROJECT,
    "see which APIs are enabled and how many tuning jobs may run",
    "roles/serviceusage.serviceUsageConsumer",
    ("serviceusage.services.get", "serviceusage.quotas.get"),
)
READS_LOGS = Need(On.PROJECT, "read what tasks have written", "roles/logging.viewer", ("logging.logEntries.list",))
"""Whoever starts a run and wants more; without these two it starts all the same."""

SOMEBODY = "user:YOUR_ADDRESS"
"""Who is given a role, in a command for whoever gives it: a person's credentials do not tell whose they are."""

RUNS = (
    Need(On.PROJECT, "tune, evaluate, register and promote models", "roles/aiplatform.user"),
    Need(On.BUCKET, "read data and write artifacts", "roles/storage.objectUser"),
    Need(On.IMAGE, "pull the image", "roles/artifactregistry.reader"),
    Need(On.PROJECT, "write logs", "roles/logging.logWriter"),
    Need(
        On.SECRET,
        "read the webhook's address, if notification.webhook names a secret",
        "roles/secretmanager.secretAccessor",
    ),
    Need(On.DATA, "read data that are bq://", "roles/bigquery.dataViewer"),
    Need(On.DATA, "read data in other buckets", "roles/storage.objectViewer"),
)
"""The account that a pipeline runs as, `--service-account`."""
