"""Who may make the job of an intent: one at a time.

Vertex AI would make every job that it is asked for, so two runs that begin at once must agree before they ask. An
object in the bucket is the token: Cloud Storage makes it for one of them only (`ifGenerationMatch=0`), and lets only
one replace the token of somebody who is gone.
"""

import contextlib
import time

import orjson

from gemini_sft import storage
from gemini_sft.refusals import refusals

STALE_SECONDS = 150.0
"""How long a token must have stood unchanged, with no job to be found, until its holder is taken to be gone: longer
than a request for a job may take and the job then needs to show itself."""


class Claim:
    """The token of one intent.

    Args:
        uri: Of the object, at `gs://`; None if nobody else can make the job, and then it is always to be had.
        holder: Who we are, for people who look into the bucket.

    Attributes:
        held: Whether it is ours.
    """

    def __init__(self, uri: str | None, holder: str) -> None:
        self._uri, self._holder = uri, holder
        self._generation = 0
        self._seen: tuple[int, float] | None = None
        self.held = uri is None

    def take(self) -> bool:
        """Tries to get the token: it is free, or its holder is gone. Returns whether it is ours now."""
        if not self.held:
            self.held = self._put(0) or self._inherit()
        return self.held

    def renew(self) -> bool:
        """Makes the token young again, just before it is used; returns whether it is still ours."""
        if self._uri:
            self.held = self.held and self._put(self._generation)
        return self.held

    def release(self) -> None:
        """Gives the token back, if it is ours."""
        from google.api_core.exceptions import NotFound, PreconditionFailed

        if self.held and self._uri:
            # That it has another generation means that somebody took us to be gone.
            with refusals(self._uri, "deleted"), contextlib.suppress(NotFound, PreconditionFailed):
                storage.blob(self._uri).delete(if_generation_match=self._generation)
            self.held = False

    def _inherit(self) -> bool:
        """Takes the token of a holder who is gone: one that we have seen unchanged for long, by our own clock."""
        assert self._uri is not None
        token = storage.blob(self._uri)
        with refusals(self._uri):
            found = token.bucket.get_blob(token.name)
        if found is None:
            return False
        generation = int(found.generation or 0)
        if self._seen is None or self._seen[0] != generation:
            self._seen = (generation, time.monotonic())
        return time.monotonic() - self._seen[1] >= STALE_SECONDS and self._put(generation)

    def _put(self, generation: int) -> bool:
        """Writes the token over one of that generation, or over none if it is 0; returns whether that was so."""
        from google.api_core.exceptions import PreconditionFailed

        assert self._uri is not None
        token = storage.blob(self._uri)
        content = orjson.dumps({"run": self._holder})
        with refusals(self._uri, "written"):
            try:
                token.upload_from_string(content, content_type="application/json", if_generation_match=generation)
            except PreconditionFailed:
                return False
        self._generation = int(token.generation or 0)
        return True
