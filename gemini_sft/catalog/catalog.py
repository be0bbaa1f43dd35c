"""Loading `models.yaml` and answering from it."""

import difflib
from datetime import date
from functools import cache
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(_Entry):
    """A model that can be tuned.

    Attributes:
        adapter_sizes: Ranks that its adapter may have.
        tuning_regions: Locations that a tuning job may run in.
        max_example_tokens: Input and output of one training example together.
        thinking: The `thinkingConfig` that makes it think least.
        sampling: Whether it obeys temperature, top-k and top-p.
    """

    adapter_sizes: tuple[int, ...]
    tuning_regions: tuple[str, ...]
    max_example_tokens: int
    thinking: dict[str, int | str]
    sampling: bool


class Retirement(_Entry):
    """A model that is no longer served, since when, and what takes its place."""

    since: date
    replacement: str


class Catalog(_Entry):
    """The whole table.

    Attributes:
        checked: The day on which it was last held against Google's pages.
        models: What can be tuned, by model id.
        retired: What could be, by model id.
    """

    checked: date
    models: dict[str, Model]
    retired: dict[str, Retirement]

    def objection(self, model_id: str) -> str | None:
        """Returns why a model cannot be tuned and what to use instead; None if it can."""
        if model_id in self.models:
            return None
        if model_id in self.retired:
            gone = self.retired[model_id]
            return f"{model_id} was retired on {gone.since}: use {gone.replacement}"
        known = ", ".join(self.models)
        near = difflib.get_close_matches(model_id, self.models, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"{model_id} is not a model that can be tuned (known on {self.checked}: {known}){hint}"

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
