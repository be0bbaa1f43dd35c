"""What an experiment has left on Vertex AI and in its bucket, as plain data for the rules of the cleanup."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gemini_sft.experiment.schema import CHAMPION, PREVIOUS

HOLDERS = frozenset({CHAMPION, PREVIOUS})
"""Whoever has one of these aliases is not touched."""
REJECT = "reject"
"""The verdict by which a run's model is of no use, however young it is."""
_LONGEST_LABEL = 63


@dataclass(frozen=True)
class Scope:
    """Whose estate it is, and where.

    Attributes:
        project: Google Cloud project id.
        location: Region of the runs.
        experiment: Name of the experiment, and value of the label `experiment`.
        pipelines: `gs://` root of the artifacts of pipelines.
        staging: `gs://` folder of the experiment, with a folder named by a hash for each staged file.
        outcomes: `gs://` folder of the outcomes of its runs.
        commands: `gs://` folder of the commands that its runs were started with, in whatever region.
        cleaned: `gs://` URI of a mark that is renewed before anything is deleted.
        by_run: `gs://` folders in which each run has a folder of its own, such as what a job evaluated itself.
        answers: The same as `by_run`, of what only helps a run to go on: how far it is, and at any depth journals of
            answers.
    """

    project: str
    location: str
    experiment: str
    pipelines: str
    staging: str
    outcomes: str
    commands: str
    cleaned: str
    by_run: tuple[str, ...]
    answers: tuple[str, ...]

    def owns(self, labels: Mapping[str, str]) -> bool:
        """Returns whether labels are those that the project gives to what it makes for this experiment."""
        return labels.get("experiment") == self.experiment and bool(labels.get("intent"))


@dataclass(frozen=True)
class Run:
    """A run, known by its pipeline, its label on something, or its outcome.

    Attributes:
        id: Its name.
        under_way: Whether its pipeline or a tuning job of it has not ended.
        adopts: Whether its pipeline has not ended, so that it may take up any model of the experiment.
        began: When its pipeline was submitted; None if nobody knows.
        ended: The last that is known of it; None if nobody knows.
        verdict: Of its outcome; empty if it came to none.
        model: The version that its outcome names; empty if it came to none.
        inputs: The staged files that it refers to; None if nobody knows.
    """

    id: str
    under_way: bool = False
    adopts: bool = False
    began: datetime | None = None
    ended: datetime | None = None
    verdict: str = ""
    model: str = ""
    inputs: frozenset[str] | None = None

    @property
    def label(self) -> str:
        """What stands in the label `run`."""
        return run_label(self.id)


def run_label(run_id: str) -> str:
    """Returns a run's id as a label can hold it."""
    return run_id[-_LONGEST_LABEL:]


@dataclass(frozen=True)
class Version:
    """A version of a model.

    Attributes:
        name: Resource name, with `@` and the version's id.
        own: Whether it has the project's labels.
        run: The label `run`.
        aliases: Its aliases.
        endpoints: Names of those that have it deployed.
    """

    name: str
    own: bool
    run: str
    aliases: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset()

    @property
    def model(self) -> str:
        """The resource name of its model."""
        return self.name.partition("@")[0]


@dataclass(frozen=True)
class Endpoint:
    """An endpoint.

    Attributes:
        name: Resource name.
        own: Whether it has the project's labels.
        serves: Names of the versions that are deployed there.
    """

    name: str
    own: bool
    serves: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Job:
    """A tuning job.

    Attributes:
        name: Resource name.
        run: The label `run`.
        ended: Whether it will do nothing more.
        version: The version that it has made, which may be gone; empty for none.
        endpoints: Those that it has made, which may be gone.
        experiment: Resource name of the Vertex AI experiment with its curves; empty if there is none any more.
    """

    name: str
    run: str
    ended: bool
    version: str = ""
    endpoints: frozenset[str] = frozenset()
    experiment: str = ""


@dataclass(frozen=True)
class Object:
    """An object in the bucket: URI, size in bytes, when it was written, and the generation that it had then."""

    uri: str
    bytes: int
    written: datetime
    generation: int


@dataclass(frozen=True)
class Estate:
    """All of it.

    Attributes:
        runs: Every run that is known of.
        versions: Every version of every model that has one of the experiment's.
        endpoints: Those that the jobs have made, and whatever else serves one of the versions.
        jobs: Every tuning job with the experiment's label.
        artifacts: What runs have left, by their ids.
        answers: What would have helped runs to go on, by their ids.
        staged: What was staged.
        schedules: The staged files that each schedule gives to its next run, by the ids of those that may start one;
            None where nobody knows.
    """

    runs: tuple[Run, ...] = ()
    versions: tuple[Version, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    jobs: tuple[Job, ...] = ()
    artifacts: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)
    answers: Mapping[str, tuple[Object, ...]] = field(default_factory=dict)
    staged: tuple[Object, ...] = ()
    schedules: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
