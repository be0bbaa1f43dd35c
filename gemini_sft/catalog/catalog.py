"""Loading `models.yaml` and answering from it."""

import difflib
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

_CLOSED_BEFORE = timedelta(days=30)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Price(_Entry):
    """What a model costs, in USD per 1 million tokens; None where it is not known.

    Attributes:
        date: The day on which it was last seen.
        training: For a token of the training data, in each epoch.
        input: For a token of a prompt, of the base model and of those tuned from it. Audio may cost more.
        output: For a token of an answer, likewise.
        surcharge_outside_global: The share by which input and output cost more at any location but `global`.
    """

    date: date
    training: Annotated[float, Field(gt=0)] | None
    input: Annotated[float, Field(gt=0)] | None
    output: Annotated[float, Field(gt=0)] | None
    surcharge_outside_global: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def inference(self, location: str) -> tuple[float | None, float | None]:
        """Returns what a token of a prompt and one of an answer cost at a location, USD per 1 million."""
        factor = 1.0 if location == "global" else 1 + self.surcharge_outside_global
        return (
            None if self.input is None else self.input * factor,
            None if self.output is None else self.output * factor,
        )


class Batch(_Entry):
    """What batch jobs cost.

    Attributes:
        date: The day on which it was last seen.
        price_factor: What a token costs in one, for each unit of its price in a single request.
    """

    date: date
    price_factor: Annotated[float, Field(gt=0, le=1)]


class Storage(_Entry):
    """What it costs to keep objects in a bucket.

    Attributes:
        date: The day on which it was last seen.
        per_gb_month: USD for 2^30 bytes of Standard storage in one region, a month.
    """

    date: date
    per_gb_month: Annotated[float, Field(gt=0)]

    def usd_a_month(self, size: int) -> float:
        """Returns what so many bytes cost."""
        return self.per_gb_month * size / 2**30


class AssumedEpochs(_Entry):
    """How many epochs a quote reckons with if Vertex AI is to choose them.

    Attributes:
        date: Of the advice that the numbers come from.
        small_below: A data set of fewer training examples is small.
        small: Epochs of a small one.
        large: Epochs of any other.
    """

    date: date
    small_below: Annotated[int, Field(gt=0)]
    small: Annotated[int, Field(ge=1)]
    large: Annotated[int, Field(ge=1)]

    def of(self, examples: int) -> int:
        """Returns the epochs for so many training examples."""
        return self.small if examples < self.small_below else self.large


class Retiring(_Entry):
    """When a model that can still be tuned goes.

    Attributes:
        date: The day, or the earliest that it can be.
        announced: Whether that is the day itself.
        replacement: What to tune instead.
    """

    date: date
    announced: bool
    replacement: str


class Model(_Entry):
    """A model that can be tuned.

    Attributes:
        adapter_sizes: Ranks that its adapter may have.
        tuning_regions: Locations that a tuning job may run in.
        max_example_tokens: Input and output of one training example together.
        thinking: The `thinkingConfig` that makes it think least, as generateContent takes it.
        sampling: Whether it obeys temperature, top-k and top-p.
        mixes_media_resolutions: Whether mediaResolution may differ between the examples of a job.
        cmek: Whether a key of the customer's own may encrypt what is tuned.
        evaluates_in_job: Regions in which a tuning job can evaluate its checkpoints itself; of text only.
        retires: When it goes; None if nothing of that is known.
        price: What it costs; None if nothing of that is known.
    """

    adapter_sizes: tuple[int, ...]
    tuning_regions: tuple[str, ...]
    max_example_tokens: int
    thinking: dict[str, int | str]
    sampling: bool
    mixes_media_resolutions: bool
    cmek: bool
    evaluates_in_job: tuple[str, ...]
    retires: Retiring | None = None
    price: Price | None = None

    @property
    def closed(self) -> date | None:
        """From which day whoever has not used it is kept from it, also from tuning it; None if it is not announced.

        A month before it goes: Google, "Model versions and lifecycle".
        """
        return self.retires.date - _CLOSED_BEFORE if self.retires and self.retires.announced else None

    @property
    def least_thoughts(self) -> int:
        """How many tokens it must be allowed to think in each request, as far as that is known; 0 if none."""
        return int(self.thinking.get("thinkingBudget", 0))


class Retirement(_Entry):
    """A model that is no longer served, since when, and what takes its place."""

    since: date
    replacement: str


class Catalog(_Entry):
    """The whole table.

    Attributes:
        checked: The day on which it was last held against Google's pages.
        assumed_epochs: What a quote takes for epochs that Vertex AI is to choose.
        batch: The price of batch jobs.
        storage: The price of what lies in the bucket.
        most_checkpoints: How many a tuning job leaves at most: one an epoch, evenly spaced if there are more epochs.
        models: What can be tuned, by model id.
        retired: What could be, by model id.
    """

    checked: date
    assumed_epochs: AssumedEpochs
    batch: Batch
    storage: Storage
    most_checkpoints: Annotated[int, Field(ge=1)]
    models: dict[str, Model]
    retired: dict[str, Retirement]

    def objection(self, model_id: str, what: str = "can be tuned") -> str | None:
        """Returns why a model is not one that can be tuned, or `what`, and what to use instead; None if it is."""
        if model_id in self.models:
            return None
        if model_id in self.retired:
            gone = self.retired[model_id]
            return f"{model_id} was retired on {gone.since}: use {gone.replacement}"
        known = ", ".join(self.models)
        near = difflib.get_close_matches(model_id, self.models, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{model_id} is not a model that {what} (known on {self.checked}: {known}){hint}"

    def retirement_objection(self, model_id: str, today: date) -> str | None:
        """Returns why a tunable model should not be tuned any more, and what to tune instead; None if it should."""
        going, closed = self.models[model_id].retires, self.models[model_id].closed
        if going is None or closed is None or today < closed:
            return None
        when = f"retires on {going.date}" if today < going.date else f"is in extended access only since {going.date}"
        return f"{model_id} {when}, and Vertex AI may refuse new tuning jobs: use {going.replacement}"

    def max_example_tokens(self, base_model: str) -> int:
        """Returns how long a training example may be; the least of all models if it is not said which is tuned."""
        least = min(model.max_example_tokens for model in self.models.values())
        return self.models[base_model].max_example_tokens if base_model in self.models else least

    def mixes_media_resolutions(self, base_model: str) -> bool:
        """Returns whether mediaResolution may differ between examples; False if it is not said which model is tuned."""
        return base_model in self.models and self.models[base_model].mixes_media_resolutions

    def adapter_size_objection(self, model_id: str, size: int) -> str | None:
        """Returns why a tunable model cannot have an adapter of this size; None if it can."""
        sizes = self.models[model_id].adapter_sizes
        if size in sizes:
            return None
        return f"{model_id} has no adapter of size {size}: choose one of {', '.join(map(str, sizes))}"


@cache
def catalog() -> Catalog:
    """Returns the table that this version of the project ships."""
    text = files("gemini_sft.catalog").joinpath("models.yaml").read_text("utf-8")
    return Catalog.model_validate(yaml.safe_load(text))
