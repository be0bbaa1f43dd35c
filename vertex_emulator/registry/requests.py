"""The methods of the model service: get, list, update, delete, versions, checkpoints, aliases."""

import re

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.filters import snake_case
from vertex_emulator.names import location_of
from vertex_emulator.protobuf import types
from vertex_emulator.registry.aliases import merge_aliases
from vertex_emulator.registry.models import (
    delete_model,
    delete_version,
    fetch_model,
    fetch_version,
    save_model,
    save_version,
    set_default_checkpoint,
    versions_of,
    view,
)
from vertex_emulator.resources import (
    Document,
    apply,
    check_etag,
    item_path,
    listing,
    masked,
    operation,
    parameters,
)
from vertex_emulator.routing import emulator_of, vertex
from vertex_emulator.wire import Json, page, parse, read_json

_ID = re.compile(r"[a-z0-9_-]{1,63}(@[a-zA-Z0-9-]{1,128})?")
_OF_MODEL = frozenset({"displayName", "description"})
_OF_VERSION = frozenset({"versionDescription"})
_OF_EITHER = frozenset({"labels", "defaultCheckpointId"})


def model_name(request: Request) -> str:
    """Returns the canonical name of the model, or its version, that a request's path speaks of.

    Raises:
        ApiError: 400 for what no model can be called.
    """
    if not _ID.fullmatch(request.path_params["models"]):
        message = f"Invalid resource name: '{request.path_params['models']}' is not the id of a model or its version."
        raise invalid(message, "name")
    return f"{location_of(request)}/models/{request.path_params['models']}"


def _versioned_name(request: Request) -> str:
    name = model_name(request)
    if "@" not in name:
        raise invalid(f"`{name}` does not say which version: append @ and its id.", "name")
    return name


async def _get(request: Request) -> Response:
    name = model_name(request)
    return Json(view(*fetch_model(emulator_of(request).database, name), versioned="@" in name))


async def _list(request: Request) -> Response:
    database = emulator_of(request).database
    models = database.list("models", location_of(request))
    return listing(
        request,
        "models",
        [view(*fetch_model(database, model["name"]), versioned=False) for model in models],
        types.Model,
        filterable=frozenset({"display_name", "labels"}),
        derived={"model": lambda document: document["name"].rpartition("/")[2]},
    )


async def _list_versions(request: Request) -> Response:
    database = emulator_of(request).database
    model, _ = fetch_model(database, model_name(request))
    documents = [view(model, version) for version in versions_of(database, model)]
    return listing(
        request,
        "models",
        documents,
        types.Model,
        filterable=frozenset({"labels"}),
        orderable=("versionCreateTime", "versionUpdateTime", "createTime", "updateTime"),
    )


async def _list_checkpoints(request: Request) -> Response:
    version = fetch_version(emulator_of(request).database, model_name(request))
    return Json(page(request, "checkpoints", version.get("checkpoints", [])))


async def _update(request: Request) -> Response:
    """Changes a model, or with `@` in its name one version of it, and never both in one request."""
    given = parse(await read_json(request), types.Model, "model")
    database = emulator_of(request).database
    name = model_name(request)
    of_version = "@" in name and not name.endswith("@-")
    model, version = fetch_model(database, name.removesuffix("@-"))
    check_etag("Model", given, view(model, version)["etag"])
    changes = masked(request, given, _OF_MODEL | _OF_VERSION | _OF_EITHER)
    strangers = set(changes) & (_OF_MODEL if of_version else _OF_VERSION)
    if strangers:
        fields = ", ".join(sorted(snake_case(field) for field in strangers))
        message = f"{fields}: to update a version, its name must be given with @, and for a model without."
        raise ApiError("FAILED_PRECONDITION", message)
    checkpoint = "defaultCheckpointId" in changes
    if checkpoint:
        # Without a version in the name the default version's is meant.
        set_default_checkpoint(version, changes.pop("defaultCheckpointId"))
    apply(version if of_version else model, changes)
    _save(database, model, version, of_version=of_version or checkpoint, of_model=not of_version and bool(changes))
    return Json(view(*fetch_model(database, name.removesuffix("@-")), versioned="@" in name))


def _save(database: Database, model: Document, version: Document, *, of_version: bool, of_model: bool) -> None:
    if of_version:
        save_version(database, version)
    if of_model:
        save_model(database, model)


async def _merge_aliases(request: Request) -> Response:
    given = parse(await read_json(request), types.MergeVersionAliasesRequest)
    database = emulator_of(request).database
    name = _versioned_name(request)
    model, version = fetch_model(database, name)
    model["_aliases"] = merge_aliases(model, version["versionId"], given.get("versionAliases", []))
    save_model(database, model)
    return Json(view(model, version))


async def _delete(request: Request) -> Response:
    parameters(request)
    name = model_name(request)
    if "@" in name:
        raise invalid(f"`{name}` is a version: delete it with :deleteVersion, or name its model without @.", "name")
    emulator = emulator_of(request)
    model = fetch_model(emulator.database, name)[0]
    versions = [version["name"] for version in versions_of(emulator.database, model)]
    delete_model(emulator.database, model)
    for version in versions:
        emulator.serving.forget(version)
    return operation(request, {}, "Empty")


async def _delete_version(request: Request) -> Response:
    parameters(request)
    emulator = emulator_of(request)
    model, version = fetch_model(emulator.database, _versioned_name(request))
    delete_version(emulator.database, model, version)
    emulator.serving.forget(version["name"])
    return operation(request, {}, "Empty")


_MODEL = item_path("models")

routes = [
    *vertex("GET", f"{_MODEL}:listVersions", _list_versions),
    *vertex("GET", f"{_MODEL}:listCheckpoints", _list_checkpoints),
    *vertex("POST", f"{_MODEL}:mergeVersionAliases", _merge_aliases),
    *vertex("DELETE", f"{_MODEL}:deleteVersion", _delete_version),
    *vertex("GET", _MODEL.rpartition("/")[0], _list),
    *vertex("GET", _MODEL, _get),
    *vertex("PATCH", _MODEL, _update),
    *vertex("DELETE", _MODEL, _delete),
]
