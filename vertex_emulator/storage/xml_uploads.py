"""The XML API's multipart uploads, which the SDK's `transfer_manager.upload_chunks_concurrently` speaks.

Protocol: https://cloud.google.com/storage/docs/multipart-uploads
"""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from vertex_emulator.routing import emulator_of
from vertex_emulator.storage.errors import StorageError, bad_request, not_implemented, storage_error
from vertex_emulator.storage.fields import object_fields
from vertex_emulator.storage.hashing import claimed_in_headers
from vertex_emulator.storage.incoming import Incoming
from vertex_emulator.storage.names import check_bucket_name, check_object_name
from vertex_emulator.storage.parameters import integer
from vertex_emulator.storage.preconditions import Preconditions
from vertex_emulator.storage.sessions import Session

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_SMALLEST_PART = 5 << 20
_MOST_PARTS = 10_000
_FIELDS = {
    "content-type": "contentType",
    "cache-control": "cacheControl",
    "content-disposition": "contentDisposition",
    "content-encoding": "contentEncoding",
    "content-language": "contentLanguage",
    "x-goog-storage-class": "storageClass",
}


class MultipartRoute(Route):
    """Matches `/{bucket}/{object}` only with the query of a multipart upload, so that it stands in nobody's way."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tells whether a request is meant."""
        keys = {pair.partition(b"=")[0] for pair in scope.get("query_string", b"").split(b"&")}
        return super().matches(scope) if keys & {b"uploads", b"uploadId"} else (Match.NONE, {})


async def serve_xml(request: Request) -> Response:
    """Starts an upload, takes a part, completes or aborts it; errors are XML."""
    try:
        return await _call(request)
    except ClientDisconnect:
        return Response(status_code=499)
    except (StorageError, OSError) as error:
        refusal = storage_error(error)
        code = refusal.reason[0].upper() + refusal.reason[1:]
        return _xml(
            f"<Error><Code>{code}</Code><Message>{escape(refusal.message)}</Message><Details></Details></Error>",
            refusal.code,
        )


async def _call(request: Request) -> Response:
    bucket, _, name = request.scope["raw_path"].decode("latin-1").removeprefix("/").partition("/")
    bucket, name = check_bucket_name(unquote(bucket)), check_object_name(unquote(name))
    emulator_of(request).objects.buckets.get(bucket)
    if request.method == "POST" and "uploads" in request.query_params:
        return _start(request, bucket, name)
    session = emulator_of(request).objects.sessions.get(request.query_params.get("uploadId", ""))
    if session is None or 0 in session.parts or (session.bucket, session.name) != (bucket, name):
        raise StorageError(404, "noSuchUpload", "The requested upload was not found.")
    calls: dict[str, Callable[[Request, Session], Awaitable[Response]]] = {
        "PUT": _take_part,
        "POST": _complete,
        "DELETE": _abort,
    }
    if request.method not in calls:
        raise not_implemented(f"{request.method} of an upload")
    return await calls[request.method](request, session)


def _start(request: Request, bucket: str, name: str) -> Response:
    for header in ("x-goog-encryption-algorithm", "x-goog-encryption-kms-key-name", "x-goog-acl"):
        if header in request.headers:
            raise not_implemented(f"The header '{header}'")
    session = Session(bucket, name, _fields(request.headers))
    upload_id = emulator_of(request).objects.sessions.add(session)
    return _result("InitiateMultipartUploadResult", Bucket=bucket, Key=name, UploadId=upload_id)


async def _take_part(request: Request, session: Session) -> Response:
    number = integer(request.query_params, "partNumber")
    if number is None or not 1 <= number <= _MOST_PARTS:
        raise bad_request(f"partNumber must be between 1 and {_MOST_PARTS}.", "invalidArgument")
    part = emulator_of(request).objects.incoming()
    try:
        await part.fill(request.stream())
        part.checksums.verify(claimed_in_headers(request.headers.getlist("x-goog-hash")))
    except BaseException:
        part.discard()
        raise
    before = session.parts.get(number)
    session.parts[number] = part
    if before is not None:
        before.discard()
    hashes = f"crc32c={part.checksums.crc32c},md5={part.checksums.md5}"
    return Response(headers={"ETag": _etag(part), "X-Goog-Hash": hashes})


async def _complete(request: Request, session: Session) -> Response:
    store = emulator_of(request).objects
    async with session.lock:
        parts = _chosen(await request.body(), session)
        with ExitStack() as stack:
            incoming = stack.enter_context(store.incoming())
            for part in parts:
                file = stack.enter_context(part.path.open("rb"))
                await run_in_threadpool(incoming.append_file, file)
            record = store.commit(incoming, session.bucket, session.name, session.fields, Preconditions(), len(parts))
        store.sessions.end(request.query_params["uploadId"])
    return _result("CompleteMultipartUploadResult", Bucket=record.bucket, Key=record.name, ETag=f'"{record.etag}"')


async def _abort(request: Request, session: Session) -> Response:
    emulator_of(request).objects.sessions.end(request.query_params["uploadId"])
    return Response(status_code=204)


def _chosen(body: bytes, session: Session) -> list[Incoming]:
    """Returns the parts that the client lists, after checking that they are what it sent."""
    try:
        root = ElementTree.fromstring(body)
        listed = [(int(_text(part, "PartNumber")), _text(part, "ETag")) for part in root if "Part" in part.tag]
    except (ElementTree.ParseError, ValueError) as error:
        raise bad_request(f"The list of parts cannot be read: {error}", "malformedXML") from error
    numbers = [number for number, _ in listed]
    if not numbers or numbers != sorted(set(numbers)):
        raise bad_request("The parts must be listed once each, in ascending order.", "invalidPartOrder")
    for number, etag in listed:
        if number not in session.parts or _etag(session.parts[number]).strip('"') != etag.strip('"'):
            raise bad_request(f"Part {number} was not found or its ETag does not match.", "invalidPart")
    parts = [session.parts[number] for number in numbers]
    if any(part.size < _SMALLEST_PART for part in parts[:-1]):
        raise bad_request(f"Every part but the last must have {_SMALLEST_PART} bytes.", "entityTooSmall")
    return parts


def _text(element: ElementTree.Element, tag: str) -> str:
    return next((child.text or "" for child in element if child.tag.endswith(tag)), "")


def _etag(part: Incoming) -> str:
    return f'"{part.checksums.md5_hex}"'


def _fields(headers: Headers) -> dict[str, Any]:
    fields: dict[str, Any] = {field: headers[key] for key, field in _FIELDS.items() if key in headers}
    prefix = "x-goog-meta-"
    custom = {key.removeprefix(prefix): value for key, value in headers.items() if key.startswith(prefix)}
    return object_fields(fields | ({"metadata": custom} if custom else {}))


def _result(tag: str, **values: str) -> Response:
    inner = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in values.items())
    return _xml(f'<{tag} xmlns="{_NAMESPACE}">{inner}</{tag}>')


def _xml(text: str, status: int = 200) -> Response:
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{text}', status, media_type="application/xml")
