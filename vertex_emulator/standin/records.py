"""The plain values that go into and come out of the stand-in model."""

from dataclasses import dataclass
from typing import Literal

BATCH_SIZE = 8
"""Examples per optimizer step."""


@dataclass(frozen=True)
class Record:
    """One training example as the model sees it.

    Attributes:
        system: Text of the system instruction, `""` if there is none.
        turns: `(role, text)` pairs before the target, role `"user"` or `"model"`; the last is the user's.
        target: The model turn to learn.
    """

    system: str
    turns: tuple[tuple[str, str], ...]
    target: str


@dataclass(frozen=True)
class Settings:
    """Hyperparameters of one training.

    Attributes:
        epochs: Passes over the training examples, at least 1.
        learning_rate_multiplier: Multiplies the built-in learning rate, above 0.
        adapter_size: Rank of the adapter, at least 1.
        seed: Seeds the initialisation and the order of the examples.

    Raises:
        ValueError: If a value is out of its range.
    """

    epochs: int
    learning_rate_multiplier: float
    adapter_size: int
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be trained with."""
        if self.epochs < 1:
            raise ValueError(f"epochs must be at least 1, got {self.epochs}")
        if not 0 < self.learning_rate_multiplier < float("inf"):
            got = self.learning_rate_multiplier
            raise ValueError(f"learning_rate_multiplier must be a positive number, got {got}")
        if self.adapter_size < 1:
            raise ValueError(f"adapter_size must be at least 1, got {self.adapter_size}")


@dataclass(frozen=True)
class StepMetrics:
    """What one optimizer step, or one pass over the validation examples, measured.

    Attributes:
        step: Optimizer steps taken so far, counted over all epochs; 0 only for validation before training.
        epoch: The epoch that the step belongs to, from 1; 0 only for validation before training.
        loss: Mean loss in nats of the examples that have a usable candidate; always finite.
        accuracy: Share of *all* `predictions` whose best-scored candidate has the highest possible reward.
        predictions: Examples looked at, with those that no candidate can answer.
    """

    step: int
    epoch: int
    loss: float
    accuracy: float
    predictions: int


@dataclass(frozen=True)
class Completion:
    """An answer after the limits of the request were applied.

    Attributes:
        text: The answer, without the stop sequence that ended it.
        finish_reason: `"MAX_TOKENS"` if the answer was cut to fit, else `"STOP"`.
        prompt_tokens: Tokens of the system instruction and all turns.
        output_tokens: Tokens of `text`.
    """

    text: str
    finish_reason: Literal["STOP", "MAX_TOKENS"]
    prompt_tokens: int
    output_tokens: int


def steps_per_epoch(example_count: int) -> int:
    """Return the optimizer steps of one epoch: `example_count / BATCH_SIZE`, rounded up."""
    return -(-example_count // BATCH_SIZE)


def default_epochs(example_count: int) -> int:
    """Return the epochs that the service chooses when a job asks for none.

    Google chooses "from the dataset size" and does not publish how. This function aims at some 400 optimizer
    steps, within 3 to 8 epochs: small sets are repeated more often, but none until it is learnt by heart.
    """
    return max(3, min(8, round(400 / max(1, steps_per_epoch(example_count)))))
