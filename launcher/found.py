"""The runs that Vertex AI remembers: which one is meant, and what is known of each without its tasks."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

from gemini_sft import vertex
from gemini_sft.errors import UserError
from launcher.runs import LATEST, some
from launcher.target import Target

KIND = "pipelineJobs"
_FIELDS = ",".join(
    (
        *("name", "state", "createTime", "startTime", "endTime", "scheduleName"),
        *("runtimeConfig.parameterValues", "pipelineSpec.pipelineInfo"),
    )
)
_ID = re.compile(r"[a-z0-9][-a-z0-9]{0,127}")
_SHOWN = 20
_LOOKED_AT = 1000
"""How many runs back a beginning of an id is looked for; a whole id is always found."""


@dataclass(frozen=True)
class Found:
    """One run as Vertex AI remembers it.

    Attributes:
        id: Last part of its resource name.
        pipeline: Name of its pipeline.
        state: A word such as RUNNING.
        created: When it was submitted.
        started: When its first task could begin; None if it has not.
        ended: None if it has not.
        schedule: Id of the schedule that has started it; empty if somebody did.
        experiment_uri: Of the experiment file that it was given; empty for a pipeline that is not ours.
    """

    id: str
    pipeline: str
    state: str
    created: datetime
    started: datetime | None
    ended: datetime | None
    schedule: str
    experiment_uri: str

    @property
    def experiment(self) -> str:
        """The experiment's name, as it stands in the place where its file is staged."""
        return PurePosixPath(self.experiment_uri).parent.parent.name

    @property
    def seconds(self) -> float | None:
        """How long it took, or has been going on; None if it has not begun."""
        if self.started is None:
            return None
        return ((self.ended or datetime.now(UTC)) - self.started).total_seconds()


def read(document: dict[str, Any]) -> Found:
    """Returns a pipeline job of the REST API as a run."""
    given = document.get("runtimeConfig", {}).get("parameterValues", {})
    return Found(
        id=document["name"].rpartition("/")[2],
        pipeline=document.get("pipelineSpec", {}).get("pipelineInfo", {}).get("name", ""),
        state=document.get("state", "").removeprefix("PIPELINE_STATE_"),
        created=datetime.fromisoformat(document["createTime"]),
        started=_time(document, "startTime"),
        ended=_time(document, "endTime"),
        schedule=document.get("scheduleName", "").rpartition("/")[2],
        experiment_uri=str(given.get("experiment_uri", "")),
    )


def _time(document: dict[str, Any], field: str) -> datetime | None:
    return datetime.fromisoformat(document[field]) if field in document else None


def recent(target: Target) -> list[Found]:
    """Returns the last runs of a project and region, the newest first; no pipelines of others.

    Raises:
        ServiceError: Vertex AI refused or did not answer.
    """
    return list(islice(_ours(target), _SHOWN))


def _ours(target: Target) -> Iterator[Found]:
    # Newest first is the order that Vertex AI documents for a list without one.
    found = vertex.listed(_jobs(target), target.location, KIND, fields=_FIELDS)
    return (run for run in map(read, islice(found, _LOOKED_AT)) if run.experiment_uri)


def _jobs(target: Target) -> str:
    return f"projects/{target.project}/locations/{target.location}/{KIND}"


def resolve(target: Target, run: str) -> Found:
    """Returns the run that is meant.

    Args:
        target: Project and region.
        run: Its id, a beginning that only it has among the last ones, or `latest`.

    Raises:
        UserError: There is no such run, or several.
        ServiceError: Vertex AI refused or did not answer.
    """
    if run != LATEST and _ID.fullmatch(run) and (document := vertex.find(f"{_jobs(target)}/{run}", target.location)):
        return read(document)
    there = list(_ours(target))
    if run == LATEST and there:
        return there[0]
    begun = [one for one in there if run and one.id.startswith(run)]
    if len(begun) == 1:
        return begun[0]
    where = f"project {target.project}, region {target.location}"
    if begun:
        raise UserError(
            f"{run}: several runs in {where} begin so: {some([one.id for one in begun])}; give more of the id"
        )
    names = [one.id for one in there]
    nearest = difflib.get_close_matches(run, names, cutoff=0.4)
    hint = f"the nearest are {some(nearest)}" if nearest else f"there are {some(names) or 'none'}"
    raise UserError(
        f"{run}: no run of that name in {where}: {hint}; give an id, its beginning, {LATEST}, or the place where it"
        " was started (--on, --project, --location, --data-dir)"
    )
