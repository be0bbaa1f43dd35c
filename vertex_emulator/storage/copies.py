"""Objects made from other objects: copy, rewrite, compose."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.routing import emulator_of
from vertex_emulator.storage.errors import bad_request
from vertex_emulator.storage.fields import object_fields
from vertex_emulator.storage.incoming import Incoming
from vertex_emulator.storage.names import check_object_name
from vertex_emulator.storage.object_calls import answer
from vertex_emulator.storage.parameters import integer, refuse
from vertex_emulator.storage.preconditions import Preconditions
from vertex_emulator.storage.records import ObjectRecord
from vertex_emulator.wire import Json, read_json

_MOST_SOURCES = 32


async def copy(request: Request, bucket: str, name: str, to_bucket: str, to_name: str) -> Response:
    """Copies an object and returns the copy."""
    return await answer(request, await _copied(request, bucket, name, to_bucket, to_name))


async def rewrite(request: Request, bucket: str, name: str, to_bucket: str, to_name: str) -> Response:
    """Copies an object, always in one call, and returns the copy with the progress that clients ask about."""
    if "rewriteToken" in request.query_params:
        raise bad_request("Invalid rewrite token: every rewrite is done in one call.")
    record = await _copied(request, bucket, name, to_bucket, to_name)
    size = str(record.size)
    return Json(
        {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": size,
            "objectSize": size,
            "done": True,
            "resource": record.resource(emulator_of(request).url),
        }
    )


async def _copied(request: Request, bucket: str, name: str, to_bucket: str, to_name: str) -> ObjectRecord:
    query = request.query_params
    refuse(query, "destinationPredefinedAcl", "destinationKmsKeyName")
    check_object_name(to_name)
    changes = object_fields(await read_json(request))
    store, conditions = emulator_of(request).objects, Preconditions.of(request)
    source = store.live(bucket, name, integer(query, "sourceGeneration"))
    Preconditions.of_source(request).check(source)
    store.buckets.get(to_bucket)
    conditions.check(store.find(to_bucket, to_name))
    kept = {key: value for key, value in source.fields.items() if key != "storageClass"}
    with ExitStack() as stack:
        file = stack.enter_context(store.open_live(source))
        incoming = stack.enter_context(store.incoming())
        await run_in_threadpool(incoming.append_file, file)
        # Metadata in the body replaces that of the source, all of it.
        return store.commit(incoming, to_bucket, to_name, changes or kept, conditions)


async def compose(request: Request, bucket: str, name: str) -> Response:
    """Makes an object of up to 32 others, end to end."""
    refuse(request.query_params, "destinationPredefinedAcl", "kmsKeyName", "deleteSourceObjects")
    check_object_name(name)
    body = await read_json(request)
    sources = body.get("sourceObjects")
    if not isinstance(sources, list) or not 1 <= len(sources) <= _MOST_SOURCES:
        raise bad_request(f"The number of source components provided is not between 1 and {_MOST_SOURCES}.")
    fields = object_fields(body.get("destination") or {})
    store, conditions = emulator_of(request).objects, Preconditions.of(request)
    store.buckets.get(bucket)
    conditions.check(store.find(bucket, name))
    with ExitStack() as stack:
        records = [_source(request, bucket, source) for source in sources]
        files = [stack.enter_context(store.open_live(record)) for record in records]
        incoming = stack.enter_context(store.incoming())
        await run_in_threadpool(_append_all, incoming, files)
        components = sum(record.components or 1 for record in records)
        record = store.commit(incoming, bucket, name, fields, conditions, components)
    return await answer(request, record)


def _source(request: Request, bucket: str, source: Any) -> ObjectRecord:
    if not isinstance(source, dict) or not isinstance(source.get("name"), str):
        raise bad_request("Every source object needs a name.")
    conditions = source.get("objectPreconditions") or {}
    try:
        generation = int(source["generation"]) if source.get("generation") else None
        match = conditions.get("ifGenerationMatch")
        wanted = Preconditions(generation=None if match is None else int(match))
    except (TypeError, ValueError, AttributeError) as error:
        raise bad_request(f"Invalid source object: {error}.") from error
    record = emulator_of(request).objects.live(bucket, source["name"], generation)
    wanted.check(record)
    return record


def _append_all(incoming: Incoming, files: Sequence[BinaryIO]) -> None:
    for file in files:
        incoming.append_file(file)
