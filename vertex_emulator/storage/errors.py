"""Refusals in Cloud Storage's own shape, which differs from that of the other Google services."""

import errno
from typing import Any

from vertex_emulator.errors import ApiError

_STATUS_NAMES = {
    304: "FAILED_PRECONDITION",
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    416: "OUT_OF_RANGE",
    499: "ABORTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    507: "RESOURCE_EXHAUSTED",
}
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StorageError(ApiError):
    """A refusal that reads `{"error": {"code", "message", "errors": [{"domain", "reason", "message"}]}}`.

    Args:
        code: The HTTP status.
        reason: Cloud Storage's camelCase word for it, such as `conditionNotMet`.
        message: What is wrong, for a person.
    """

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(_STATUS_NAMES[code], message)
        self.code = code
        self.reason = reason

    def body(self) -> dict[str, Any]:
        """Returns the JSON object of the answer."""
        detail = {"domain": "global", "reason": self.reason, "message": self.message}
        return {"error": {"code": self.code, "message": self.message, "errors": [detail]}}


def bad_request(message: str, reason: str = "invalid") -> StorageError:
    """Returns a 400."""
    return StorageError(400, reason, message)


def no_such_bucket() -> StorageError:
    """Returns a 404 in the words that Google uses for every missing bucket."""
    return StorageError(404, "notFound", "The specified bucket does not exist.")


def no_such_object(bucket: str, name: str) -> StorageError:
    """Returns a 404 for an object, or for a generation of it that is not the live one."""
    return StorageError(404, "notFound", f"No such object: {bucket}/{name}")


def condition_not_met() -> StorageError:
    """Returns a 412."""
    return StorageError(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")


def not_implemented(what: str) -> StorageError:
    """Returns a 501 for something that Cloud Storage has and this emulator has not."""
    return StorageError(501, "notImplemented", f"{what} is not implemented by this emulator.")


def storage_error(error: Exception) -> StorageError:
    """Returns the refusal that stands for an error raised elsewhere, such as by a full disk."""
    match error:
        case StorageError():
            return error
        case ApiError():
            return StorageError(error.code if error.code in _STATUS_NAMES else 500, "invalid", error.message)
        case OSError() if error.errno in _DISK_FULL:
            # Not one of the codes that the SDK retries: waiting frees no space.
            return StorageError(507, "insufficientStorage", f"The emulator's disk is full: {error}")
        case _:
            return StorageError(500, "internalError", f"{type(error).__name__}: {error}")
