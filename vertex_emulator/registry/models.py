"""Models and their versions, as documents.

A model is one document (`.../models/ID`, kind `models`) with what its versions share and, in `_aliases`, which version
each alias stands for: an alias moves with one write. A version is a document of its own (`.../models/ID@VERSION`, kind
`modelVersions`, under its model). What a client sees is made of both.
"""

from collections.abc import Mapping
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError, invalid, not_found
from vertex_emulator.names import canonical, new_name
from vertex_emulator.resources import Document, fetch, stamp
from vertex_emulator.wire import now

DEFAULT = "default"
EVALUATIONS = "evaluations"
"""The kind of document that hangs on a version."""


def add_version(
    database: Database,
    location: str,
    *,
    model_id: str | None,
    display_name: str,
    labels: Mapping[str, str],
    description: str = "",
    base_model: str,
    checkpoints: list[dict[str, Any]],
    default_checkpoint_id: str,
    encryption: Mapping[str, Any] | None = None,
) -> str:
    """Adds a version to a model, or makes a model with its first version, which is the default one.

    Args:
        database: Where it is kept.
        location: Canonical `projects/NUMBER/locations/LOCATION`.
        model_id: The model to add to; None for a new one.
        display_name: A new model's name for people.
        labels: The version's labels.
        description: What a new model is, or what is new in a further version.
        base_model: The model that was tuned, e.g. `gemini-2.5-flash`.
        checkpoints: `checkpointId`, `epoch` and `step` of each.
        default_checkpoint_id: The checkpoint that answers if none is named.
        encryption: A new model's `EncryptionSpec`.

    Returns:
        The version's canonical name, `{location}/models/ID@VERSION`.

    Raises:
        ApiError: 404 if there is no model `model_id`.
    """
    if model_id is None:
        model: Document = {
            "name": new_name(database, location, "models"),
            "displayName": display_name,
            "createTime": now(),
            "_aliases": {DEFAULT: "1"},
            "_lastVersion": 0,
        }
        model |= {"description": description} if description else {}
        model |= {"encryptionSpec": dict(encryption)} if encryption else {}
    else:
        model = fetch(database, f"{location}/models/{model_id}")
    model["_lastVersion"] += 1
    version_id = str(model["_lastVersion"])
    version: Document = {
        "name": f"{model['name']}@{version_id}",
        "versionId": version_id,
        "versionCreateTime": now(),
        # Labels that Vertex adds by itself: google-genai lists tuned models by the first and reads the second.
        "labels": {"tune-type": "sft", "google-vertex-llm-tuning-base-model-id": base_model, **labels},
        "modelSourceInfo": {"sourceType": "GENIE"},
        "baseModelSource": {"genieSource": {"baseModelUri": f"publishers/google/models/{base_model}"}},
        "checkpoints": [
            {"checkpointId": str(each["checkpointId"]), "epoch": str(each["epoch"]), "step": str(each["step"])}
            for each in checkpoints
        ],
        "defaultCheckpointId": default_checkpoint_id,
    }
    if description and model_id is not None:
        version["versionDescription"] = description
    save_version(database, version)
    save_model(database, model)
    return str(version["name"])


def find_by_display_name(database: Database, location: str, display_name: str) -> str | None:
    """Returns the id of the newest model of a location with that display name, or None."""
    for model in reversed(database.list("models", location)):
        if model.get("displayName") == display_name:
            return str(model["name"]).rpartition("/")[2]
    return None


def save_model(database: Database, model: Document) -> None:
    """Stores a new or changed model."""
    location, kind, _ = model["name"].rsplit("/", 2)
    database.put(kind, location, stamp(model))


def save_version(database: Database, version: Document) -> None:
    """Stores a new or changed version."""
    database.put("modelVersions", version["name"].partition("@")[0], stamp(version))


def fetch_model(database: Database, name: str) -> tuple[Document, Document]:
    """Returns a model and one of its versions.

    Args:
        database: Where they are kept.
        name: Canonical `.../models/ID`, for the default version, or with `@VERSION` or `@alias`.

    Raises:
        ApiError: 404 if there is no such model, version or alias.
    """
    model_name, _, wanted = name.partition("@")
    model = database.get(model_name)
    if model is None:
        raise not_found(f"Model `{name}`")
    version_id = model["_aliases"].get(wanted or DEFAULT, wanted)
    version = database.get(f"{model_name}@{version_id}")
    if version is None:
        raise not_found(f"Model version `{name}`")
    return model, version


def fetch_version(database: Database, name: str) -> Document:
    """Returns the document of a model's version; see `fetch_model`."""
    return fetch_model(database, name)[1]


def versions_of(database: Database, model: Document) -> list[Document]:
    """Returns the versions of a model, oldest first."""
    return database.list("modelVersions", model["name"])


def view(model: Document, version: Document, *, versioned: bool = True) -> Document:
    """Returns a `Model` as clients see it: the labels of model and version are merged, as the API's reference says.

    Args:
        model: The model.
        version: One of its versions.
        versioned: Whether the name has the version, as in the answer to a request that named one.
    """
    name = version["name"] if versioned else model["name"]
    aliases = sorted(alias for alias, version_id in model["_aliases"].items() if version_id == version["versionId"])
    seen = {**model, **version, "name": name, "versionUpdateTime": version["updateTime"]}
    seen["labels"] = {**model.get("labels", {}), **version.get("labels", {})}
    seen["updateTime"] = max(model["updateTime"], version["updateTime"])
    seen["etag"] = str(max(int(model["etag"]), int(version["etag"])))
    seen["versionAliases"] = aliases
    return {key: value for key, value in seen.items() if value not in ("", [], {}) and not key.startswith("_")}


def link_endpoint(database: Database, model: str, endpoint: str) -> None:
    """Adds what an endpoint has deployed of a model version to that version's `deployedModels`.

    Args:
        database: Where both are kept.
        model: Canonical `.../models/ID@VERSION`.
        endpoint: Full name of the endpoint.

    Raises:
        ApiError: 404 if there is no such version or endpoint.
    """
    version = fetch_version(database, canonical(model))
    for deployed in fetch(database, canonical(endpoint)).get("deployedModels", []):
        reference = {"endpoint": canonical(endpoint), "deployedModelId": deployed["id"]}
        if "checkpointId" in deployed:
            reference["checkpointId"] = deployed["checkpointId"]
        if deployed["model"] == version["name"] and reference not in version.get("deployedModels", []):
            version.setdefault("deployedModels", []).append(reference)
    save_version(database, version)


def unlink_endpoint(database: Database, model: str, endpoint: str, deployed_model_id: str) -> None:
    """Takes a model that is no longer deployed out of its version's `deployedModels`."""
    version = database.get(model)
    if version is None:
        return
    version["deployedModels"] = [
        each
        for each in version.get("deployedModels", [])
        if (each["endpoint"], each["deployedModelId"]) != (endpoint, deployed_model_id)
    ]
    save_version(database, version)


def delete_model(database: Database, model: Document) -> None:
    """Deletes a model with all its versions.

    Raises:
        ApiError: 400 if a version is deployed.
    """
    versions = versions_of(database, model)
    for version in versions:
        _refuse_deployed(version)
    # The model goes first: versions that a kill leaves behind cannot be reached without it.
    database.delete(model["name"])
    for version in versions:
        _delete(database, version)


def delete_version(database: Database, model: Document, version: Document) -> None:
    """Deletes a version, and its aliases.

    Raises:
        ApiError: 400 if it is deployed, the default one, or the only one.
    """
    if len(versions_of(database, model)) == 1:
        message = f"`{version['name']}` is the only version of its model: delete the model instead."
        raise ApiError("FAILED_PRECONDITION", message)
    if model["_aliases"][DEFAULT] == version["versionId"]:
        message = f"`{version['name']}` is the default version: give the alias '{DEFAULT}' to another one first."
        raise ApiError("FAILED_PRECONDITION", message)
    _refuse_deployed(version)
    kept = {alias: number for alias, number in model["_aliases"].items() if number != version["versionId"]}
    save_model(database, {**model, "_aliases": kept})
    _delete(database, version)


def _delete(database: Database, version: Document) -> None:
    database.delete(version["name"])
    for evaluation in database.list(EVALUATIONS, version["name"]):
        database.delete(evaluation["name"])


def _refuse_deployed(version: Document) -> None:
    if version.get("deployedModels"):
        endpoints = ", ".join(each["endpoint"] for each in version["deployedModels"])
        message = f"Model version `{version['name']}` is deployed to {endpoints}: undeploy it first."
        raise ApiError("FAILED_PRECONDITION", message)


def set_default_checkpoint(version: Document, checkpoint_id: str | None) -> None:
    """Chooses which of its checkpoints a version answers with; 400 if it has no such checkpoint."""
    known = [each["checkpointId"] for each in version.get("checkpoints", [])]
    if checkpoint_id not in known:
        message = f"`{version['name']}` has no checkpoint {checkpoint_id!r}, only {', '.join(known) or 'none'}."
        raise invalid(message, "default_checkpoint_id")
    version["defaultCheckpointId"] = checkpoint_id
