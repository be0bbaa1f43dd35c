"""Finished answers on disk or in Cloud Storage, so that nothing is asked, or paid for, twice.

A journal is a folder to which files are only added, each whole or not at all. A line is the checksum of what follows,
and a key and a reply as JSON. Whatever is not such a line, or has another checksum, is as good as not there.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import orjson
import xxhash
from pydantic import ValidationError

from gemini_sft import storage
from gemini_sft.inference.prediction import Reply

_KEPT_SECONDS = 7 * 24 * 3600
"""A base model may change behind its name: older answers are asked for anew."""
_READERS = 16

_log = logging.getLogger(__name__)


class Journal:
    """The journal of one model's answers.

    Args:
        folder: Path or `gs://` URI, of this journal alone.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._files: list[str] = []

    def read(self, keys: Iterable[str]) -> dict[str, Reply]:
        """Returns the replies that are there, of those that are wanted.

        Raises:
            GeminiSftError: The folder cannot be read.
        """
        wanted, found, damaged = set(keys), {}, 0
        oldest = time.time() - _KEPT_SECONDS
        self._files = storage.list_files(self.folder)
        with ThreadPoolExecutor(_READERS) as pool:
            for content in pool.map(storage.read_bytes, self._files):
                for line in content.splitlines():
                    try:
                        key, at, reply = _decode(line)
                    except (ValueError, TypeError, KeyError):
                        damaged += 1
                        continue
                    if key in wanted and at >= oldest:
                        found[key] = reply
        if damaged:
            _log.warning("%s: %d records are damaged and are asked for again", self.folder, damaged)
        return found

    def append(self, replies: Mapping[str, Reply]) -> None:
        """Adds replies by their keys, all in one file.

        Raises:
            GeminiSftError: It could not be written.
        """
        lines = [_encode(key, reply) for key, reply in replies.items()]
        name = f"{self.folder}/{time.time_ns():020d}-{secrets.token_hex(4)}.jsonl"
        storage.write_bytes(name, b"".join(lines), "application/jsonl")
        self._files.append(name)

    def clear(self) -> None:
        """Forgets everything that was read or added; what others add meanwhile stays."""
        for name in self._files:
            storage.delete(name)
        self._files = []


class Keeper:
    """Puts replies into a journal as they come. Use within one event loop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._pending: dict[str, Reply] = {}
        self._writing = asyncio.Lock()

    async def keep(self, key: str, reply: Reply) -> None:
        """Keeps one reply, in one file with all that others bring while the last one is written.

        It is safe when this returns.

        Raises:
            GeminiSftError: It could not be written.
        """
        self._pending[key] = reply
        async with self._writing:
            if key in self._pending:
                together, self._pending = self._pending, {}
                await asyncio.to_thread(self._journal.append, together)


def _encode(key: str, reply: Reply) -> bytes:
    record = orjson.dumps({"key": key, "at": int(time.time()), "reply": reply.model_dump(mode="json")})
    return xxhash.xxh3_64_hexdigest(record).encode() + b" " + record + b"\n"


def _decode(line: bytes) -> tuple[str, int, Reply]:
    check, _, record = line.partition(b" ")
    if check != xxhash.xxh3_64_hexdigest(record).encode():
        raise ValueError("another checksum")
    document = orjson.loads(record)
    try:
        return document["key"], document["at"], Reply.model_validate(document["reply"])
    except ValidationError as error:
        raise ValueError("of another version") from error
