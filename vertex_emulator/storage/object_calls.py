"""The JSON API's calls on the metadata of one object."""

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.routing import emulator_of
from vertex_emulator.storage.downloads import download
from vertex_emulator.storage.errors import bad_request
from vertex_emulator.storage.fields import merged, object_fields
from vertex_emulator.storage.parameters import integer, refuse
from vertex_emulator.storage.preconditions import Preconditions
from vertex_emulator.storage.records import ObjectRecord
from vertex_emulator.wire import Json, now, read_json


async def get(request: Request, bucket: str, name: str) -> Response:
    """Returns an object's metadata, or with `alt=media` its content."""
    refuse(request.query_params, "softDeleted")
    alt = request.query_params.get("alt", "json")
    if alt == "media":
        return await download(request, bucket, name)
    if alt != "json":
        raise bad_request(f"Invalid value for parameter 'alt': '{alt}'.")
    record = _live(request, bucket, name, reading=True)
    return await answer(request, record)


async def change(request: Request, bucket: str, name: str) -> Response:
    """Changes (PATCH) or replaces (PUT) what clients may set."""
    refuse(request.query_params, "predefinedAcl", "overrideUnlockedRetention")
    changes = object_fields(await read_json(request))
    record = _live(request, bucket, name)
    kept = record.fields if request.method == "PATCH" else {"storageClass": record.fields.get("storageClass")}
    record.fields = merged(kept, changes)
    record.metageneration += 1
    record.updated = now()
    emulator_of(request).objects.save(record)
    return await answer(request, record)


async def delete(request: Request, bucket: str, name: str) -> Response:
    """Deletes an object."""
    emulator_of(request).objects.delete(_live(request, bucket, name))
    return Response(status_code=204)


async def answer(request: Request, record: ObjectRecord) -> Response:
    """Returns an object's resource."""
    emulator = emulator_of(request)
    await emulator.objects.hashed([record])
    return Json(record.resource(emulator.url), headers={"ETag": record.etag})


def _live(request: Request, bucket: str, name: str, *, reading: bool = False) -> ObjectRecord:
    generation = integer(request.query_params, "generation")
    record = emulator_of(request).objects.live(bucket, name, generation)
    Preconditions.of(request).check(record, reading=reading)
    return record
