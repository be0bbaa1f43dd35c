"""The content of an object, whole or in part, streamed from disk."""

import re
from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from vertex_emulator.routing import emulator_of
from vertex_emulator.storage.errors import StorageError, not_implemented
from vertex_emulator.storage.hashing import BLOCK
from vertex_emulator.storage.parameters import integer
from vertex_emulator.storage.preconditions import Preconditions
from vertex_emulator.storage.records import ObjectRecord

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_PLAIN_HEADERS = {
    "cacheControl": "Cache-Control",
    "contentDisposition": "Content-Disposition",
    "contentEncoding": "Content-Encoding",
    "contentLanguage": "Content-Language",
}


class _Slice(StreamingResponse):
    """Some bytes of an open file, which is closed at the end whatever happens."""

    def __init__(self, file: BinaryIO, start: int, length: int, status: int, headers: dict[str, str]) -> None:
        super().__init__(self._blocks(length), status, headers)
        file.seek(start)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)

    async def _blocks(self, length: int) -> AsyncIterator[bytes]:
        while length:
            block = await run_in_threadpool(self._file.read, min(BLOCK, length))
            if not block:
                raise OSError("The file has become shorter while it was being sent.")
            length -= len(block)
            yield block


async def download(request: Request, bucket: str, name: str) -> Response:
    """Sends an object's content.

    A `Range` of one piece is honoured; several pieces or a malformed header are answered with the whole, as HTTP
    allows.

    Raises:
        StorageError: 404, 412 or 304 as for metadata, 416 for a range that holds no byte, 501 for a compressed object
            that the client wants uncompressed.
    """
    store = emulator_of(request).objects
    record = store.live(bucket, name, integer(request.query_params, "generation"))
    Preconditions.of(request).check(record, reading=True)
    if _wants_decompression(request, record):
        raise not_implemented("Decompressive transcoding (send 'Accept-Encoding: gzip' to get the stored bytes)")
    await store.hashed([record])
    headers = _headers(record)
    piece = _piece(request.headers.get("range"), record.size)
    if piece is None:
        status, start, length = 200, 0, record.size
    else:
        status, (start, length) = 206, piece
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{record.size}"
    headers["Content-Length"] = str(length)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    file = store.open_live(record)
    if length > BLOCK:
        return _Slice(file, start, length, status, headers)
    with file:
        file.seek(start)
        return Response(file.read(length), status, headers)


def _piece(header: str | None, size: int) -> tuple[int, int] | None:
    """Returns start and length of the bytes asked for; None for all of them."""
    match = _RANGE.fullmatch((header or "").replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first and last and int(first) > int(last):
        return None
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        raise StorageError(
            416, "requestedRangeNotSatisfiable", f"Request range not satisfiable: {header} of {size} bytes."
        )
    return start, end - start + 1


def _headers(record: ObjectRecord) -> dict[str, str]:
    fields = record.fields
    hashes = f"crc32c={record.crc32c}" + (f",md5={record.md5}" if record.md5 else "")
    headers = {
        "Content-Type": fields.get("contentType", "application/octet-stream"),
        "Accept-Ranges": "bytes",
        "ETag": record.etag,
        "Last-Modified": formatdate(record.mtime_ns / 1e9, usegmt=True),
        "X-Goog-Generation": str(record.generation),
        "X-Goog-Metageneration": str(record.metageneration),
        "X-Goog-Hash": hashes,
        "X-Goog-Storage-Class": fields.get("storageClass", "STANDARD"),
        "X-Goog-Stored-Content-Encoding": fields.get("contentEncoding", "identity"),
        "X-Goog-Stored-Content-Length": str(record.size),
    }
    headers |= {header: fields[key] for key, header in _PLAIN_HEADERS.items() if fields.get(key)}
    # Starlette writes headers in Latin-1; the bytes on the wire are to be UTF-8.
    return {header: value.encode().decode("latin-1") for header, value in headers.items()}


def _wants_decompression(request: Request, record: ObjectRecord) -> bool:
    stored = record.fields.get("contentEncoding") == "gzip"
    as_it_is = "no-transform" in record.fields.get("cacheControl", "")
    return stored and not as_it_is and "gzip" not in request.headers.get("accept-encoding", "")
