"""Which call of the JSON API a request is.

Paths are matched as they were sent, before `%2F` becomes a slash: an object's name is one segment of the path, whatever
slashes it holds.
"""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from vertex_emulator.storage import batch, bucket_calls, copies, object_calls
from vertex_emulator.storage.downloads import download
from vertex_emulator.storage.errors import StorageError, bad_request, not_implemented, storage_error
from vertex_emulator.storage.listing import list_objects
from vertex_emulator.storage.names import check_bucket_name
from vertex_emulator.storage.uploads import upload
from vertex_emulator.wire import Json

Call = Callable[..., Awaitable[Response]]

_BUCKET = "/storage/v1/b/{bucket}"
_OBJECT = _BUCKET + "/o/{name}"
_TO_OBJECT = "b/{to_bucket}/o/{to_name}"

_CALLS: list[tuple[str, str, Call]] = [
    ("GET", "/storage/v1/b", bucket_calls.list_),
    ("POST", "/storage/v1/b", bucket_calls.insert),
    ("GET", _BUCKET, bucket_calls.get),
    ("PATCH PUT", _BUCKET, bucket_calls.change),
    ("DELETE", _BUCKET, bucket_calls.delete),
    ("GET", _BUCKET + "/iam", bucket_calls.get_policy),
    ("PUT", _BUCKET + "/iam", bucket_calls.set_policy),
    ("GET", _BUCKET + "/iam/testPermissions", bucket_calls.test_permissions),
    ("GET", _BUCKET + "/o", list_objects),
    ("GET", _OBJECT, object_calls.get),
    ("PATCH PUT", _OBJECT, object_calls.change),
    ("DELETE", _OBJECT, object_calls.delete),
    ("POST", _OBJECT + "/compose", copies.compose),
    ("POST", f"{_OBJECT}/copyTo/{_TO_OBJECT}", copies.copy),
    ("POST", f"{_OBJECT}/rewriteTo/{_TO_OBJECT}", copies.rewrite),
    ("GET", "/download" + _OBJECT, download),
    ("POST PUT DELETE", "/upload" + _BUCKET + "/o", upload),
]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


_TABLE = [(methods.split(), _pattern(path), call) for methods, path, call in _CALLS]


async def serve(request: Request) -> Response:
    """Answers a call of the JSON API, or a batch of them; refusals are answers too."""
    if request.url.path == "/batch/storage/v1" and request.method == "POST":
        return await answered(partial(batch.answer_batch, request, _serve_one))
    return await _serve_one(request)


async def answered(call: Callable[[], Awaitable[Response]]) -> Response:
    """Returns what `call` returns, or the refusal that it raises."""
    try:
        return await call()
    except ClientDisconnect:
        return Response(status_code=499)  # nobody is there to read it
    except Exception as error:
        refusal = storage_error(error)
        if refusal.code == 500 and not isinstance(error, OSError | StorageError):
            raise
        return Response(status_code=304) if refusal.code == 304 else Json(refusal.body(), refusal.code)


async def _serve_one(request: Request) -> Response:
    return await answered(partial(_call, request))


async def _call(request: Request) -> Response:
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    method = "GET" if request.method == "HEAD" else request.method
    for methods, pattern, call in _TABLE:
        match = pattern.fullmatch(path)
        if match is not None and method in methods:
            return await call(request, **_names(match))
    raise not_implemented(f"{request.method} {path}")


def _names(match: re.Match[str]) -> dict[str, str]:
    try:
        names = {key: unquote(text, errors="strict") for key, text in match.groupdict().items()}
    except UnicodeDecodeError as error:
        raise bad_request(f"The path is not UTF-8: {error}") from error
    for key in names.keys() & {"bucket", "to_bucket"}:
        check_bucket_name(names[key])
    return names
