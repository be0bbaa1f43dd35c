"""The objects of all buckets: plain files, with what is remembered of each in the database.

The files are the truth. A file that another process put, changed or removed below a bucket's folder is an object that
was made, overwritten or deleted: every look at an object compares the file with its record.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError, invalid, not_found
from vertex_emulator.storage.buckets import Buckets
from vertex_emulator.storage.errors import no_such_object
from vertex_emulator.storage.fields import merged
from vertex_emulator.storage.hashing import Checksums, checksums_of
from vertex_emulator.storage.incoming import Incoming
from vertex_emulator.storage.layout import HIDDEN, Layout
from vertex_emulator.storage.names import is_bucket_name, is_object_name
from vertex_emulator.storage.preconditions import Preconditions
from vertex_emulator.storage.records import ObjectRecord, document_name
from vertex_emulator.storage.sessions import Sessions

_KIND = "objects"


class ObjectStore:
    """Cloud Storage's content.

    `open`, `exists`, `path_of` and `uri_of` may be called from any thread; the rest belongs to the thread of the
    database.

    Attributes:
        root: The folder that holds one folder per bucket; absolute, without symbolic links.
        buckets: The buckets.
        sessions: Uploads that take several requests.
    """

    def __init__(self, root: Path, database: Database) -> None:
        self._database = database
        self._layout = Layout(root, database)
        self.root = self._layout.root
        self.buckets = Buckets(database)
        self.sessions = Sessions()
        self._last_generation = 0
        self._incoming_folder = self.root / HIDDEN / "incoming"
        rmtree(self._incoming_folder, ignore_errors=True)  # left by a process that was killed
        self._incoming_folder.mkdir(parents=True)

    def open(self, uri: str) -> BinaryIO:
        """Opens an object for reading.

        Args:
            uri: `gs://bucket/object`, or the absolute path below the root that means the same object.

        Raises:
            ApiError: NOT_FOUND if there is no such object, INVALID_ARGUMENT if it is no such URI.
        """
        try:
            return self.path_of(uri).open("rb")
        except FileNotFoundError as error:
            raise _no_such_uri(uri) from error

    def exists(self, uri: str) -> bool:
        """Tells whether there is such an object; the URI and errors are those of `open`."""
        return self._layout.locate(*self._parse(uri)) is not None

    def path_of(self, uri: str) -> Path:
        """Returns the file that holds an existing object's bytes; the URI and errors are those of `open`."""
        path = self._layout.locate(*self._parse(uri))
        if path is None:
            raise _no_such_uri(uri)
        return path

    def uri_of(self, path: str) -> str:
        """Returns the `gs://` URI that an absolute path below the root means; other text as it is."""
        found = self._layout.name_at(path)
        return path if found is None else "gs://" + "/".join(part for part in found if part)

    def find(self, bucket: str, name: str) -> ObjectRecord | None:
        """Returns the live generation of an object, or None; its checksums may not have been computed yet."""
        found = self._layout.look(bucket, name)
        document = self._database.get(document_name(bucket, name))
        if found is None:
            if document is not None:
                self._database.delete(document_name(bucket, name))
            return None
        record = ObjectRecord.load(document) if document is not None else None
        if record is None or not record.matches(found[1]):
            record = ObjectRecord.found(bucket, name, self._next_generation(), found[1])
            self.save(record)
        return record

    def live(self, bucket: str, name: str, generation: int | None = None) -> ObjectRecord:
        """Returns the live generation of an object.

        Raises:
            StorageError: 404 for a missing bucket or object, or if another generation than the one asked for is live.
        """
        self.buckets.get(bucket)
        record = self.find(bucket, name)
        if record is None or generation not in (None, record.generation):
            raise no_such_object(bucket, name)
        return record

    def open_live(self, record: ObjectRecord) -> BinaryIO:
        """Opens the bytes that a record speaks of.

        Raises:
            StorageError: 404 if they have been replaced or deleted meanwhile.
        """
        file = self._open_unchanged(record)
        if file is None:
            raise no_such_object(record.bucket, record.name)
        return file

    async def hashed(self, records: Iterable[ObjectRecord]) -> None:
        """Computes and remembers the checksums that are missing; reads those files in a worker thread."""
        pending = [record for record in records if not record.crc32c]
        if not pending:
            return
        for record, checksums in await run_in_threadpool(self._checksums, pending):
            record.take(checksums)
            live = self.find(record.bucket, record.name)
            if live is not None and live.generation == record.generation:  # may have been replaced meanwhile
                live.take(checksums)
                self.save(live)

    def incoming(self) -> Incoming:
        """Returns an empty temporary file to collect an upload in."""
        return Incoming(self._incoming_folder)

    def commit(
        self,
        incoming: Incoming,
        bucket: str,
        name: str,
        fields: dict[str, Any],
        conditions: Preconditions,
        components: int = 0,
    ) -> ObjectRecord:
        """Makes a finished upload the live generation, all at once.

        Raises:
            StorageError: 404 for a missing bucket, 412 if a condition does not hold; nothing has changed then.
        """
        default_class = self.buckets.get(bucket)["storageClass"]
        conditions.check(self.find(bucket, name))
        seen = self._layout.install(incoming.path, bucket, name).stat()
        record = ObjectRecord(bucket, name, self._next_generation(), seen.st_size, seen.st_mtime_ns)
        record.fields = merged({"storageClass": default_class}, fields)
        record.components = components
        record.take(incoming.checksums)
        self.save(record)
        return record

    def save(self, record: ObjectRecord) -> None:
        """Remembers a changed record."""
        self._database.put(_KIND, f"b/{record.bucket}", record.document())

    def delete(self, record: ObjectRecord) -> None:
        """Deletes an object. There are no versions: it is gone."""
        self._layout.remove(record.bucket, record.name)
        self._database.delete(document_name(record.bucket, record.name))

    def names(self, bucket: str, prefix: str = "", start: str = "") -> Iterator[str]:
        """Yields the names of a bucket's objects in the order of their UTF-8 bytes, from `start` on."""
        return self._layout.names(bucket, prefix, start)

    def remove_bucket_folder(self, bucket: str) -> bool:
        """Removes an empty bucket's folder; False if it holds anything."""
        return next(self.names(bucket), None) is None and self._layout.remove_bucket(bucket)

    def _checksums(self, records: list[ObjectRecord]) -> list[tuple[ObjectRecord, Checksums]]:
        """Reads the files; one that is gone or was changed meanwhile is left out."""
        results = []
        for record in records:
            file = self._open_unchanged(record)
            if file is not None:
                with file:
                    checksums = checksums_of(file)
                    if record.matches(os.fstat(file.fileno())):
                        results.append((record, checksums))
        return results

    def _open_unchanged(self, record: ObjectRecord) -> BinaryIO | None:
        path = self._layout.locate(record.bucket, record.name)
        try:
            file = path.open("rb") if path is not None else None
        except FileNotFoundError:
            return None
        if file is not None and not record.matches(os.fstat(file.fileno())):
            file.close()
            return None
        return file

    def _next_generation(self) -> int:
        """Returns the time in microseconds, as Google does, but never the same number twice."""
        self._last_generation = max(time.time_ns() // 1000, self._last_generation + 1)
        return self._last_generation

    def _parse(self, uri: str) -> tuple[str, str]:
        if uri.startswith("gs://"):
            bucket, _, name = uri.removeprefix("gs://").partition("/")
            found: tuple[str, str] | None = (bucket, name)
        else:
            found = self._layout.name_at(uri)
        if found is None or not is_bucket_name(found[0]) or not is_object_name(found[1]):
            raise invalid(f"'{uri}' is not an object's URI: gs://bucket/object is expected.")
        return found


def _no_such_uri(uri: str) -> ApiError:
    return not_found(f"Object '{uri}'")
