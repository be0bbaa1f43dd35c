"""Conditions that a request puts on the object's live generation.

Meaning: https://cloud.google.com/storage/docs/request-preconditions
"""

from dataclasses import dataclass

from starlette.requests import Request

from vertex_emulator.storage.errors import StorageError, condition_not_met
from vertex_emulator.storage.parameters import integer
from vertex_emulator.storage.records import ObjectRecord


@dataclass(frozen=True)
class Preconditions:
    """What must hold; a missing condition is None. Generation 0 stands for "there is no such object"."""

    generation: int | None = None
    not_generation: int | None = None
    metageneration: int | None = None
    not_metageneration: int | None = None
    etags: tuple[str, ...] | None = None
    not_etags: tuple[str, ...] | None = None

    @classmethod
    def of(cls, request: Request) -> "Preconditions":
        """Reads the conditions on the object that the request's URL names, or writes to."""
        query, headers = request.query_params, request.headers
        return cls(
            integer(query, "ifGenerationMatch"),
            integer(query, "ifGenerationNotMatch"),
            integer(query, "ifMetagenerationMatch"),
            integer(query, "ifMetagenerationNotMatch"),
            _etags(headers.get("if-match")),
            _etags(headers.get("if-none-match")),
        )

    @classmethod
    def of_source(cls, request: Request) -> "Preconditions":
        """Reads the conditions on the object that is copied."""
        query = request.query_params
        return cls(
            integer(query, "ifSourceGenerationMatch"),
            integer(query, "ifSourceGenerationNotMatch"),
            integer(query, "ifSourceMetagenerationMatch"),
            integer(query, "ifSourceMetagenerationNotMatch"),
        )

    def check(self, live: ObjectRecord | None, *, reading: bool = False) -> None:
        """Compares with the live generation.

        Raises:
            StorageError: 412; or 304 for a read whose only fault is that the client has this version already.
        """
        generation, metageneration = (live.generation, live.metageneration) if live else (0, 0)
        etag = live.etag if live else ""
        if (
            self.generation not in (None, generation)
            or self.metageneration not in (None, metageneration)
            or (self.etags is not None and not _matches(self.etags, etag))
        ):
            raise condition_not_met()
        if (
            self.not_generation == generation
            or (self.not_metageneration == metageneration and live)
            or (self.not_etags is not None and _matches(self.not_etags, etag))
        ):
            raise StorageError(304, "notModified", "Not Modified") if reading and live else condition_not_met()


def _etags(header: str | None) -> tuple[str, ...] | None:
    if header is None:
        return None
    return tuple(item.strip().removeprefix("W/").strip('"') for item in header.split(","))


def _matches(etags: tuple[str, ...], etag: str) -> bool:
    return bool(etag) and ("*" in etags or etag in etags)
