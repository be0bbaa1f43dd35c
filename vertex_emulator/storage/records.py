"""What is remembered of an object, and the resource that clients see."""

import base64
import mimetypes
import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from vertex_emulator.storage.hashing import Checksums
from vertex_emulator.wire import now


@dataclass
class ObjectRecord:
    """The live generation of one object.

    Attributes:
        bucket: The bucket's name.
        name: The object's name.
        generation: Number of the content; grows with every new content.
        size: Bytes.
        mtime_ns: When the file was last changed; with `size`, tells whether another process has changed it since.
        time_created: When this generation was made.
        updated: When the metadata last changed.
        fields: What clients may set, under the names of the JSON API.
        metageneration: Number of the metadata of this generation, from 1.
        crc32c: Base64; empty until it was computed.
        md5: Base64; empty until it was computed, and for composite objects, as on Google's side.
        components: How many uploads a composite object is made of; 0 for others.
    """

    bucket: str
    name: str
    generation: int
    size: int
    mtime_ns: int
    time_created: str = field(default_factory=now)
    updated: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    metageneration: int = 1
    crc32c: str = ""
    md5: str = ""
    components: int = 0

    @classmethod
    def found(cls, bucket: str, name: str, generation: int, seen: os.stat_result) -> "ObjectRecord":
        """Returns the record of a file that another process put there."""
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return cls(bucket, name, generation, seen.st_size, seen.st_mtime_ns, fields={"contentType": kind})

    @classmethod
    def load(cls, document: dict[str, Any]) -> "ObjectRecord":
        """Reads back what `document` gave."""
        return cls(**document["record"])

    def document(self) -> dict[str, Any]:
        """Returns the form in which the database keeps it."""
        return {"name": document_name(self.bucket, self.name), "record": vars(self)}

    def matches(self, seen: os.stat_result) -> bool:
        """Tells whether a file in this state is still the one that this record speaks of."""
        return (seen.st_size, seen.st_mtime_ns) == (self.size, self.mtime_ns)

    def take(self, checksums: Checksums) -> None:
        """Remembers the checksums of the content."""
        self.crc32c = checksums.crc32c
        self.md5 = "" if self.components else checksums.md5

    @property
    def etag(self) -> str:
        """Changes with the content and with the metadata."""
        return base64.urlsafe_b64encode(f"{self.generation}/{self.metageneration}".encode()).decode()

    def resource(self, url: str) -> dict[str, Any]:
        """Returns the `storage#object`, with links below `url`."""
        path = f"/storage/v1/b/{self.bucket}/o/{quote(self.name, safe='')}"
        resource: dict[str, Any] = {
            "kind": "storage#object",
            "id": f"{self.bucket}/{self.name}/{self.generation}",
            "selfLink": f"{url}{path}",
            "mediaLink": f"{url}/download{path}?generation={self.generation}&alt=media",
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            "storageClass": "STANDARD",
            "size": str(self.size),
            "etag": self.etag,
            "timeCreated": self.time_created,
            "updated": self.updated or self.time_created,
            "timeStorageClassUpdated": self.time_created,
            **self.fields,
        }
        if self.crc32c:
            resource["crc32c"] = self.crc32c
        if self.md5:
            resource["md5Hash"] = self.md5
        if self.components:
            resource["componentCount"] = self.components
        return resource


def document_name(bucket: str, name: str) -> str:
    """Returns the name under which the database keeps an object's record."""
    return f"b/{bucket}/o/{name}"
