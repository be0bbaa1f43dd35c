"""What a process writes, line by line, and where a task's lines are kept with their times."""

import json
import os
import selectors
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

_BLOCK = 65_536
_LONGEST = 100_000
"""Bytes of a line that is kept in one piece: Cloud Logging takes entries of 256 KB, in which JSON may double a byte."""
# As Vertex AI does: whatever is written to standard error counts as an error.
_SEVERITIES = {"stdout": "INFO", "stderr": "ERROR"}


def lines_of(process: "subprocess.Popen[bytes]") -> Iterator[tuple[str, bytes]]:
    """Yields the lines that a process and its children write, each with its severity, until both streams have ended.

    A line that does not end, as that of a progress bar, comes in pieces, so that none of them takes all the memory.

    Args:
        process: With pipes for standard output and standard error.
    """
    begun = dict.fromkeys(_SEVERITIES, b"")
    with selectors.DefaultSelector() as selector:
        for name in _SEVERITIES:
            selector.register(getattr(process, name), selectors.EVENT_READ, name)
        while selector.get_map():
            # Standard output first: what was written there before a traceback stays before it.
            for key, _ in sorted(selector.select(), key=lambda ready: ready[0].data, reverse=True):
                block = os.read(key.fd, _BLOCK)
                *whole, begun[key.data] = (begun[key.data] + block).split(b"\n")
                for line in whole:
                    yield from ((_SEVERITIES[key.data], piece) for piece in _pieces(line + b"\n"))
                *full, begun[key.data] = _pieces(begun[key.data])
                yield from ((_SEVERITIES[key.data], piece) for piece in full)
                if not block:
                    selector.unregister(key.fileobj)
                    if begun[key.data]:
                        yield _SEVERITIES[key.data], begun[key.data]


def _pieces(line: bytes) -> list[bytes]:
    """Cuts a line into pieces of at most `_LONGEST` bytes, between characters; there is at least one."""
    pieces = []
    while len(line) > _LONGEST:
        end = next((at for at in range(_LONGEST, _LONGEST - 4, -1) if line[at] & 0xC0 != 0x80), _LONGEST)
        pieces.append(line[:end])
        line = line[end:]
    return [*pieces, line]


class LineFile:
    """A file of lines with time and severity, one JSON object each; it is whole after every line."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def __enter__(self) -> "LineFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, severity: str, line: bytes) -> None:
        """Adds a line, which was written just now."""
        at = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        told = {"timestamp": at, "severity": severity, "message": line.decode("utf-8", "replace").rstrip("\r\n")}
        self._file.write(json.dumps(told).encode() + b"\n")
