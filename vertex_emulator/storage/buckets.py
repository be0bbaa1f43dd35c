"""Buckets and their IAM policies: what is remembered, and the resource that clients see."""

import base64
import re
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.names import project_number
from vertex_emulator.storage.errors import StorageError, bad_request, condition_not_met, no_such_bucket
from vertex_emulator.storage.fields import bucket_fields, merged
from vertex_emulator.storage.names import check_bucket_name
from vertex_emulator.wire import now

_KIND = "buckets"
_LOCATION = re.compile(r"[A-Z]+[0-9]*(-[A-Z]+[0-9]+)?")


class Buckets:
    """The buckets of all projects.

    A bucket is a dictionary in the form of the JSON API, without what depends on the emulator's address.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> dict[str, Any]:
        """Returns a bucket; 404 if there is none of that name."""
        document = self._database.get(_document_name(name))
        if document is None:
            raise no_such_bucket()
        bucket: dict[str, Any] = document["bucket"]
        return bucket

    def list(self, project: str) -> list[dict[str, Any]]:
        """Returns a project's buckets in the order of their names."""
        documents = self._database.list(_KIND, project_number(project))
        return sorted((document["bucket"] for document in documents), key=lambda bucket: str(bucket["name"]))

    def insert(self, project: str, body: dict[str, Any]) -> dict[str, Any]:
        """Makes a bucket.

        Raises:
            StorageError: 400 for a bad name, location or field, 409 if the name is taken.
        """
        fields = bucket_fields(body)
        name = check_bucket_name(str(body.get("name", "")))
        location = str(body.get("location") or "US").upper()
        if not _LOCATION.fullmatch(location):
            raise bad_request(f"The specified location constraint is not valid: '{location}'.")
        if self._database.get(_document_name(name)) is not None:
            raise StorageError(
                409,
                "conflict",
                "Your previous request to create the named bucket succeeded and you already own it.",
            )
        created = now()
        defaults: dict[str, Any] = {
            "kind": "storage#bucket",
            "id": name,
            "name": name,
            "projectNumber": project_number(project),
            "metageneration": "1",
            "location": location,
            "locationType": "region" if "-" in location else "multi-region",
            "storageClass": "STANDARD",
            "timeCreated": created,
            "updated": created,
            "iamConfiguration": {
                "bucketPolicyOnly": {"enabled": False},
                "uniformBucketLevelAccess": {"enabled": False},
                "publicAccessPrevention": "inherited",
            },
        }
        bucket = _with_etag(merged(defaults, fields))
        self._database.put(_KIND, bucket["projectNumber"], {"name": _document_name(name), "bucket": bucket})
        return bucket

    def update(self, bucket: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
        """Merges `changes` into a bucket's settable fields and returns it."""
        changed = merged(bucket, changes)
        changed |= {"metageneration": str(int(bucket["metageneration"]) + 1), "updated": now()}
        document = self._database.get(_document_name(bucket["name"])) or {}
        document["bucket"] = _with_etag(changed)
        self._database.put(_KIND, bucket["projectNumber"], document)
        return changed

    def delete(self, name: str) -> None:
        """Forgets a bucket and its policy."""
        self._database.delete(_document_name(name))

    def policy(self, name: str) -> dict[str, Any]:
        """Returns a bucket's IAM policy; nobody checks it."""
        self.get(name)
        document = self._database.get(_document_name(name)) or {}
        default = {"version": 1, "etag": "CAE=", "bindings": []}
        policy: dict[str, Any] = document.get("policy", default)
        return {"kind": "storage#policy", "resourceId": f"projects/_/buckets/{name}", **policy}

    def set_policy(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Replaces a bucket's IAM policy and returns it; 412 if its `etag` is not the present one."""
        etag = self.policy(name)["etag"]
        if body.get("etag", etag) != etag:
            raise condition_not_met()
        document = self._database.get(_document_name(name)) or {}
        number = int.from_bytes(base64.b64decode(etag), "big") + 1
        policy = {"version": body.get("version", 1), "bindings": body.get("bindings", [])}
        document["policy"] = policy | {"etag": base64.b64encode(number.to_bytes(8, "big")).decode()}
        self._database.put(_KIND, document["bucket"]["projectNumber"], document)
        return self.policy(name)


def bucket_resource(bucket: dict[str, Any], url: str) -> dict[str, Any]:
    """Returns the `storage#bucket` with its link below `url`."""
    return {**bucket, "selfLink": f"{url}/storage/v1/b/{bucket['name']}"}


def _with_etag(bucket: dict[str, Any]) -> dict[str, Any]:
    bucket["etag"] = base64.b64encode(bucket["metageneration"].encode()).decode()
    return bucket


def _document_name(name: str) -> str:
    return f"b/{name}"
