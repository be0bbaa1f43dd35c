"""Bytes on their way into an object."""

import uuid
from collections.abc import AsyncIterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool

from vertex_emulator.storage.hashing import BLOCK, Checksums


class Incoming:
    """A temporary file that grows, with the checksums of what is in it.

    As a context manager it deletes its file at the end, unless that was renamed to an object meanwhile: a failed upload
    leaves nothing behind.

    Attributes:
        path: The file, in the same file system as the objects.
        size: Bytes written.
        checksums: Of those bytes.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / uuid.uuid4().hex
        self.path.touch(exist_ok=False)
        self.size = 0
        self.checksums = Checksums()

    async def fill(self, chunks: AsyncIterable[bytes]) -> None:
        """Appends all chunks, in constant memory; what has come before an error is kept."""
        waiting = bytearray()
        try:
            async for chunk in chunks:
                waiting += chunk
                if len(waiting) >= BLOCK:
                    block, waiting = bytes(waiting), bytearray()
                    await run_in_threadpool(self.append, block)
        finally:
            if waiting:
                await run_in_threadpool(self.append, bytes(waiting))

    def append(self, data: bytes) -> None:
        """Appends `data` entirely or, on an OSError, not at all."""
        with self.path.open("r+b") as file:
            file.seek(self.size)
            try:
                file.write(data)
                file.flush()
            except OSError:
                file.truncate(self.size)
                raise
        self.size += len(data)
        self.checksums.update(data)

    def append_file(self, source: BinaryIO) -> None:
        """Appends all of an open file; to be called in a worker thread."""
        while block := source.read(BLOCK):
            self.append(block)

    def discard(self) -> None:
        """Deletes the file, if it is still there."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> "Incoming":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()
