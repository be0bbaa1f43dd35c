"""The model that an experiment starts from: a Gemini model, or one that was tuned before and is tuned further."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict

from gemini_sft import vertex
from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import CHAMPION, is_tuned

_PUBLISHED = "publishers/google/models/"
_BASE_LABEL = "google-vertex-llm-tuning-base-model-id"


class Base(BaseModel):
    """What is tuned, and what the tuned model is compared with.

    Attributes:
        id: The Gemini model at its root, as the catalog names it.
        model: Of a tuned one, its resource name with its version; else None.
        checkpoint: Of that, the checkpoint to go on from; None if it has none.
        endpoint: Of that, where it answers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    model: str | None = None
    checkpoint: str | None = None
    endpoint: str | None = None

    @property
    def asked(self) -> str:
        """What is asked for answers: an endpoint, or the Gemini model's id."""
        return self.endpoint or self.id


def find_base(project: str, location: str, experiment: Experiment) -> Base:
    """Looks up what an experiment's `base_model` stands for now.

    Raises:
        UserError: There is no such tuned model or checkpoint, it is no Gemini model, or nothing serves it.
        ServiceError: Vertex AI did not say.
    """
    name, wanted = experiment.base_model, experiment.tuning.from_checkpoint
    if not is_tuned(name):
        if wanted:
            raise UserError(f"tuning.from_checkpoint is for a tuned base_model, and {name} is none: take it out")
        return Base(id=name)
    model = _champion(project, location, experiment.name) if name == CHAMPION else _model(name)
    versioned = f"{model['name'].partition('@')[0]}@{model['versionId']}"
    checkpoints = [one["checkpointId"] for one in model.get("checkpoints", [])]
    if wanted and wanted not in checkpoints:
        there_are = f"there are {', '.join(checkpoints)}" if checkpoints else "it has none"
        raise UserError(f"tuning.from_checkpoint is {wanted}, which {versioned} does not have: {there_are}")
    # The default one is named too: it can be changed, and then a job that went on from it would not be the same.
    checkpoint = wanted or model.get("defaultCheckpointId") or None
    root = _root(model)
    served = {one.get("checkpointId", ""): one["endpoint"] for one in model.get("deployedModels", [])}
    endpoint = served.get(checkpoint or "") or (None if wanted else served.get(""))
    if not endpoint:
        what = f"checkpoint {checkpoint} of {versioned}" if checkpoint else versioned
        raise UserError(f"base_model {what} answers nowhere: no endpoint has it deployed")
    return Base(id=root, model=versioned, checkpoint=checkpoint, endpoint=endpoint)


def _model(name: str) -> dict[str, Any]:
    model = vertex.find(name, vertex.location_of(name, ""))
    if model is None:
        raise UserError(f"base_model {name}: there is no such model, version or alias")
    return model


def _champion(project: str, location: str, experiment: str) -> dict[str, Any]:
    """Returns the version of a model of this experiment that has the alias, in the region of the run."""
    found = list(_champions(project, location, experiment))
    if not found:
        raise UserError(
            f"base_model is {CHAMPION}, but in {location} no model with the label experiment={experiment} has that"
            " alias: give it to one in the Model Registry, or name a model"
        )
    if len(found) > 1:
        names = ", ".join(f"{one['name'].partition('@')[0]}@{one['versionId']}" for one in found)
        raise UserError(f"base_model is {CHAMPION}, but several models have that alias: {names}")
    return found[0]


def _champions(project: str, location: str, experiment: str) -> Iterator[dict[str, Any]]:
    place = f"projects/{project}/locations/{location}"
    for one in vertex.listed(f"{place}/models", location, "models", f'labels.experiment="{experiment}"'):
        if champion := vertex.find(f"{one['name'].partition('@')[0]}@{CHAMPION}", location):
            yield champion


def _root(model: dict[str, Any]) -> str:
    """Returns the Gemini model that a model was tuned from."""
    uri = model.get("baseModelSource", {}).get("genieSource", {}).get("baseModelUri", "")
    root = uri.rpartition(_PUBLISHED)[2].partition("@")[0] or model.get("labels", {}).get(_BASE_LABEL, "")
    if not root:
        raise UserError(f"base_model {model['name']} is no tuned Gemini model")
    return str(root)
