"""What the first page shows: runs, schedules, tuning jobs and models."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from vertex_emulator.database import Database
from vertex_emulator.names import canonical
from vertex_emulator.pages.telling import UNDER_WAY, plain_state, seconds_between
from vertex_emulator.pipelines.resource import KIND

PAGE_SIZE = 50
_BRIEF = 10
_LAST_RUNS = 5
_OF_RUNS = ("displayName", "state", "createTime", "startTime", "endTime", "scheduleName", "pipelineSpec.pipelineInfo")
_OF_SCHEDULES = ("displayName", "state", "cron", "nextRunTime", "startedRunCount", "lastScheduledRunResponse")

Document = dict[str, Any]


def link_to(name: str) -> str:
    """Returns the page of a pipeline job by its resource name."""
    return "/runs/" + quote(key_of(name))


def key_of(name: str) -> str:
    """Returns `project/location/id` of a pipeline job's resource name."""
    _, project, _, location, _, job = name.split("/", 5)
    return f"{project}/{location}/{job}"


@dataclass(frozen=True)
class Run:
    """A pipeline job in a list; `schedule` is the display name of the schedule that started it."""

    job: Document
    schedule: str = ""

    @property
    def key(self) -> str:
        """What it is called in the addresses of pages."""
        return key_of(self.job["name"])

    @property
    def title(self) -> str:
        """Its display name, or the last part of its name."""
        return str(self.job.get("displayName") or self.job["name"].rpartition("/")[2])

    @property
    def pipeline(self) -> str:
        """The pipeline's name in its spec."""
        return str(self.job.get("pipelineSpec", {}).get("pipelineInfo", {}).get("name", ""))

    @property
    def seconds(self) -> float | None:
        """How long it took, or takes by now; None if it has not begun."""
        return seconds_between(self.job.get("startTime"), self.job.get("endTime"))

    @property
    def given(self) -> Document:
        """Its parameters, with the defaults of those that were not given."""
        defined = self.job["pipelineSpec"]["root"].get("inputDefinitions", {}).get("parameters", {})
        defaults = {name: one["defaultValue"] for name, one in defined.items() if "defaultValue" in one}
        return {**defaults, **self.job.get("runtimeConfig", {}).get("parameterValues", {})}

    @property
    def facts(self) -> Document:
        """What else its client said of it."""
        config = self.job.get("runtimeConfig", {})
        facts = {
            "name": self.job["name"],
            "output directory": config.get("gcsOutputDirectory"),
            "failure policy": config.get("failurePolicy"),
            "service account": self.job.get("serviceAccount"),
            "schedule": self.job.get("scheduleName"),
        }
        return {name: value for name, value in facts.items() if value}

    @property
    def under_way(self) -> bool:
        """Whether it has not ended."""
        return plain_state(self.job["state"]) in UNDER_WAY


@dataclass(frozen=True)
class Schedule:
    """A schedule and its last runs, newest first."""

    document: Document
    runs: list[Run]

    @property
    def cron(self) -> str:
        """When it fires, without the time zone."""
        cron = str(self.document.get("cron", ""))
        return cron.partition(" ")[2] if self._has_zone else cron

    @property
    def zone(self) -> str:
        """The time zone, which is UTC if the cron says nothing."""
        first = str(self.document.get("cron", "")).partition(" ")[0]
        return first.partition("=")[2] if self._has_zone else "UTC"

    @property
    def _has_zone(self) -> bool:
        return str(self.document.get("cron", "")).startswith(("TZ=", "CRON_TZ="))


@dataclass(frozen=True)
class Overview:
    """Everything on the first page.

    Attributes:
        runs: Newest first, a page of them.
        count: How many there are.
        skipped: How many newer ones there are.
        schedules: In the order of their making.
        tuning_jobs: The newest.
        models: The newest, each with what is known of its versions' aliases.
    """

    runs: list[Run]
    count: int
    skipped: int
    schedules: list[Schedule]
    tuning_jobs: Sequence[Document]
    models: Sequence[Document]

    @property
    def live(self) -> bool:
        """Whether anything may change by itself."""
        jobs = any(plain_state(job["state"]) in UNDER_WAY for job in self.tuning_jobs)
        fires = any(schedule.document.get("state") == "ACTIVE" for schedule in self.schedules)
        return jobs or fires or any(run.under_way for run in self.runs)


def overview(database: Database, skipped: int = 0) -> Overview:
    """Collects the first page, or a later page of runs.

    Args:
        database: Where everything is.
        skipped: How many of the newest runs to leave out.
    """
    schedules = {str(one["name"]): one for one in reversed(database.parts("schedules", None, _OF_SCHEDULES))}
    names = {name: str(one.get("displayName") or name.rpartition("/")[2]) for name, one in schedules.items()}

    def runs(jobs: Sequence[dict[str, Any]]) -> list[Run]:
        return [Run(job, names.get(job.get("scheduleName", ""), job.get("scheduleName", ""))) for job in jobs]

    newest = runs(database.parts(KIND, None, _OF_RUNS, PAGE_SIZE))
    return Overview(
        runs=runs(database.parts(KIND, None, _OF_RUNS, PAGE_SIZE, skipped)) if skipped else newest,
        count=database.count(KIND),
        skipped=skipped,
        schedules=[
            Schedule(one, [run for run in newest if run.job.get("scheduleName") == name][:_LAST_RUNS])
            for name, one in schedules.items()
        ],
        tuning_jobs=database.newest("tuningJobs", _BRIEF),
        models=database.newest("models", _BRIEF),
    )


def find_run(database: Database, key: str) -> Run | None:
    """Returns the run of `project/location/id`, or None."""
    project, _, rest = key.partition("/")
    location, _, job = rest.partition("/")
    document = database.get(canonical(f"projects/{project}/locations/{location}/{KIND}/{job}"))
    if document is None or "pipelineSpec" not in document:
        return None
    schedule = database.get(document.get("scheduleName", ""))
    return Run(document, str(schedule.get("displayName", "")) if schedule else document.get("scheduleName", ""))
