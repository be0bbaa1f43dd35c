"""Reading and writing by URI: `gs://bucket/object` through Cloud Storage, anything else as a local path.

A write is all or nothing: a reader never meets half a file.
"""

import io
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from gemini_sft.errors import ServiceError, UserError
from gemini_sft.refusals import refusals, unreadable

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Client

_SCHEME = "gs://"
# What one request brings or takes: a multiple of 256 KiB, as uploads in parts demand.
_PART = 8 << 20
_BUFFER = 1 << 20


def read_bytes(uri: str) -> bytes:
    """Returns the whole content of a file or object.

    Raises:
        UserError: There is none, it is a directory, or there are no credentials for Cloud Storage.
        ServiceError: Cloud Storage did not give it.
    """
    if not uri.startswith(_SCHEME):
        with unreadable(uri):
            return Path(uri).read_bytes()
    with refusals(uri, forbidden=ServiceError):
        content: bytes = blob(uri).download_as_bytes()
    return content


def write_bytes(uri: str, content: bytes, content_type: str = "application/octet-stream") -> None:
    """Writes a whole file or object, replacing an earlier one in one step.

    Raises:
        UserError: There are no credentials for Cloud Storage.
        ServiceError: It could not be written (no space, no permission, no bucket).
    """
    with refusals(uri, "written", forbidden=ServiceError):
        if uri.startswith(_SCHEME):
            blob(uri).upload_from_string(content, content_type=content_type)
        else:
            _replace(Path(uri), content)


@contextmanager
def open_reader(uri: str) -> Iterator[BinaryIO]:
    """Opens a file or object to be read bit by bit; an object is the one that it was at the beginning, to its end.

    Raises:
        UserError: There is none, it is a directory, it may not be read, or there are no credentials for Cloud Storage;
            also when reading.
        ServiceError: It could not be read to its end.
    """
    raw: Any
    if uri.startswith(_SCHEME):
        with refusals(uri):
            found = blob(uri)
            found.reload()  # from now on it has a generation, and every request asks for that one
            # Raw, or an object stored with `Content-Encoding: gzip` could not be read in parts.
            raw = found.open("rb", chunk_size=_PART, raw_download=True)
    else:
        with unreadable(uri):
            raw = Path(uri).open("rb", buffering=0)  # noqa: SIM115
    with closing(raw), io.BufferedReader(_Explained(uri, raw, "read"), _BUFFER) as stream:
        yield stream


@contextmanager
def open_writer(uri: str, content_type: str = "application/octet-stream") -> Iterator[BinaryIO]:
    """Opens a file or object to be written bit by bit; it replaces an earlier one when the body ends without error.

    Raises:
        UserError: There are no credentials for Cloud Storage or no permission; also when writing.
        ServiceError: It could not be written; also when writing.
    """
    opened = _open_object(uri, content_type) if uri.startswith(_SCHEME) else _open_temporary(uri)
    with opened as raw:
        explained = _Explained(uri, raw, "written")
        with io.BufferedWriter(explained, _BUFFER) as stream:
            try:
                yield stream
            except BaseException:
                explained.give_up()
                raise


def list_files(folder: str, *, deep: bool = False) -> list[str]:
    """Returns the files or objects in a folder, in the order of their names; none if there is no such folder.

    Args:
        folder: Path or `gs://` URI.
        deep: Also those in folders below it.

    Raises:
        UserError: It may not be read, or there are no credentials for Cloud Storage.
        ServiceError: Cloud Storage did not say.
    """
    with refusals(folder, forbidden=ServiceError):
        if not folder.startswith(_SCHEME):
            path = Path(folder)
            found = sorted(one for one in path.glob("**/*" if deep else "*") if one.is_file())
            # What begins with a dot is half written.
            return [str(one) for one in found if not one.name.startswith(".")]
        prefix = blob(f"{folder}/_")
        prefix.name = prefix.name.removesuffix("_")
        objects = prefix.bucket.list_blobs(prefix=prefix.name, delimiter=None if deep else "/")
        return sorted(f"{_SCHEME}{prefix.bucket.name}/{one.name}" for one in objects)


def delete(uri: str) -> None:
    """Deletes a file or object; that there is none is no error.

    Raises:
        UserError: There are no credentials for Cloud Storage.
        ServiceError: It could not be deleted.
    """
    from google.api_core.exceptions import NotFound

    with refusals(uri, "deleted", forbidden=ServiceError):
        if not uri.startswith(_SCHEME):
            Path(uri).unlink(missing_ok=True)
            return
        with suppress(NotFound):
            blob(uri).delete()


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


@contextmanager
def _open_temporary(uri: str) -> Iterator[Any]:
    path = Path(uri)
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with refusals(uri, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("xb", buffering=0)
    try:
        yield file
        with refusals(uri, "written"):
            file.close()
            temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            file.close()
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _open_object(uri: str, content_type: str) -> Iterator[Any]:
    with refusals(uri, "written"):
        writer = blob(uri).open("wb", chunk_size=_PART, content_type=content_type)
    try:
        yield writer
        with refusals(uri, "written"):
            writer.close()
    except BaseException:
        with suppress(Exception):  # the first error is the one to tell
            writer.terminate()
        # A writer that is still open when it is collected would finish the object.
        writer._buffer.close()
        raise


class _Explained(io.RawIOBase):
    """What an open file or object brings or takes, and an error that names it if it does not."""

    def __init__(self, uri: str, inner: Any, done: str) -> None:
        self._uri, self._inner, self._done, self._given_up = uri, inner, done, False

    def give_up(self) -> None:
        """Takes what else is written, and drops it."""
        self._given_up = True

    def readable(self) -> bool:
        return self._done == "read"

    def writable(self) -> bool:
        return self._done == "written"

    def seekable(self) -> bool:
        # Each move in an object would cost a request.
        return self.readable() and not self._uri.startswith(_SCHEME)

    def fileno(self) -> int:
        if self._uri.startswith(_SCHEME):
            raise io.UnsupportedOperation("fileno")
        number: int = self._inner.fileno()
        return number

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if not self.seekable():
            raise io.UnsupportedOperation("seek")
        position: int = self._inner.seek(offset, whence)
        return position

    def readinto(self, buffer: Any) -> int:
        with refusals(self._uri):
            count: int = self._inner.readinto(buffer)
        return count

    def write(self, data: Any) -> int:
        with refusals(self._uri, "written"):
            count: int = len(data) if self._given_up else self._inner.write(data)
        return count


@cache
def _client() -> "Client":
    from google.cloud import storage

    return storage.Client(project=os.environ.get("GOOGLE_CLOUD_PROJECT"))


def blob(uri: str) -> "Blob":
    """Returns the handle of an object, without asking whether there is one.

    Raises:
        UserError: The URI is not `gs://BUCKET/OBJECT`, or there are no credentials.
    """
    bucket, _, name = uri.removeprefix(_SCHEME).partition("/")
    if not bucket or not name:
        raise UserError(f"{uri}: expected gs://BUCKET/OBJECT")
    with refusals(uri):
        client = _client()
    try:
        return client.bucket(bucket).blob(name)
    except ValueError as error:
        raise UserError(f"{uri}: there can be no such bucket: {error}") from error
