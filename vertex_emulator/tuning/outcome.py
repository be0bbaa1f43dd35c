"""What a finished job leaves: a model version in the registry, and an endpoint for each of its checkpoints."""

import shutil
from pathlib import Path
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.endpoints import create_endpoint
from vertex_emulator.registry import add_version, link_endpoint
from vertex_emulator.serving import Serving
from vertex_emulator.tuning.resource import JobResource
from vertex_emulator.tuning.source import base_of


def work_folder(serving: Serving, job: JobResource) -> Path:
    """Returns where a job's checkpoints are written while it trains: beside those of finished models."""
    return serving.adapter_path(job.name, "").parent


def publish(
    database: Database, serving: Serving, job: JobResource, checkpoints: list[dict[str, Any]]
) -> dict[str, Any]:
    """Registers the model of a job that has trained, moves its weights to it, and opens its endpoints.

    The model is registered where it was tuned; its endpoints are where its base model serves tuned models.

    Args:
        database: Where it is registered.
        serving: Says where weights lie and where models are served.
        job: The job.
        checkpoints: `{checkpointId, epoch, step}` of each exported checkpoint; the last is the default.

    Returns:
        The job's `tunedModel`.
    """
    document = job.document
    base = base_of(document, serving)
    labels = document.get("labels", {})
    default = checkpoints[-1]["checkpointId"]
    model_id, display_name = _identity(database, document, f"{base.id}-{job.id}")
    model = add_version(
        database,
        job.location,
        model_id=model_id,
        display_name=display_name,
        labels=labels,
        description=document.get("description", ""),
        base_model=base.id,
        checkpoints=checkpoints,
        default_checkpoint_id=default,
        encryption=document.get("encryptionSpec"),
    )
    # One rename: the weights of a model are there all at once.
    target = serving.adapter_path(model, default).parent
    shutil.rmtree(target, ignore_errors=True)
    work_folder(serving, job).rename(target)
    place = base.serving_location(job.location)
    deployed = []
    for checkpoint in checkpoints:
        checkpoint_id = checkpoint["checkpointId"]
        endpoint = create_endpoint(
            database,
            place,
            display_name=display_name,
            model=model,
            checkpoint_id=checkpoint_id,
            labels=labels,
        )
        link_endpoint(database, model, endpoint)
        deployed.append(checkpoint | {"endpoint": endpoint})
    tuned_model = {"model": model, "endpoint": deployed[-1]["endpoint"]}
    if not document["supervisedTuningSpec"].get("exportLastCheckpointOnly"):
        tuned_model["checkpoints"] = deployed
    return tuned_model


def _identity(database: Database, document: dict[str, Any], default_name: str) -> tuple[str | None, str]:
    """Returns the id of the model that a job adds a version to, None for a new model, and its display name.

    A tuned model that is tuned further gets a version, unless the job gives another name.
    """
    name = document.get("tunedModelDisplayName")
    source = document.get("preTunedModel")
    continued = database.get(source["tunedModelName"].partition("@")[0]) if source else None
    if continued is None:
        return None, name or default_name
    if name in (None, continued["displayName"]):
        return continued["name"].rpartition("/")[2], continued["displayName"]
    return None, name
