"""The model registry: which versions an experiment has made, and which of them is in use.

Each tuning job makes a model of its own, and an alias belongs to one model. So what is in use is told from all of an
experiment's models together: of those that have the alias `champion`, it is the one that was promoted last. That is
what lets it change from one model to another in a single call (`gemini_sft.release.moving`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gemini_sft import vertex
from gemini_sft.errors import UserError
from gemini_sft.experiment.schema import CHAMPION, PREVIOUS

PROMOTED = "promoted"
"""The label that says when a version was promoted: in UTC, to the microsecond, so that it sorts as text."""

_PUBLISHED = "publishers/google/models/"
_BASE_LABEL = "google-vertex-llm-tuning-base-model-id"


@dataclass(frozen=True)
class Version:
    """A version of a model.

    Attributes:
        name: Its resource name, `projects/P/locations/L/models/ID@VERSION`.
        aliases: What else it is called.
        labels: Its own and those of its model.
        root: The Gemini model that it was tuned from; empty if it is no tuned Gemini model.
        checkpoints: The ids of its checkpoints.
        default_checkpoint: The one that answers where nobody names one; None if it has none.
        endpoints: The endpoint that has each checkpoint deployed; `""` for one that does not say which.
    """

    name: str
    aliases: frozenset[str]
    labels: dict[str, str]
    root: str
    checkpoints: tuple[str, ...]
    default_checkpoint: str | None
    endpoints: dict[str, str]

    @property
    def promoted(self) -> str:
        """When it was last promoted; empty if it never was, which is before any other time."""
        return self.labels.get(PROMOTED, "")


def find_version(name: str) -> Version | None:
    """Returns the version that a model's resource name, with a version, an alias or neither, stands for; None if none.

    Raises:
        ServiceError: Vertex AI did not say.
    """
    model = vertex.find(name, vertex.location_of(name, ""))
    return _version(model) if model else None


def versions(project: str, location: str, experiment: str) -> list[Version]:
    """Returns all versions that an experiment has made in a region, known by their label `experiment`.

    Raises:
        ServiceError: Vertex AI did not say.
    """
    place = f"projects/{project}/locations/{location}"
    found = []
    for model in vertex.listed(f"{place}/models", location, "models", f'labels.experiment="{experiment}"'):
        name = model["name"].partition("@")[0]
        found += [_version(one) for one in vertex.listed(f"{name}:listVersions", location, "models")]
    return [one for one in found if one.labels.get("experiment") == experiment]


def champion_of(found: Iterable[Version]) -> Version | None:
    """Returns the version in use: of those with the alias `champion`, the one that was promoted last; None if none.

    Raises:
        UserError: Several have the alias, and nothing tells which was promoted last.
    """
    return _latest(CHAMPION, [one for one in found if CHAMPION in one.aliases])


def previous_of(found: Iterable[Version]) -> Version | None:
    """Returns the version that was in use before: of those with the alias `previous` that are not in use, the last.

    Raises:
        UserError: Several have one of the aliases, and nothing tells which was promoted last.
    """
    found = list(found)
    champion = champion_of(found)
    return _latest(PREVIOUS, [one for one in found if PREVIOUS in one.aliases and one != champion])


def _latest(alias: str, holders: list[Version]) -> Version | None:
    last = max((one.promoted for one in holders), default="")
    latest = [one for one in holders if one.promoted == last]
    if len(latest) > 1:
        names = ", ".join(one.name for one in latest)
        raise UserError(
            f"several models have the alias {alias}, and their label {PROMOTED} does not tell which was promoted last:"
            f" {names}: take the alias from all but one in the Model Registry"
        )
    return latest[0] if latest else None


def _version(model: dict[str, Any]) -> Version:
    labels = model.get("labels", {})
    uri = model.get("baseModelSource", {}).get("genieSource", {}).get("baseModelUri", "")
    return Version(
        name=f"{model['name'].partition('@')[0]}@{model['versionId']}",
        aliases=frozenset(model.get("versionAliases", [])),
        labels=labels,
        root=uri.rpartition(_PUBLISHED)[2].partition("@")[0] or labels.get(_BASE_LABEL, ""),
        checkpoints=tuple(one["checkpointId"] for one in model.get("checkpoints", [])),
        default_checkpoint=model.get("defaultCheckpointId") or None,
        endpoints={one.get("checkpointId", ""): one["endpoint"] for one in model.get("deployedModels", [])},
    )
