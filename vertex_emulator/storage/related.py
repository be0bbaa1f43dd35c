"""The body of a multipart upload (`multipart/related`, RFC 2387): a JSON part, then the content."""

from collections.abc import AsyncIterator
from email.message import Message
from typing import Any

import orjson
from starlette.requests import Request

from vertex_emulator.storage.errors import bad_request

_LARGEST_HEAD = 1 << 20
"""Bytes that the headers of a part, or the metadata, may take."""


class RelatedBody:
    """Reads the two parts one after the other, in constant memory."""

    def __init__(self, request: Request) -> None:
        boundary = _boundary(request.headers.get("content-type", ""))
        self._delimiter = f"\r\n--{boundary}".encode()
        self._chunks = request.stream()
        # So that the first delimiter, which no line precedes, looks like the others.
        self._buffer = bytearray(b"\r\n")

    async def metadata(self) -> dict[str, Any]:
        """Returns the first part; to be called first."""
        await self._until(self._delimiter)
        await self._until(b"\r\n\r\n")
        raw = await self._until(self._delimiter)
        try:
            metadata = orjson.loads(raw or b"{}")
        except orjson.JSONDecodeError as error:
            raise bad_request(f"The metadata part is not JSON: {error}", "parseError") from error
        if not isinstance(metadata, dict):
            raise bad_request("The metadata part is not a JSON object.", "parseError")
        return metadata

    async def content_type(self) -> str | None:
        """Returns the type that the second part declares; to be called second."""
        head = await self._until(b"\r\n\r\n")
        for line in head.decode("latin-1").split("\r\n"):
            key, _, value = line.partition(":")
            if key.strip().lower() == "content-type":
                return value.strip()
        return None

    async def content(self) -> AsyncIterator[bytes]:
        """Yields the second part; to be called last.

        Raises:
            StorageError: 400 if the body ends before the closing delimiter, or a third part follows.
        """
        keep = len(self._delimiter) - 1
        while (end := self._buffer.find(self._delimiter)) < 0:
            if len(self._buffer) > keep:
                yield bytes(self._buffer[:-keep])
                del self._buffer[:-keep]
            await self._more()
        yield bytes(self._buffer[:end])
        del self._buffer[: end + len(self._delimiter)]
        while len(self._buffer) < 2:
            await self._more()
        if not self._buffer.startswith(b"--"):
            raise bad_request("Multipart upload with more than two parts.")

    async def _until(self, mark: bytes) -> bytes:
        """Returns what comes before `mark` and drops both."""
        while (end := self._buffer.find(mark)) < 0:
            if len(self._buffer) > _LARGEST_HEAD:
                raise bad_request("The metadata of a multipart upload is too long, or a boundary is missing.")
            await self._more()
        found = bytes(self._buffer[:end])
        del self._buffer[: end + len(mark)]
        return found

    async def _more(self) -> None:
        try:
            self._buffer += await anext(self._chunks)
        except StopAsyncIteration:
            raise bad_request("Malformed multipart body: it ends before the closing boundary.") from None


def _boundary(content_type: str) -> str:
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/related" or not boundary:
        raise bad_request(f"Content-Type multipart/related with a boundary is expected, not '{content_type}'.")
    return boundary
