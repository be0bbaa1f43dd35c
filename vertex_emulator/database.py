"""The emulator's memory: every resource as a JSON document, in one SQLite file that survives a kill."""

import os
import sqlite3
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import orjson

_DISK_FAILURE = 3


class Database:
    """Documents by resource name.

    A document belongs to a `kind` (such as `tuningJobs`) and a `parent` (the resource name it is listed under). Every
    write is a transaction of its own. Use from one thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE IF NOT EXISTS documents (
                serial INTEGER PRIMARY KEY AUTOINCREMENT,
                name TEXT NOT NULL UNIQUE,
                kind TEXT NOT NULL,
                parent TEXT NOT NULL,
                body BLOB NOT NULL
            );
            CREATE INDEX IF NOT EXISTS by_parent ON documents (kind, parent, serial);
            CREATE TABLE IF NOT EXISTS counters (kind TEXT PRIMARY KEY, last INTEGER NOT NULL);
            """
        )

    def next_id(self, kind: str) -> str:
        """Returns a new number for a resource of `kind`, never given before: 19 digits, as Vertex's are.

        What is of another kind has other numbers, or a person would take the one for the other.
        """
        (last,) = self._connection.execute(
            "INSERT INTO counters VALUES (?, 1) ON CONFLICT (kind) DO UPDATE SET last = last + 1 RETURNING last",
            (kind,),
        ).fetchone()
        # An odd multiplier modulo 2^62 is a bijection: numbers look random, never meet, and do not tell their order.
        mixed = last * 2_862_933_555_777_941_757 + zlib.crc32(kind.encode()) * 1_181_783_497_276_652_981
        return str(1_000_000_000_000_000_000 + mixed % 2**62)

    def put(self, kind: str, parent: str, document: dict[str, Any]) -> None:
        """Stores `document` under its own `name`, replacing an earlier one."""
        try:
            self._connection.execute(
                "INSERT INTO documents (name, kind, parent, body) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET body = excluded.body",
                (document["name"], kind, parent, orjson.dumps(document)),
            )
        except sqlite3.OperationalError as error:
            self._give_up(error)

    def get(self, name: str) -> dict[str, Any] | None:
        """Returns the document named `name`, or None."""
        row = self._connection.execute("SELECT body FROM documents WHERE name = ?", (name,)).fetchone()
        return None if row is None else dict(orjson.loads(row[0]))

    def list(self, kind: str, parent: str | None = None) -> list[dict[str, Any]]:
        """Returns the documents of a kind in the order of their making, of one parent or of all."""
        where, arguments = ("AND parent = ?", (kind, parent)) if parent is not None else ("", (kind,))
        rows = self._connection.execute(f"SELECT body FROM documents WHERE kind = ? {where} ORDER BY serial", arguments)
        return [dict(orjson.loads(body)) for (body,) in rows]

    def parts(
        self, kind: str, parent: str | None, paths: Sequence[str], limit: int = -1, skipped: int = 0
    ) -> Sequence[dict[str, Any]]:
        """Returns a few fields of each document of a kind, the last made first.

        Where documents are large, as pipeline jobs are, this takes a twentieth of the time of reading them whole, and
        no memory to speak of.

        Args:
            kind: The kind.
            parent: Of what; None for all.
            paths: The fields besides `name`, with dots between the steps: `pipelineSpec.pipelineInfo`.
            limit: How many documents at most; -1 for all.
            skipped: How many of the newest to leave out.

        Returns:
            Documents that have only these fields, as far as they are there and not null.
        """
        where, given = ("AND parent = ?", [kind, parent]) if parent is not None else ("", [kind])
        marks = ", ?" * len(paths)
        rows = self._connection.execute(
            f"SELECT json_extract(CAST(body AS TEXT), '$.name'{marks}) FROM documents WHERE kind = ? {where}"
            " ORDER BY serial DESC LIMIT ? OFFSET ?",
            [*(f"$.{path}" for path in paths), *given, limit, skipped],
        )
        return [_nested(["name", *paths], orjson.loads(row)) for (row,) in rows]

    def newest(self, kind: str, limit: int) -> Sequence[dict[str, Any]]:
        """Returns at most `limit` documents of a kind, the last made first."""
        rows = self._connection.execute(
            "SELECT body FROM documents WHERE kind = ? ORDER BY serial DESC LIMIT ?", (kind, limit)
        )
        return [dict(orjson.loads(body)) for (body,) in rows]

    def count(self, kind: str) -> int:
        """Returns how many documents of a kind there are."""
        (found,) = self._connection.execute("SELECT COUNT(*) FROM documents WHERE kind = ?", (kind,)).fetchone()
        return int(found)

    def delete(self, name: str) -> bool:
        """Forgets a document; tells whether there was one."""
        return self._connection.execute("DELETE FROM documents WHERE name = ?", (name,)).rowcount > 0

    def _give_up(self, error: sqlite3.Error) -> NoReturn:
        """Ends the process: what it cannot remember it must not go on to tell, and nobody would see a job end."""
        remedy = "free some space, or choose another --data-dir"
        print(f"vertex_emulator: cannot write to {self._path.parent} ({error}): {remedy}", file=sys.stderr, flush=True)
        os._exit(_DISK_FAILURE)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()


def _nested(paths: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for path, value in zip(paths, values, strict=True):
        *steps, last = path.split(".")
        if value is not None:
            into = document
            for step in steps:
                into = into.setdefault(step, {})
            into[last] = value
    return document
