"""Reading and writing by URI: `gs://bucket/object` through Cloud Storage, anything else as a local path.

A write is all or nothing: a reader never meets half a file.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from gemini_sft.errors import ServiceError, UserError

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Client

_SCHEME = "gs://"


def read_bytes(uri: str) -> bytes:
    """Returns the whole content of a file or object.

    Raises:
        UserError: There is none, it is a directory, or there are no credentials for Cloud Storage.
        ServiceError: Cloud Storage did not give it.
    """
    if not uri.startswith(_SCHEME):
        return _read_path(Path(uri))
    from google.api_core.exceptions import GoogleAPIError, NotFound
    from google.auth.exceptions import GoogleAuthError

    try:
        content: bytes = _blob(uri).download_as_bytes()
    except NotFound as error:
        raise UserError(f"{uri}: there is no such object in Cloud Storage") from error
    except GoogleAuthError as error:
        raise UserError(_no_credentials(uri, error)) from error
    except GoogleAPIError as error:
        raise ServiceError(f"{uri} could not be read: {error}") from error
    return content


def write_bytes(uri: str, content: bytes, content_type: str = "application/octet-stream") -> None:
    """Writes a whole file or object, replacing an earlier one in one step.

    Raises:
        UserError: There are no credentials for Cloud Storage.
        ServiceError: It could not be written (no space, no permission, no bucket).
    """
    if not uri.startswith(_SCHEME):
        try:
            _replace(Path(uri), content)
        except OSError as error:
            raise ServiceError(f"{uri} could not be written: {error.strerror}") from error
        return
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    try:
        _blob(uri).upload_from_string(content, content_type=content_type)
    except GoogleAuthError as error:
        raise UserError(_no_credentials(uri, error)) from error
    except GoogleAPIError as error:
        raise ServiceError(f"{uri} could not be written: {error}") from error


def read_text(uri: str) -> str:
    """Returns a UTF-8 text; for errors see `read_bytes`, and it may be no UTF-8."""
    try:
        return read_bytes(uri).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{uri}: is not UTF-8 (byte {error.start}): save the file as UTF-8") from error


def write_text(uri: str, text: str, content_type: str = "text/plain; charset=utf-8") -> None:
    """Writes a text as UTF-8; for errors see `write_bytes`."""
    write_bytes(uri, text.encode("utf-8"), content_type)


def read_json(uri: str) -> Any:
    """Returns a parsed JSON document; for errors see `read_bytes`."""
    return orjson.loads(read_bytes(uri))


def write_json(uri: str, document: Any) -> None:
    """Writes a JSON document, indented for people; for errors see `write_bytes`."""
    write_bytes(uri, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n", "application/json")


def read_jsonl(uri: str) -> Iterator[Any]:
    """Yields the documents of a JSONL file in order; for errors see `read_bytes`."""
    for line in read_bytes(uri).splitlines():
        if line.strip():
            yield orjson.loads(line)


def write_jsonl(uri: str, documents: Iterable[Any]) -> None:
    """Writes one document a line; for errors see `write_bytes`."""
    content = b"".join(orjson.dumps(document) + b"\n" for document in documents)
    write_bytes(uri, content, "application/jsonl")


def _read_path(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise UserError(f"{path}: is a directory, not a file") from error
    except OSError as error:
        raise UserError(f"{path}: could not be read: {error.strerror}") from error


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _no_credentials(uri: str, error: Exception) -> str:
    return f"{uri}: no Google credentials: run `gcloud auth application-default login` ({error})"


@cache
def _client() -> "Client":
    from google.cloud import storage

    return storage.Client(project=os.environ.get("GOOGLE_CLOUD_PROJECT"))


def _blob(uri: str) -> "Blob":
    bucket, _, name = uri.removeprefix(_SCHEME).partition("/")
    if not bucket or not name:
        raise UserError(f"{uri}: expected gs://BUCKET/OBJECT")
    return _client().bucket(bucket).blob(name)
