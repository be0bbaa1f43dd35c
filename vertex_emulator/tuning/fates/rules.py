"""What `PUT /emulator/tuning` may say: how many jobs train at once, and what befalls which job."""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from vertex_emulator.errors import RPC_CODES

Stage = Literal[
    "QUEUED", "WAITING_FOR_QUOTA", "PROCESSING_DATASET", "WAITING_FOR_CAPACITY", "TUNING", "POST_PROCESSING"
]
"""Where a job is, in this order."""

Stay = Stage | Literal["UPDATING", "PAUSED", "CANCELLING"]
"""Where a job can be kept: a stage, a state that it has for a while in the middle of TUNING, or its cancellation."""

Seconds = Annotated[float, Meta(ge=0, le=3600)] | Literal["forever"]
State = Literal["FAILED", "EXPIRED", "CANCELLED", "PARTIALLY_SUCCEEDED"]
Absent = Literal["tuned_model", "endpoint", "checkpoints", "experiment"]

FOREVER = 1e9
"""Seconds, some thirty years."""

_CODES = {"FAILED": "INTERNAL", "CANCELLED": "CANCELLED"}
_MESSAGES = {"FAILED": "Internal error encountered.", "CANCELLED": "The tuning job was cancelled."}


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a job ends instead of succeeding.

    Attributes:
        at: The last stage: it ends when that is over; TUNING when half of its steps are done.
        state: Its last state.
        code: Canonical name of its error. FAILED and CANCELLED always have an error, the others if this is given.
        message: Text of its error.
    """

    at: Stage
    state: State = "FAILED"
    code: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        """Refuses an error that no job can have.

        Raises:
            ValueError: Names the field and what is wrong with it.
        """
        if self.code and self.code not in RPC_CODES:
            raise ValueError(f"code: {self.code!r} is none; expected one of {', '.join(sorted(RPC_CODES))}")
        if self.message and not self._code:
            raise ValueError(f"message: {self.state} has no error without a code")

    @property
    def _code(self) -> str:
        return self.code or _CODES.get(self.state, "")

    @property
    def error(self) -> dict[str, Any] | None:
        """The job's `error`, if it has one."""
        if not self._code:
            return None
        message = self.message or _MESSAGES.get(self.state, "An error that was asked for.")
        return {"code": RPC_CODES[self._code], "message": message}


class Dropped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a job says of dropped examples, whatever is true.

    Attributes:
        count: How many.
        indices: Places of some of them in the training dataset, from 1.
        reasons: Why, for each of `indices`; or nothing.
    """

    count: Annotated[int, Meta(ge=1)]
    indices: tuple[Annotated[int, Meta(ge=1)], ...] = ()
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses lists of wrong length.

        Raises:
            ValueError: Names the field and what is wrong with it.
        """
        if len(self.indices) > self.count:
            raise ValueError(f"indices: {len(self.indices)} of {self.count} dropped examples")
        if self.reasons and len(self.reasons) != len(self.indices):
            raise ValueError(f"reasons: expected {len(self.indices)}, one for each of indices, or none")

    @property
    def stats(self) -> dict[str, Any]:
        """The fields of `SupervisedTuningDataStats` that say it."""
        return {
            "totalTruncatedExampleCount": str(self.count),
            "truncatedExampleIndices": [str(index) for index in self.indices],
            "droppedExampleReasons": list(self.reasons),
        }


class Fate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What befalls the jobs that it takes.

    Attributes:
        labels: Labels that a job must have, among others.
        display_name: Regular expression searched in a job's `tunedModelDisplayName`.
        times: How many jobs it takes, in the order of their making; None for all.
        seconds: How long a job stays, at least, by stage or state.
        end: How it ends, instead of succeeding.
        without: What a job that ends with a model does not show of it; `experiment` is never shown.
        dropped: What it says of dropped examples.
    """

    labels: dict[str, str] = {}
    display_name: str = ""
    times: Annotated[int, Meta(ge=0)] | None = None
    seconds: dict[Stay, Seconds] = {}
    end: End | None = None
    without: frozenset[Absent] = frozenset()
    dropped: Dropped | None = None

    def __post_init__(self) -> None:
        """Refuses what is no regular expression.

        Raises:
            ValueError: Names the field and what is wrong with it.
        """
        try:
            re.compile(self.display_name)
        except re.error as error:
            raise ValueError(f"display_name: {self.display_name!r} is not a regular expression: {error}") from error

    def takes(self, job: dict[str, Any]) -> bool:
        """Tells whether it is for such a job, given as its document."""
        labelled = self.labels.items() <= job.get("labels", {}).items()
        return labelled and re.search(self.display_name, job.get("tunedModelDisplayName", "")) is not None

    def has(self, stage: Stage) -> bool:
        """Tells whether something happens to a job in a stage."""
        return stage in self.seconds or (self.end is not None and self.end.at == stage)

    def shown(self, tuned_model: dict[str, Any] | None) -> dict[str, Any] | None:
        """Returns what is shown of a job's `tunedModel`."""
        if tuned_model is None or "tuned_model" in self.without:
            return None
        return {field: value for field, value in tuned_model.items() if field not in self.without}

    def stay(self, where: Stay) -> float:
        """Returns for how many seconds a job is kept there."""
        seconds = self.seconds.get(where, 0.0)
        return FOREVER if seconds == "forever" else float(seconds)


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole document.

    Attributes:
        concurrent_jobs: How many jobs train at once.
        fates: A job has the first one that takes it.
    """

    concurrent_jobs: Annotated[int, Meta(ge=0)] = 1
    fates: tuple[Fate, ...] = ()

    def __post_init__(self) -> None:
        """Refuses fates that would do nothing.

        Raises:
            ValueError: Names the fate.
        """
        for number, fate in enumerate(self.fates):
            if not (fate.seconds or fate.end or fate.without or fate.dropped):
                raise ValueError(f"fates[{number}]: a fate needs seconds, end, without or dropped")


def read_control(given: Any) -> Control:
    """Reads the document from JSON.

    Raises:
        msgspec.ValidationError: Names the field that is unknown or impossible.
    """
    return msgspec.convert(given, Control)
