"""What an experiment may say of tuning jobs: one, or a sweep of several."""

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gemini_sft.experiment.section import Section


class CheckpointChoice(StrEnum):
    """Which checkpoint of a tuning job is evaluated on the test split."""

    METRIC = "metric"
    LOSS = "loss"
    LAST = "last"


class JobMetric(StrEnum):
    """What Vertex AI can compute inside a tuning job."""

    EXACT_MATCH = "exact_match"
    BLEU = "bleu"
    ROUGE = "rouge"


_MOST_TRIALS = 50

_Epochs = Annotated[int, Field(ge=1, le=100)]
_Multiplier = Annotated[float, Field(gt=0, le=10)]
_Attempt = Annotated[int, Field(ge=1)]
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
OWN_LABELS = ("experiment", "run", "intent", "data", "prompt")
"""Labels that the project itself puts on jobs, models and endpoints."""


def _usable_labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            raise ValueError(
                f"{key}: {value} cannot be a label: keys and values have up to 63 lower-case letters, digits, _ and -,"
                " and a key begins with a letter"
            )
        if key in OWN_LABELS:
            raise ValueError(f"{key} is a label that the run sets itself: take another name")
    return labels


class Tuning(Section):
    """Hyperparameters; what is left out, Vertex AI chooses, which is the advice for a first run."""

    epochs: Annotated[int | None, Field(ge=1, le=100, description="Passes over the training data.")] = None
    adapter_size: Annotated[int | None, Field(description="Rank of the adapter; the catalog knows which exist.")] = None
    learning_rate_multiplier: Annotated[
        float | None, Field(gt=0, le=10, description="Scales the learning rate that Vertex AI would use.")
    ] = None
    attempt: Annotated[
        int, Field(ge=1, description="What was tuned before is not tuned again: another number makes another job.")
    ] = 1
    checkpoint: Annotated[
        CheckpointChoice,
        Field(
            strict=False,
            description="Which checkpoint is taken: the best by the `metric` that decides or by `loss`, both on the"
            " validation split, or the `last`.",
        ),
    ] = CheckpointChoice.METRIC
    from_checkpoint: Annotated[
        Annotated[str, BeforeValidator(lambda given: str(given) if type(given) is int else given)] | None,
        Field(description="Of a tuned `base_model`: the checkpoint to go on from, else its default one."),
    ] = None
    max_dropped_rate: Annotated[
        float,
        Field(ge=0, le=1, description="Share of training examples that Vertex AI may leave out before the run stops."),
    ] = 0.05
    timeout_minutes: Annotated[
        int, Field(ge=1, le=10080, description="How long the job may take before the run gives it up.")
    ] = 1440
    labels: Annotated[
        dict[str, str],
        AfterValidator(_usable_labels),
        Field(description="Put on job, model and endpoints, beside those of the run."),
    ] = Field(default_factory=dict)
    description: Annotated[str | None, Field(min_length=1, description="Of the job and its model.")] = None
    service_account: Annotated[
        str | None,
        Field(pattern=r"^[^@\s]+@[^@\s]+$", description="What the job runs as: NAME@PROJECT.iam.gserviceaccount.com."),
    ] = None
    kms_key: Annotated[
        str | None,
        Field(
            pattern=r"^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$",
            description="A key of your own for the model, where the base model allows one:"
            " projects/P/locations/REGION/keyRings/R/cryptoKeys/K.",
        ),
    ] = None
    allow_retiring: Annotated[
        bool, Field(description="Tune a base model although it is being retired: your project still has access.")
    ] = False
    evaluation: Annotated[
        list[Annotated[JobMetric, Field(strict=False)]],
        Field(
            description=f"Computed by Vertex AI at each checkpoint, where the model allows: {', '.join(JobMetric)}.",
        ),
    ] = Field(default_factory=list)


class Grid(Section):
    """Values of hyperparameters, of which every combination is tried."""

    epochs: Annotated[list[_Epochs] | None, Field(min_length=1, description="Values of `tuning.epochs`.")] = None
    adapter_size: Annotated[list[int] | None, Field(min_length=1, description="Values of `tuning.adapter_size`.")] = (
        None
    )
    learning_rate_multiplier: Annotated[
        list[_Multiplier] | None, Field(min_length=1, description="Values of `tuning.learning_rate_multiplier`.")
    ] = None
    attempt: Annotated[
        list[_Attempt] | None, Field(min_length=1, description="Values of `tuning.attempt`: the same thing repeated.")
    ] = None


class Trial(Section):
    """Hyperparameters that are tried; what is left out is as `tuning` has it."""

    epochs: Annotated[_Epochs | None, Field(description="Its `tuning.epochs`.")] = None
    adapter_size: Annotated[int | None, Field(description="Its `tuning.adapter_size`.")] = None
    learning_rate_multiplier: Annotated[
        _Multiplier | None, Field(description="Its `tuning.learning_rate_multiplier`.")
    ] = None
    attempt: Annotated[_Attempt | None, Field(description="Its `tuning.attempt`.")] = None


class Sweep(Section):
    """Several tuning jobs, of which the best on validation goes on."""

    grid: Annotated[Grid, Field(description="Every combination of some values.")] = Grid()
    trials: Annotated[
        list[Trial],
        Field(
            max_length=_MOST_TRIALS,
            description="Combinations one by one, each a mapping of `tuning` keys to values.",
        ),
    ] = Field(default_factory=list)
    concurrent_jobs: Annotated[
        int, Field(ge=1, le=50, description="Tuning jobs at once: what the project's quota allows, often 1.")
    ] = 1

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        combinations = math.prod(len(values) for values in self.grid.model_dump(exclude_none=True).values())
        has_grid = bool(self.grid.model_dump(exclude_none=True))
        if has_grid == bool(self.trials):
            raise ValueError("give either sweep.grid or sweep.trials")
        if combinations > _MOST_TRIALS:
            raise ValueError(f"sweep.grid has {combinations} combinations: at most {_MOST_TRIALS} are tried")
        if twice := [name for name, number in Counter(name for name, _ in self._tried()).items() if number > 1]:
            raise ValueError(f"the trial {twice[0]} is there twice: to repeat one, give each an attempt of its own")
        return self

    def settings(self, tuning: Tuning) -> dict[str, Tuning]:
        """Returns the settings of each trial, by a name that says what is tried: `epochs=2 adapter_size=4`."""
        return {name: tuning.model_copy(update=values) for name, values in self._tried()}

    def _tried(self) -> Iterator[tuple[str, dict[str, float]]]:
        """Yields name and values of each trial."""
        given = self.grid.model_dump(exclude_none=True)
        combinations = [dict(zip(given, values, strict=True)) for values in itertools.product(*given.values())]
        for one in [trial.model_dump(exclude_none=True) for trial in self.trials] or combinations:
            yield " ".join(f"{key}={value:.12g}" for key, value in one.items()) or "defaults", one
