"""What a client may set on a bucket or an object, and how a change is merged into it."""

from collections.abc import Mapping
from typing import Any

from vertex_emulator.storage.errors import bad_request, not_implemented

_TEXT = {"cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "contentType", "customTime"}
_OBJECT = _TEXT | {"metadata", "storageClass"}
_OBJECT_READ_ONLY = {
    "kind", "id", "name", "bucket", "selfLink", "mediaLink", "generation", "metageneration", "size", "md5Hash",
    "crc32c", "etag", "timeCreated", "updated", "timeStorageClassUpdated", "timeFinalized", "componentCount", "owner",
}  # fmt: skip
_OBJECT_UNSUPPORTED = {
    "acl", "contexts", "customerEncryption", "eventBasedHold", "kmsKeyName", "retention", "temporaryHold",
}  # fmt: skip
_BUCKET = {
    # Kept and shown; the emulator has no lifecycle, website, access log, soft deletion or access control.
    "cors", "iamConfiguration", "labels", "lifecycle", "logging", "softDeletePolicy", "storageClass", "website",
}  # fmt: skip
_BUCKET_READ_ONLY = {
    "kind", "id", "name", "selfLink", "projectNumber", "metageneration", "generation", "location", "locationType",
    "etag", "timeCreated", "updated", "owner", "satisfiesPZS", "satisfiesPZI",
}  # fmt: skip
_BUCKET_UNSUPPORTED = {
    "acl", "autoclass", "billing", "customPlacementConfig", "defaultEventBasedHold", "defaultObjectAcl", "encryption",
    "hierarchicalNamespace", "ipFilter", "objectRetention", "retentionPolicy", "rpo", "versioning",
}  # fmt: skip
_STORAGE_CLASSES = {
    "STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE", "MULTI_REGIONAL", "REGIONAL", "DURABLE_REDUCED_AVAILABILITY",
}  # fmt: skip


def object_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what of an object resource a client may set; fields that only Google sets are dropped.

    Raises:
        StorageError: 400 for a field that objects do not have or a value of the wrong type, 501 for a field that
            the emulator cannot honour.
    """
    chosen = _choose(body, _OBJECT, _OBJECT_READ_ONLY, _OBJECT_UNSUPPORTED)
    for key in _TEXT & chosen.keys():
        text = chosen[key]
        if text is not None and not (isinstance(text, str) and text.isprintable()):
            raise bad_request(f"Invalid value for field '{key}': {text!r}.")
    custom = chosen.get("metadata") or {}
    if not isinstance(custom, dict) or not all(isinstance(value, str | None) for value in custom.values()):
        raise bad_request("Invalid value for field 'metadata': a map of strings to strings is expected.")
    return chosen


def claimed_checksums(body: Mapping[str, Any]) -> dict[str, str]:
    """Returns the checksums that an object resource announces, base64 by `crc32c` and `md5`."""
    claims = {"crc32c": body.get("crc32c"), "md5": body.get("md5Hash")}
    return {kind: str(claim) for kind, claim in claims.items() if claim}


def bucket_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what of a bucket resource a client may set after its making; errors as in `object_fields`."""
    return _choose(body, _BUCKET, _BUCKET_READ_ONLY, _BUCKET_UNSUPPORTED)


def merged(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `current` changed as by a JSON merge patch (RFC 7396): null removes, objects are merged key by key."""
    result = dict(current)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = merged(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = value
    return result


def _choose(body: Mapping[str, Any], settable: set[str], read_only: set[str], unsupported: set[str]) -> dict[str, Any]:
    for key, value in body.items():
        if key in unsupported and _asks_for_something(value):
            raise not_implemented(f"The field '{key}'")
        if key not in settable | read_only | unsupported:
            raise bad_request(f"Unknown field '{key}'.")
    chosen = {key: value for key, value in body.items() if key in settable}
    storage_class = chosen.get("storageClass") or "STANDARD"
    if storage_class not in _STORAGE_CLASSES:
        raise bad_request(f"Invalid storage class: {storage_class!r}.")
    return chosen


def _asks_for_something(value: Any) -> bool:
    """Tells whether a value is other than null, false, empty, or an object of such values."""
    if isinstance(value, dict):
        return any(_asks_for_something(item) for item in value.values())
    return bool(value)
