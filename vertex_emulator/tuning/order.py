"""What the server orders a training process to do."""

from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from vertex_emulator.tuning.evaluation.wishes import Wishes

MAX_CHECKPOINTS = 10


@dataclass(frozen=True)
class Source:
    """A dataset file.

    Attributes:
        uri: How the user named it.
        path: Where it is.
    """

    uri: str
    path: str


@dataclass(frozen=True)
class Pace:
    """How slow a training is, all in seconds; without anything, as fast as it can be.

    Attributes:
        reading: The least time until the datasets are read.
        waiting: How long it waits before it begins to train.
        training: The least time from the first step to the last, each taking the same.
        halfway: How long it stops when half of the steps are done.
    """

    reading: float = 0.0
    waiting: float = 0.0
    training: float = 0.0
    halfway: float = 0.0


@dataclass(frozen=True)
class Order:
    """A training.

    Attributes:
        training: The training dataset.
        validation: The validation dataset, if there is one.
        max_example_tokens: The most tokens that an example may have.
        epochs: Passes over the training dataset; None to choose by its size.
        learning_rate_multiplier: Multiplies the built-in learning rate.
        adapter_size: Rank of the adapter.
        start: Weights to continue from; None for the base model.
        folder: An existing folder that the checkpoints are written to.
        last_checkpoint_only: Whether only the last checkpoint is wanted.
        pace: How slow it is.
        evaluation: How each checkpoint is evaluated on the validation dataset; None for not at all.
    """

    training: Source
    validation: Source | None
    max_example_tokens: int
    epochs: int | None
    learning_rate_multiplier: float
    adapter_size: int
    start: str | None
    folder: str
    last_checkpoint_only: bool
    pace: Pace = Pace()
    evaluation: Wishes | None = None

    def to_json(self) -> bytes:
        """Returns the order as one line of JSON."""
        return orjson.dumps(asdict(self)) + b"\n"

    @classmethod
    def from_json(cls, line: bytes) -> "Order":
        """Reads what `to_json` gave."""
        fields = orjson.loads(line)
        fields["training"] = Source(**fields["training"])
        fields["validation"] = fields["validation"] and Source(**fields["validation"])
        fields["pace"] = Pace(**fields["pace"])
        fields["evaluation"] = fields["evaluation"] and Wishes.from_json(fields["evaluation"])
        return cls(**fields)

    def checkpoint_path(self, checkpoint_id: str) -> Path:
        """Returns where a checkpoint's weights are written."""
        return Path(self.folder) / f"checkpoint-{checkpoint_id}.npz"


def checkpoint_epochs(epochs: int, last_only: bool) -> list[int]:
    """Returns the epochs after which a checkpoint is exported: up to ten, evenly spaced, the last always in."""
    if last_only:
        return [epochs]
    count = min(epochs, MAX_CHECKPOINTS)
    return [round(number * epochs / count) for number in range(1, count + 1)]
