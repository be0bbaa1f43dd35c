"""Uploads in one request, and the door to those in several."""

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.routing import emulator_of
from vertex_emulator.storage.errors import bad_request, not_implemented
from vertex_emulator.storage.fields import claimed_checksums, object_fields
from vertex_emulator.storage.hashing import claimed_in_headers
from vertex_emulator.storage.names import new_object_name
from vertex_emulator.storage.object_calls import answer
from vertex_emulator.storage.parameters import refuse, required
from vertex_emulator.storage.preconditions import Preconditions
from vertex_emulator.storage.related import RelatedBody
from vertex_emulator.storage.resumable import continue_upload, start_upload


async def upload(request: Request, bucket: str) -> Response:
    """Takes a new object's content as `uploadType` says.

    Raises:
        StorageError: 400 for an upload type that does not exist.
    """
    query = request.query_params
    refuse(query, "predefinedAcl", "kmsKeyName")
    if "x-goog-encryption-algorithm" in request.headers:
        raise not_implemented("Customer-supplied encryption")
    emulator_of(request).objects.buckets.get(bucket)
    match required(query, "uploadType"), request.method:
        case "media", "POST":
            return await _media(request, bucket)
        case "multipart", "POST":
            return await _multipart(request, bucket)
        case "resumable", "POST" if "upload_id" not in query:
            return await start_upload(request, bucket)
        case "resumable", _:
            return await continue_upload(request, bucket)
        case kind, method:
            raise bad_request(f"Invalid upload request: {method} with uploadType '{kind}'.")


async def _media(request: Request, bucket: str) -> Response:
    name = new_object_name(request.query_params, {})
    fields = object_fields({"contentType": request.headers.get("content-type")})
    store = emulator_of(request).objects
    conditions = Preconditions.of(request)
    conditions.check(store.find(bucket, name))
    with store.incoming() as incoming:
        await incoming.fill(request.stream())
        incoming.checksums.verify(claimed_in_headers(request.headers.getlist("x-goog-hash")))
        record = store.commit(incoming, bucket, name, fields, conditions)
    return await answer(request, record)


async def _multipart(request: Request, bucket: str) -> Response:
    body = RelatedBody(request)
    metadata = await body.metadata()
    content_type = await body.content_type()
    name = new_object_name(request.query_params, metadata)
    fields = object_fields({"contentType": content_type, **metadata})
    store = emulator_of(request).objects
    conditions = Preconditions.of(request)
    conditions.check(store.find(bucket, name))
    with store.incoming() as incoming:
        await incoming.fill(body.content())
        incoming.checksums.verify(
            claimed_checksums(metadata) | claimed_in_headers(request.headers.getlist("x-goog-hash"))
        )
        record = store.commit(incoming, bucket, name, fields, conditions)
    return await answer(request, record)
