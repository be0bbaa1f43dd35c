"""Where a run takes place: a project, a region and a bucket, on Vertex AI or on an emulator that plays it."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from gemini_sft.catalog import catalog
from gemini_sft.errors import UserError
from launcher.gcloud import gcloud_defaults

_BUCKET = re.compile(r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$")
_ACCOUNT = re.compile(r"^[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com$")


@dataclass(frozen=True)
class Target:
    """A place to run.

    Attributes:
        project: Google Cloud project id.
        location: Region of pipeline and tuning job.
        bucket: Cloud Storage bucket for data and artifacts.
        service_account: What the pipeline runs as; None for the project's default.
        words: In one line, all of this and where each was found.
    """

    project: str
    location: str
    bucket: str
    service_account: str | None = None
    words: str = field(default="", compare=False)

    @property
    def pipeline_root(self) -> str:
        """Where artifacts go."""
        return f"gs://{self.bucket}/pipelines"


@dataclass(frozen=True)
class _Found:
    value: str
    origin: str

    def __str__(self) -> str:
        return f"{self.value} ({self.origin})"


def choose_target(
    project: str | None,
    location: str | None,
    bucket: str | None,
    service_account: str | None = None,
    *,
    regions: Sequence[str] = (),
    ask_gcloud: bool = False,
) -> Target:
    """Completes what the user said from the environment, and if wished from gcloud's defaults.

    Args:
        project: What the command line says; None for nothing. So are the next three.
        location: A region.
        bucket: Name or URI.
        service_account: An e-mail address.
        regions: Where the model can be tuned, the preferred one first; empty for where any model can. A region that
            nobody has asked for in so many words gives way to the nearest of them.
        ask_gcloud: Whether gcloud is asked for what is still missing.

    Raises:
        UserError: There is no project to be found, or a name is impossible.
    """
    regions = regions or all_regions()
    asked = _first([("--project", project), _variable("GOOGLE_CLOUD_PROJECT")])
    place = _first([("--location", location), _variable("GOOGLE_CLOUD_LOCATION")])
    if ask_gcloud:
        asked = asked or _first([_property("core/project")])
        place = place or _near(_first([_property("ai/region"), _property("compute/region")]), regions)
    if not asked:
        raise UserError(
            "no Google Cloud project: give --project or set GOOGLE_CLOUD_PROJECT, or run"
            " `gcloud config set project PROJECT`"
        )
    place = place or _Found(regions[0], "default")
    named = _first([("--bucket", bucket), _variable("GEMINI_SFT_BUCKET")])
    named = named or _Found(f"{asked.value}-gemini-sft", "named after the project")
    name = named.value.removeprefix("gs://").rstrip("/")
    if not _BUCKET.match(name):
        raise UserError(f"{named.origin} {name}: not a name that a Cloud Storage bucket can have")
    account = _first([("--service-account", service_account), _variable("GEMINI_SFT_SERVICE_ACCOUNT")])
    if account and not _ACCOUNT.match(account.value):
        raise UserError(
            f"{account.origin} {account.value}: not the e-mail address of a service account, such as"
            f" NAME@{asked.value}.iam.gserviceaccount.com"
        )
    runs_as = f"service account {account}" if account else "the project's default service account"
    words = f"project {asked}, region {place}, bucket gs://{name} ({named.origin}), {runs_as}"
    return Target(asked.value, place.value, name, account.value if account else None, words)


def all_regions() -> list[str]:
    """Returns the regions in which any model of the catalog can be tuned, the preferred one first."""
    return list(dict.fromkeys(region for model in catalog().models.values() for region in model.tuning_regions))


def nearest(location: str, regions: Sequence[str]) -> str:
    """Returns the region of some that is on a location's continent; the first one if none is."""
    continent = _continent(location)
    return next((one for one in regions if _continent(one) == continent), regions[0])


def _near(found: _Found | None, regions: Sequence[str]) -> _Found | None:
    """Returns a region in which the model can be tuned, and says why it is not the one that was found."""
    if found is None or found.value in regions:
        return found
    region = nearest(found.value, regions)
    kept = "stay on that continent" if _continent(region) == _continent(found.value) else "go there"
    return _Found(region, f"{found}, where the model cannot be tuned: data and model {kept}")


def _continent(location: str) -> str:
    """Returns what the name of a region or multi-region begins with: `us`, `europe`, `asia`."""
    first = location.partition("-")[0]
    return {"eu": "europe", "northamerica": "us"}.get(first, first)


def _first(places: Sequence[tuple[str, str | None]]) -> _Found | None:
    """Returns the first of some places in which something stands."""
    return next((_Found(value, origin) for origin, value in places if value), None)


def _variable(name: str) -> tuple[str, str | None]:
    return name, os.environ.get(name)


def _property(name: str) -> tuple[str, str | None]:
    return f"gcloud {name}", gcloud_defaults().get(name)
