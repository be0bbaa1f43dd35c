"""Loading `models.yaml` and answering from it."""

import difflib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field


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


class Model(_Entry):
    """A model that can be tuned.

    Attributes:
        adapter_sizes: Ranks that its adapter may have.
        tuning_regions: Locations that a tuning job may run in.
        max_example_tokens: Input and output of one training example together.
        thinking: The `thinkingConfig` that makes it think least, as generateContent takes it.
        sampling: Whether it obeys temperature, top-k and top-p.
        mixes_media_resolutions: Whether mediaResolution may differ between the examples of a job.
        price: What it costs; None if nothing of that is known.
    """

    adapter_sizes: tuple[int, ...]
    tuning_regions: tuple[str, ...]
    max_example_tokens: int
    thinking: dict[str, int | str]
    sampling: bool
    mixes_media_resolutions: bool
    price: Price | None = None

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
        models: What can be tuned, by model id.
        retired: What could be, by model id.
    """

    checked: date
    assumed_epochs: AssumedEpochs
    batch: Batch
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
