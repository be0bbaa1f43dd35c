"""What a cleanup would delete and what it leaves, as data that can be shown before anything is done."""

from dataclasses import dataclass
from enum import StrEnum

from gemini_sft.release.cleanup_estate import Object


class Kind(StrEnum):
    """What can be deleted, in the order in which it is: Vertex AI deletes no model that is deployed."""

    ENDPOINT = "endpoint"
    VERSION = "version"
    MODEL = "model"
    EXPERIMENT = "experiment"
    ARTIFACTS = "artifacts"
    ANSWERS = "answers"
    STAGING = "staging"


@dataclass(frozen=True)
class Item:
    """One thing that would be deleted.

    Attributes:
        kind: What it is.
        name: Its resource name; of files, their folder.
        run: The run that has made it; empty for staged files, which runs share.
        why: In words.
        versions: Of an endpoint, what it may serve; of a model, the versions that it may have; of an experiment, whose
            curves it has; of files, the versions that their run has made. None of them may be in use.
        job: Of an experiment, the tuning job that has made it.
        objects: Of files, which.
    """

    kind: Kind
    name: str
    run: str
    why: str
    versions: tuple[str, ...] = ()
    job: str = ""
    objects: tuple[Object, ...] = ()

    @property
    def bytes(self) -> int:
        """What it stores, as far as that is known."""
        return sum(one.bytes for one in self.objects)


@dataclass(frozen=True)
class Kept:
    """A thing that stays although a cleanup was asked for, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Plan:
    """What a cleanup would delete, in that order, and which models and runs it leaves."""

    items: tuple[Item, ...]
    kept: tuple[Kept, ...]
