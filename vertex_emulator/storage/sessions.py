"""Uploads that take several requests. They live in memory: a restart of the emulator ends them."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from vertex_emulator.storage.incoming import Incoming
from vertex_emulator.storage.preconditions import Preconditions
from vertex_emulator.storage.records import ObjectRecord

_LIFETIME = 7 * 24 * 3600
"""Seconds; Google keeps a resumable upload for a week."""


@dataclass
class Session:
    """One upload.

    Attributes:
        bucket: Where the object will be.
        name: What it will be called.
        fields: What the client set on it.
        conditions: To be checked when it is complete.
        expected: Checksums that the client announced.
        parts: What has arrived: one file for a resumable upload (number 0), one a part for an XML multipart upload.
        finished: The object, once it is there.
        lock: Held while a request changes the session.
        started: Seconds on the monotonic clock.
    """

    bucket: str
    name: str
    fields: dict[str, Any]
    conditions: Preconditions = field(default_factory=Preconditions)
    expected: dict[str, str] = field(default_factory=dict)
    parts: dict[int, Incoming] = field(default_factory=dict)
    finished: ObjectRecord | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    started: float = field(default_factory=time.monotonic)

    def discard(self) -> None:
        """Deletes what has arrived."""
        for part in self.parts.values():
            part.discard()
        self.parts.clear()


class Sessions:
    """Sessions by upload id."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}

    def add(self, session: Session) -> str:
        """Keeps a session and returns its id; forgets those that are too old."""
        limit = time.monotonic() - _LIFETIME
        for upload_id in [key for key, kept in self._sessions.items() if kept.started < limit]:
            self.end(upload_id)
        upload_id = uuid.uuid4().hex
        self._sessions[upload_id] = session
        return upload_id

    def get(self, upload_id: str) -> Session | None:
        """Returns a session, or None if it never was or is over."""
        return self._sessions.get(upload_id)

    def end(self, upload_id: str) -> None:
        """Forgets a session and deletes what has arrived."""
        session = self._sessions.pop(upload_id, None)
        if session is not None:
            session.discard()
