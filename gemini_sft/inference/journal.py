"""Finished answers on disk or in Cloud Storage, so that nothing is asked, or paid for, twice.

A journal is a folder in which every run has a folder of its own, to which files are only added, each whole or not at
all. A line is the checksum of what follows, and a key and a reply as JSON. Whatever is not such a line, or has another
checksum, is as good as not there.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec
import orjson
import xxhash
from pydantic import ValidationError

from gemini_sft import storage
from gemini_sft.errors import UserError
from gemini_sft.inference.prediction import Reply

_KEPT_SECONDS = 7 * 24 * 3600
"""A base model may change behind its name: older answers are asked for anew."""
_READERS = 16

_log = logging.getLogger(__name__)


class _Record(msgspec.Struct):
    key: str
    at: int
    reply: msgspec.Raw


class Journal:
    """The journal of one model's answers.

    Args:
        folder: Path or `gs://` URI, of this journal alone.
        run_id: Of the run whose answers are added; those that other runs have left are read.
    """

    def __init__(self, folder: str, run_id: str) -> None:
        self.folder = folder
        self._own = f"{folder}/{run_id}/"

    def read(self, keys: Iterable[str]) -> dict[str, Reply]:
        """Returns the replies that are there, of those that are wanted.

        What this run was told it is not told again. Of other runs, which did not come to their end, only answers count:
        whoever starts anew wants to know whether a filter still blocks. They are added to this run's own.

        Raises:
            GeminiSftError: The folder cannot be read or written.
        """
        wanted = set(keys)
        own: dict[str, Reply] = {}
        others: dict[str, Reply] = {}
        damaged = 0
        oldest = time.time() - _KEPT_SECONDS
        names = storage.list_files(self.folder, deep=True)
        with ThreadPoolExecutor(_READERS) as pool:
            for name, content in zip(names, pool.map(_read, names), strict=True):
                found = own if name.startswith(self._own) else others
                for line in content.splitlines():
                    try:
                        key, at, reply = _decode(line)
                    except ValueError:
                        damaged += 1
                        continue
                    if key in wanted and at >= oldest:
                        found[key] = reply
        if damaged:
            _log.warning("%s: %d records are damaged and are asked for again", self.folder, damaged)
        left = {key: one for key, one in others.items() if key not in own and one.prediction.outcome.has_answer}
        if left:
            self.append(left)
        return own | left

    def append(self, replies: Mapping[str, Reply]) -> None:
        """Adds replies by their keys, all in one file.

        Raises:
            GeminiSftError: It could not be written.
        """
        lines = [_encode(key, reply) for key, reply in replies.items()]
        name = f"{self._own}{time.time_ns():020d}-{secrets.token_hex(4)}.jsonl"
        storage.write_bytes(name, b"".join(lines), "application/jsonl")


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
                try:
                    await asyncio.to_thread(self._journal.append, together)
                except BaseException:
                    self._pending |= together  # the others that wait here are not told that all is well
                    raise


def sweep(folder: str, run_id: str) -> None:
    """Deletes what a run that has come to its end has kept in the journals below a folder, and what is too old for any.

    Raises:
        GeminiSftError: It could not be listed or deleted.
    """
    oldest = time.time_ns() - _KEPT_SECONDS * 10**9
    for name in storage.list_files(folder, deep=True):
        *_, run, file = name.split("/")
        stamp = file.partition("-")[0]
        if run == run_id or (len(stamp) == 20 and stamp.isdigit() and int(stamp) < oldest):
            storage.delete(name)


def _read(name: str) -> bytes:
    with suppress(UserError):  # another run has come to its end meanwhile
        return storage.read_bytes(name)
    return b""


def _encode(key: str, reply: Reply) -> bytes:
    record = orjson.dumps({"key": key, "at": int(time.time()), "reply": reply.model_dump(mode="json")})
    return xxhash.xxh3_64_hexdigest(record).encode() + b" " + record + b"\n"


def _decode(line: bytes) -> tuple[str, int, Reply]:
    """Returns key, time and reply of a record.

    Raises:
        ValueError: It is damaged or foreign.
    """
    check, _, content = line.partition(b" ")
    if check != xxhash.xxh3_64_hexdigest(content).encode():
        raise ValueError("another checksum")
    try:
        record = msgspec.json.decode(content, type=_Record)
        return record.key, record.at, Reply.model_validate_json(bytes(record.reply))
    except (msgspec.MsgspecError, ValidationError) as error:
        raise ValueError("of another version") from error
