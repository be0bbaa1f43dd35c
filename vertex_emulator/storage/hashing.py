"""The two checksums that Cloud Storage keeps of every object."""

import base64
import hashlib
from typing import BinaryIO

import google_crc32c

from vertex_emulator.storage.errors import bad_request

BLOCK = 1 << 20
"""Bytes read, hashed or written at a time."""


class Checksums:
    """CRC32C and MD5 of bytes that arrive in pieces."""

    def __init__(self) -> None:
        self._crc32c = 0
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, data: bytes) -> None:
        """Takes in the next piece."""
        self._crc32c = google_crc32c.extend(self._crc32c, data)
        self._md5.update(data)

    @property
    def crc32c(self) -> str:
        """Big-endian CRC32C in base64."""
        return base64.b64encode(self._crc32c.to_bytes(4, "big")).decode()

    @property
    def md5(self) -> str:
        """MD5 in base64."""
        return base64.b64encode(self._md5.digest()).decode()

    @property
    def md5_hex(self) -> str:
        """MD5 in hexadecimal, as the XML API's ETags are."""
        return self._md5.hexdigest()

    def verify(self, expected: dict[str, str]) -> None:
        """Compares with what the client says it sent.

        Args:
            expected: Base64 by `crc32c` and `md5`; either may be missing.

        Raises:
            StorageError: 400 if one differs.
        """
        for kind, actual in (("crc32c", self.crc32c), ("md5", self.md5)):
            claimed = expected.get(kind, actual)
            if claimed != actual:
                raise bad_request(
                    f"Provided {kind.upper()} hash '{claimed}' doesn't match calculated {kind.upper()} hash '{actual}'."
                )


def checksums_of(file: BinaryIO) -> Checksums:
    """Reads a whole file; to be called in a worker thread."""
    checksums = Checksums()
    while block := file.read(BLOCK):
        checksums.update(block)
    return checksums


def claimed_in_headers(values: list[str]) -> dict[str, str]:
    """Returns the base64 checksums in `X-Goog-Hash: crc32c=...,md5=...` headers, by kind."""
    pairs = (item.strip().partition("=") for value in values for item in value.split(","))
    return {kind: text for kind, _, text in pairs if kind in ("crc32c", "md5")}
