"""Where the bytes of an object lie on disk.

An object `a/b.txt` of bucket `x` is the file `root/x/a/b.txt`. A name that no file can have there (an empty, `.` or
`..` segment, a segment longer than the file system allows, a NUL, a folder of the same name) lies in the bucket's
overflow folder under the digest of its name; the database remembers which is which. Symbolic links are not followed,
so nothing outside the root is read or written.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from heapq import merge
from pathlib import Path

from vertex_emulator.database import Database
from vertex_emulator.storage.names import is_bucket_name, is_object_name

HIDDEN = ".emulator"
"""The folder, in the root and in each bucket, that holds no natural object."""

_KIND = "overflowObjects"


class Layout:
    """Maps names to files below `root` and back.

    Whatever only reads may be called from any thread.
    """

    def __init__(self, root: Path, database: Database) -> None:
        self.root = root.resolve()
        self._database = database
        self._overflow: dict[str, dict[str, Path]] = {}
        for document in database.list(_KIND):
            self._overflow.setdefault(document["bucket"], {})[document["object"]] = self._overflow_path(
                document["bucket"], document["object"]
            )

    def locate(self, bucket: str, name: str) -> Path | None:
        """Returns the file that holds an object's bytes, or None if there is no such object."""
        found = self.look(bucket, name)
        return None if found is None else Path(found[0])

    def look(self, bucket: str, name: str) -> tuple[str, os.stat_result] | None:
        """Returns the path of an object's file and its state, or None if there is no such object."""
        path = f"{self.root}/{bucket}/{name}"
        seen = _state(path) if _is_natural(name) else None
        if seen is not None and stat.S_ISREG(seen.st_mode) and all(map(_is_folder, self._folders(bucket, name))):
            return path, seen
        overflow = self._overflow.get(bucket, {}).get(name)
        if overflow is not None and (seen := _state(overflow)) is not None:
            return str(overflow), seen
        return None

    def install(self, source: Path, bucket: str, name: str) -> Path:
        """Renames a finished file to where the object belongs; the object appears or changes at once."""
        path = Path(f"{self.root}/{bucket}/{name}")
        if _is_natural(name) and self._make_room(path, bucket, name):
            source.replace(path)
            self._drop_overflow(bucket, name)
            return path
        path = self._overflow_path(bucket, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        key = self._overflow_key(bucket, name)
        self._database.put(_KIND, f"b/{bucket}", {"name": key, "bucket": bucket, "object": name})
        source.replace(path)
        self._overflow.setdefault(bucket, {})[name] = path
        return path

    def remove(self, bucket: str, name: str) -> None:
        """Deletes an object's bytes. Its folders stay: another process may be about to write into them."""
        path = self.locate(bucket, name)
        if path is not None:
            path.unlink(missing_ok=True)
        self._drop_overflow(bucket, name)

    def names(self, bucket: str, prefix: str = "", start: str = "") -> Iterator[str]:
        """Yields the names of a bucket's objects in the order of their UTF-8 bytes.

        Args:
            bucket: The bucket's name.
            prefix: Only names that begin so.
            start: Only names that are not before this one.
        """
        overflow = (
            name
            for name in sorted(self._overflow.get(bucket, {}))
            if name.startswith(prefix) and name >= start and self.locate(bucket, name)
        )
        previous = None
        for name in merge(self._walk(bucket, prefix, start), overflow):
            if name != previous:
                yield name
            previous = name

    def remove_bucket(self, bucket: str) -> bool:
        """Removes an empty bucket's folder; tells whether nothing that is not a folder was in the way."""
        folder = self.root / bucket
        for path, _, _ in os.walk(folder, topdown=False):
            with suppress(OSError):
                Path(path).rmdir()
        return not folder.exists()

    def name_at(self, path: str) -> tuple[str, str] | None:
        """Returns the bucket and object name that an absolute path below the root means, or None for other paths.

        The object name is empty for a bucket's own folder; a trailing slash is kept.
        """
        if not path.startswith("/") or "\0" in path:
            return None
        plain = os.path.normpath(path)
        if not Path(plain).is_relative_to(self.root):
            plain = os.path.realpath(plain)
        if plain == str(self.root) or not Path(plain).is_relative_to(self.root):
            return None
        bucket, _, name = plain[len(str(self.root)) + 1 :].partition("/")
        if not is_bucket_name(bucket):
            return None
        if name == HIDDEN or name.startswith(f"{HIDDEN}/"):
            kept = self._overflow.get(bucket, {})
            return next(((bucket, real) for real, at in list(kept.items()) if str(at) == plain), None)
        return bucket, f"{name}/" if name and path.endswith("/") else name

    @staticmethod
    def _overflow_key(bucket: str, name: str) -> str:
        return f"b/{bucket}/{HIDDEN}/{name}"

    def _overflow_path(self, bucket: str, name: str) -> Path:
        return self.root / bucket / HIDDEN / hashlib.sha256(name.encode()).hexdigest()

    def _drop_overflow(self, bucket: str, name: str) -> None:
        path = self._overflow.get(bucket, {}).pop(name, None)
        if path is not None:
            path.unlink(missing_ok=True)
            self._database.delete(self._overflow_key(bucket, name))

    def _walk(self, bucket: str, prefix: str, start: str) -> Iterator[str]:
        # Folders carry their slash: sorted so, a depth-first walk meets the full names in order.
        pending = [""]
        while pending:
            name = pending.pop()
            if not name or name.endswith("/"):
                children = [child for child in self._children(bucket, name) if _may_hold(child, prefix, start)]
                pending += sorted(children, reverse=True)
            elif is_object_name(name):
                yield name

    def _children(self, bucket: str, folder: str) -> Iterator[str]:
        try:
            with os.scandir(f"{self.root}/{bucket}/{folder}") as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        yield folder + entry.name
                    elif entry.is_dir(follow_symlinks=False) and (folder or entry.name != HIDDEN):
                        yield f"{folder}{entry.name}/"
        except (FileNotFoundError, NotADirectoryError):
            return

    def _make_room(self, path: Path, bucket: str, name: str) -> bool:
        """Makes the folders above a natural path; tells whether a file can be put there."""
        (self.root / bucket).mkdir(parents=True, exist_ok=True)
        for folder in self._folders(bucket, name):
            try:
                os.mkdir(folder)  # noqa: PTH102
            except FileExistsError:
                if not _is_folder(folder):
                    return False
        if _is_folder(path):
            with suppress(OSError):
                path.rmdir()  # an empty folder, left behind by objects that are gone
        return not _is_folder(path)

    def _folders(self, bucket: str, name: str) -> Iterator[str]:
        folder = f"{self.root}/{bucket}"
        for segment in name.split("/")[:-1]:
            folder = f"{folder}/{segment}"
            yield folder


def _is_natural(name: str) -> bool:
    """Tells whether a name can be a path below the bucket's folder."""
    segments = name.split("/")
    if segments[0] == HIDDEN or "\0" in name:
        return False
    if len(name) > 63 and any(len(segment.encode()) > 255 for segment in segments):
        return False
    return not any(segment in ("", ".", "..") for segment in segments)


def _state(path: str | Path) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except OSError:
        return None


def _is_folder(path: str | Path) -> bool:
    """Tells whether there is a folder, not a link to one."""
    seen = _state(path)
    return seen is not None and stat.S_ISDIR(seen.st_mode)


def _may_hold(name: str, prefix: str, start: str) -> bool:
    """Tells whether a file, or anything in a folder (its name ends in a slash), can be asked for."""
    if name.endswith("/"):
        return (name.startswith(prefix) or prefix.startswith(name)) and (name >= start or start.startswith(name))
    return name.startswith(prefix) and name >= start
