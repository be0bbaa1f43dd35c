"""Where data come from: local files, Cloud Storage, the web and BigQuery, one by one or by glob."""

import difflib
import glob
import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urlsplit

from gemini_sft import storage
from gemini_sft.data import web
from gemini_sft.errors import DataError, GeminiSftError, Problem, UserError
from gemini_sft.experiment.rules import RULES
from gemini_sft.experiment.schema import SCHEMES, SUFFIXES
from gemini_sft.refusals import refusals

if TYPE_CHECKING:
    from google.cloud.storage import Blob

_WEB = ("http://", "https://")
_BUFFER = 1 << 20


class Format(StrEnum):
    """How a source holds its records."""

    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    BIGQUERY = "bigquery"


@dataclass(frozen=True)
class File:
    """One file, object or table.

    Attributes:
        uri: An absolute path, or `gs://`, `http://`, `https://` or `bq://`.
        name: How findings speak of it: a path below the working directory relative to it, any other as it is; for
            `gs://` and `https://` what follows the last slash; for `bq://` project.dataset.table.
        format: How it holds its records.
        compressed: Its name ends in `.gz`.
        size: Bytes as stored; None if they are not known before it is read.
        version: What is another if the content is another; empty if that must be asked for, see `versions`.
    """

    uri: str
    name: str
    format: Format
    compressed: bool
    size: int | None
    version: str = field(default="", compare=False)


def expand(uri: str) -> list[File]:
    """Returns what a URI stands for: the files or objects that a glob matches in the order of their names, or one.

    Args:
        uri: A path or `gs://` URI, in which `*`, `?` and `[...]` stand for characters of one name and `**` for folders
            too, or an `http://`, `https://` or `bq://` URI.

    Raises:
        UserError: A file or object does not exist or cannot be read, a glob matches nothing, or the suffix is unknown.
        ServiceError: Cloud Storage did not answer.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return _local_files(uri)
    if scheme == "gs":
        return _objects(uri)
    if scheme in ("http", "https"):
        path = urlsplit(uri).path
        return [File(uri, unquote(path.rpartition("/")[2]), *_format(path, web.shown(uri)), None)]
    if scheme == "bq":
        return [File(uri, rest, Format.BIGQUERY, False, None)]
    raise UserError(f"{uri}: must be a path or begin with {', '.join(f'{one}://' for one in SCHEMES)}")


@contextmanager
def open_file(file: File) -> Iterator[BinaryIO]:
    """Opens a file for reading from its beginning, bit by bit; what is compressed with gzip comes decompressed.

    A local file that is not compressed can also be read in any order.

    Raises:
        UserError: It does not exist, may not be read or cannot be fetched; also when reading.
        DataError: It is compressed and damaged; or, when it is closed, it changed while it was read.
        ServiceError: Cloud Storage did not answer; also when reading.
    """
    if file.format == Format.BIGQUERY:
        raise ValueError(f"{file.uri} is a table, which has rows and no bytes")
    before = state_of(file.uri)
    opened = web.download(file.uri) if file.uri.startswith(_WEB) else storage.open_reader(file.uri)
    try:
        with opened as stored:
            yield _decompressed(stored, file)
    except GeminiSftError as error:
        _require_unchanged(file, before, error)
        raise
    _require_unchanged(file, before, None)


def _require_unchanged(file: File, before: tuple[int, ...], cause: Exception | None) -> None:
    try:
        after = state_of(file.uri)
    except UserError:
        after = ()  # it was deleted
    if after != before:
        raise DataError([Problem(file.name, changed())]) from cause


def changed() -> str:
    """Returns what is said of a file that changed while it was read."""
    rule = RULES["changed_while_read"]
    return f"{rule.title}: {rule.remedy}"


def state_of(uri: str) -> tuple[int, ...]:
    """Returns what is another if the content is another; always the same for the web, which has nothing to tell it.

    Raises:
        UserError: There is no such file or object, or it may not be read.
        ServiceError: Cloud Storage did not say.
    """
    if uri.startswith(_WEB):
        return ()
    if uri.startswith("gs://"):
        found = _metadata(uri)
        return found.size, found.generation
    return _of_status(_status(Path(uri)))


def _of_status(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _format(path: str, shown: str) -> tuple[Format, bool]:
    plain = path.lower().removesuffix(".gz")
    compressed = plain != path.lower()
    suffix = plain[plain.rfind(".") :]
    if suffix not in SUFFIXES or (compressed and suffix == ".parquet"):
        raise UserError(f"{shown}: must end in {', '.join(SUFFIXES)}, or in .gz after one of the first three")
    return Format(suffix[1:]), compressed


def _magic(pattern: str) -> int:
    """Returns where the first character of a glob stands that is not plain; -1 if all are."""
    return next((place for place, character in enumerate(pattern) if character in "*?["), -1)


def _local_files(pattern: str) -> list[File]:
    if _magic(pattern) < 0 or Path(pattern).exists():
        return [_local_file(Path(pattern))]
    matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - `Path.glob` takes no absolute pattern
    found = [Path(path) for path in matches if not Path(path).is_dir()]
    if not found:
        folder = Path(pattern[: _magic(pattern)] + "x").parent
        raise UserError(f"{pattern}: matches no file" + ("" if folder.is_dir() else f": there is no folder {folder}"))
    return [_local_file(path) for path in found]


def _local_file(path: Path) -> File:
    status = _status(path)
    path = path.resolve() if ".." in path.parts else path.absolute()
    state = " ".join(map(str, _of_status(status)))
    return File(str(path), _name(path), *_format(path.name, _name(path)), status.st_size, state)


def _name(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _status(path: Path) -> os.stat_result:
    name = _name(path)
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            with path.open("rb"):
                return status
    except FileNotFoundError as error:
        raise UserError(f"{name}: there is no such file{_instead(path)}") from error
    except PermissionError as error:
        raise UserError(f"{name}: may not be read: give yourself permission to read it and its folder") from error
    except OSError as error:
        raise UserError(f"{name}: could not be read: {error.strerror}") from error
    if stat.S_ISDIR(status.st_mode):
        raise UserError(f"{name}: is a directory: name its files, such as {name}/*.jsonl")
    raise UserError(f"{name}: is a device or pipe: write its content to a file")


def _instead(path: Path) -> str:
    if path.is_symlink():
        return f": it is a link to {path.readlink()}"
    if not path.parent.is_dir():
        return f", nor a folder {_name(path.parent)}"
    near = difflib.get_close_matches(path.name, [one.name for one in path.parent.iterdir()], n=3)
    return f": did you mean {' or '.join(near)}?" if near else ""


def _objects(uri: str) -> list[File]:
    if _magic(uri) < 0:
        return [_object(_metadata(uri))]
    if _magic(uri) < uri.find("/", len("gs://")):
        raise UserError(f"{uri}: the bucket must be named: only what follows it can be a glob")
    pattern = storage.blob(uri)
    place = _magic(pattern.name)
    with refusals(uri):
        # The prefix spares the service the other names.
        listed = pattern.bucket.list_blobs(prefix=pattern.name[:place] or None, match_glob=pattern.name)
        found = sorted(listed, key=lambda one: str(one.name))
    if not found:
        raise UserError(f"{uri}: matches no object: check bucket and folder")
    return [_object(one) for one in found]


def _object(found: "Blob") -> File:
    uri = f"gs://{found.bucket.name}/{found.name}"
    return File(uri, found.name.rpartition("/")[2], *_format(found.name, uri), found.size, str(found.generation))


def _metadata(uri: str) -> "Blob":
    found = storage.blob(uri)
    with refusals(uri):
        found.reload()
    return found


def _decompressed(stored: BinaryIO, file: File) -> BinaryIO:
    packed = isinstance(stored, io.BufferedReader) and stored.peek(2).startswith(b"\x1f\x8b")
    if packed:
        return io.BufferedReader(_Decompressed(stored, file.name), _BUFFER)
    if file.compressed:
        raise DataError(
            [Problem(file.name, "is not compressed with gzip, as its name says: rename it, or fetch it again")]
        )
    return stored


class _Decompressed(io.RawIOBase):
    """The content of a gzip file, and an error that names the file if it is damaged."""

    def __init__(self, stored: BinaryIO, name: str) -> None:
        self._inner, self._name = gzip.GzipFile(fileobj=stored, mode="rb"), name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._inner.readinto(buffer)
        except EOFError as error:
            what = "breaks off in the middle of its gzip data: fetch it again"
            raise DataError([Problem(self._name, what)]) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataError([Problem(self._name, f"is no intact gzip file: fetch it again ({error})")]) from error
