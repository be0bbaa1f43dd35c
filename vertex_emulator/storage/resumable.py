"""Resumable uploads: content in chunks, each acknowledged with what has arrived so far.

Protocol: https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.routing import emulator_of
from vertex_emulator.storage.errors import StorageError, bad_request
from vertex_emulator.storage.fields import claimed_checksums, object_fields
from vertex_emulator.storage.hashing import claimed_in_headers
from vertex_emulator.storage.incoming import Incoming
from vertex_emulator.storage.names import new_object_name
from vertex_emulator.storage.object_calls import answer
from vertex_emulator.storage.preconditions import Preconditions
from vertex_emulator.storage.sessions import Session
from vertex_emulator.wire import read_json

_CHUNK_UNIT = 256 * 1024
_CONTENT_RANGE = re.compile(r"bytes (?:(?P<first>\d+)-(?P<last>\d+)|\*)/(?P<total>\d+|\*)")


async def start_upload(request: Request, bucket: str) -> Response:
    """Opens a session and returns its address, an absolute URL, in `Location`."""
    body = await read_json(request)
    name = new_object_name(request.query_params, body)
    fields = object_fields({"contentType": request.headers.get("x-upload-content-type"), **body})
    emulator = emulator_of(request)
    store, conditions = emulator.objects, Preconditions.of(request)
    conditions.check(store.find(bucket, name))
    session = Session(bucket, name, fields, conditions, claimed_checksums(body))
    session.parts[0] = store.incoming()
    upload_id = store.sessions.add(session)
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={upload_id}"
    return Response(headers={"Location": emulator.url + path, "X-GUploader-UploadID": upload_id})


async def continue_upload(request: Request, bucket: str) -> Response:
    """Takes a chunk (PUT), tells how much has arrived (PUT of nothing), or ends the session (DELETE)."""
    sessions = emulator_of(request).objects.sessions
    upload_id = request.query_params.get("upload_id", "")
    session = sessions.get(upload_id)
    if session is None or session.bucket != bucket:
        raise StorageError(404, "notFound", f"No such upload: '{upload_id}'. It may have ended with the emulator.")
    if request.method == "DELETE":
        sessions.end(upload_id)
        return Response(status_code=499)
    async with session.lock:
        if session.finished is not None:
            return await answer(request, session.finished)
        try:
            return await _take(request, session)
        except (OSError, StorageError) as error:
            # What cannot be mended by trying again shall not keep its bytes on a disk that may be full.
            if isinstance(error, OSError) or error.code == 412:
                sessions.end(upload_id)
            raise


@dataclass(frozen=True)
class _Chunk:
    """What a `Content-Range` says: first byte, number of bytes (None: as many as come), size of the whole if known."""

    first: int | None
    length: int | None
    total: int | None


async def _take(request: Request, session: Session) -> Response:
    incoming = session.parts[0]
    chunk = _chunk(request.headers.get("content-range"))
    if chunk.first is not None:
        await incoming.fill(_new_bytes(request, chunk, incoming))
    total = incoming.size if chunk.length is None and chunk.first is not None else chunk.total
    if total is None or incoming.size < total:
        arrived = {"Range": f"bytes=0-{incoming.size - 1}"} if incoming.size else {}
        return Response(status_code=308, headers=arrived)
    if incoming.size > total:
        raise bad_request(f"{incoming.size} bytes have arrived, but the whole is said to have {total}.")
    claimed = claimed_in_headers(request.headers.getlist("x-goog-hash"))
    incoming.checksums.verify(session.expected | claimed)
    store = emulator_of(request).objects
    session.finished = store.commit(incoming, session.bucket, session.name, session.fields, session.conditions)
    return await answer(request, session.finished)


def _chunk(header: str | None) -> _Chunk:
    if header is None:
        return _Chunk(0, None, None)
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        raise bad_request(f"Failed to parse Content-Range header: '{header}'.")
    total = None if match["total"] == "*" else int(match["total"])
    if match["first"] is None:
        return _Chunk(None, None, total)
    first, length = int(match["first"]), int(match["last"]) - int(match["first"]) + 1
    if length < 1 or (total is not None and first + length > total):
        raise bad_request(f"Invalid Content-Range header: '{header}'.")
    if length % _CHUNK_UNIT and (total is None or first + length < total):
        raise bad_request(f"A chunk that is not the last one must be a multiple of {_CHUNK_UNIT} bytes.")
    return _Chunk(first, length, total)


async def _new_bytes(request: Request, chunk: _Chunk, incoming: Incoming) -> AsyncIterator[bytes]:
    """Yields the part of the body that has not arrived before; a chunk sent again may overlap."""
    known = incoming.size - (chunk.first or 0)
    if known < 0:
        raise bad_request(f"The chunk begins at byte {chunk.first}, but only {incoming.size} have arrived.")
    seen = 0
    async for data in request.stream():
        fresh = data[max(known - seen, 0) :]
        seen += len(data)
        if chunk.length is not None and seen > chunk.length:
            raise bad_request(f"More than the {chunk.length} bytes that Content-Range speaks of were sent.")
        if fresh:
            yield fresh
    if chunk.length is not None and seen < chunk.length:
        raise bad_request(f"{seen} bytes were sent where Content-Range speaks of {chunk.length}.")
