"""The model that a job starts from: a base model, or one that was tuned before."""

import re
from dataclasses import dataclass
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.names import canonical
from vertex_emulator.registry import fetch_version
from vertex_emulator.serving import Serving

ADAPTER_SIZES = {
    "ADAPTER_SIZE_ONE": 1,
    "ADAPTER_SIZE_TWO": 2,
    "ADAPTER_SIZE_FOUR": 4,
    "ADAPTER_SIZE_EIGHT": 8,
    "ADAPTER_SIZE_SIXTEEN": 16,
    "ADAPTER_SIZE_THIRTY_TWO": 32,
}

_TUNED_MODEL = re.compile(r"(projects/[^/]+/locations/[^/]+)/models/[^/]+")


@dataclass(frozen=True)
class BaseModel:
    """A tunable base model.

    Attributes:
        id: Such as `gemini-2.5-flash`.
        facts: Its entry in `base_models.json`.
    """

    id: str
    facts: dict[str, Any]

    @property
    def adapter_sizes(self) -> list[int]:
        """The ranks that it can be tuned with."""
        return list(self.facts["adapter_sizes"])

    @property
    def max_example_tokens(self) -> int:
        """The most tokens that a training example may have."""
        return int(self.facts["max_example_tokens"])

    @property
    def only_multi_region(self) -> bool:
        """Whether its tuned models are served from `us` and `eu` only.

        Those are the Gemini 3 models, which take neither customer-managed keys nor an evaluation in the job.
        """
        return all("-" not in serving for serving in self.facts["tuning_locations"].values())

    def serving_location(self, tuning_location: str) -> str:
        """Returns where a model that was tuned in `projects/P/locations/L` is served, in the same form."""
        prefix, _, location = tuning_location.rpartition("/")
        return f"{prefix}/{self.facts['tuning_locations'][location]}"


def read_source(
    job: dict[str, Any], location: str, database: Database, serving: Serving
) -> tuple[dict[str, Any], BaseModel]:
    """Finds the model that a request names.

    Args:
        job: The request in canonical form.
        location: `projects/P/locations/L` of the job.
        database: Where tuned models are.
        serving: Knows the base models.

    Returns:
        The job's `baseModel` or `preTunedModel`, the latter with its version, checkpoint and base model; and the base
        model at the root of either.

    Raises:
        ApiError: 400 if there is no such model or it cannot be tuned today; 404 for a tuned model that is not there.
    """
    if "preTunedModel" in job:
        source = _read_pre_tuned(job["preTunedModel"], location, database)
        return {"preTunedModel": source}, _base_model(serving, source["baseModel"])
    if not job.get("baseModel"):
        raise invalid("base_model or pre_tuned_model is required.", "tuning_job.base_model")
    return {"baseModel": job["baseModel"]}, _base_model(serving, job["baseModel"])


def base_of(document: dict[str, Any], serving: Serving) -> BaseModel:
    """Returns the base model of an accepted job."""
    model_id = document.get("baseModel") or document["preTunedModel"]["baseModel"]
    return BaseModel(model_id, serving.base_models[model_id])


def start_weights(document: dict[str, Any], serving: Serving) -> str | None:
    """Returns the file with the weights that an accepted job continues from; None for the base model."""
    source = document.get("preTunedModel")
    return source and str(serving.adapter_path(source["tunedModelName"], source["checkpointId"]))


def _read_pre_tuned(given: dict[str, Any], location: str, database: Database) -> dict[str, Any]:
    field = "tuning_job.pre_tuned_model"
    name = canonical(given.get("tunedModelName", ""))
    form = _TUNED_MODEL.fullmatch(name)
    if not form:
        raise invalid(
            f"Invalid tuned model name '{name}'. Expected: projects/PROJECT/locations/LOCATION/models/MODEL@VERSION.",
            f"{field}.tuned_model_name",
        )
    if form[1] != location:
        raise invalid(
            f"The tuned model {name} must be in the location of the job, {location}.",
            f"{field}.tuned_model_name",
        )
    version = fetch_version(database, name)
    known = [checkpoint["checkpointId"] for checkpoint in version["checkpoints"]]
    checkpoint_id = given.get("checkpointId", version["defaultCheckpointId"])
    if checkpoint_id not in known:
        raise invalid(
            f"{version['name']} has no checkpoint {checkpoint_id}. Its checkpoints: {', '.join(known)}.",
            f"{field}.checkpoint_id",
        )
    return {
        "tunedModelName": version["name"],
        "checkpointId": checkpoint_id,
        "baseModel": version["baseModelSource"]["genieSource"]["baseModelUri"].rpartition("/")[2],
    }


def _base_model(serving: Serving, model_id: str) -> BaseModel:
    field = "tuning_job.base_model"
    supported = f"Supported base models: {', '.join(_tunable(serving))}."
    facts = serving.base_models.get(model_id)
    if facts is None:
        hint = " A tuned model is continued with pre_tuned_model." if model_id.startswith("projects/") else ""
        raise invalid(f"Base model {model_id} is not supported.{hint} {supported}", field)
    if not serving.is_served(model_id):
        raise invalid(
            f"Base model {model_id} was retired on {facts['retired']} and can no longer be tuned. {supported}",
            field,
        )
    if not facts.get("tuning_locations"):
        raise invalid(f"Base model {model_id} does not support tuning. {supported}", field)
    return BaseModel(model_id, facts)


def check_location(base: BaseModel, location: str) -> None:
    """Refuses a location that does not tune the base model.

    Args:
        base: The base model.
        location: `projects/P/locations/L`.

    Raises:
        ApiError: 400.
    """
    region = location.rpartition("/")[2]
    offered = ", ".join(base.facts["tuning_locations"])
    if region == "global":
        raise ApiError(
            "FAILED_PRECONDITION",
            f"Tuning is not available in the global location. {base.id} is tuned in: {offered}.",
            field="parent",
        )
    if region not in base.facts["tuning_locations"]:
        raise invalid(f"{base.id} cannot be tuned in {region}. It is tuned in: {offered}.", "parent")


def _tunable(serving: Serving) -> list[str]:
    return [
        model_id
        for model_id, facts in serving.base_models.items()
        if facts.get("tuning_locations") and serving.is_served(model_id)
    ]
