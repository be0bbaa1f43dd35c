"""Errors in the shape that Google's REST services answer with."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_HTTP_CODES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
}

RPC_CODES = {
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "DATA_LOSS": 15,
    "UNAUTHENTICATED": 16,
}
"""`google.rpc.Code` numbers, as they stand in the `error` field of a resource."""


class ApiError(Exception):
    """A refusal, carried to the client as `{"error": {"code", "message", "status", "details"}}`.

    Args:
        status: A canonical gRPC status name, such as `INVALID_ARGUMENT`; it fixes the HTTP code.
        message: What is wrong, for a person.
        field: The offending field, added to `details` as a `google.rpc.BadRequest` violation.
        reason: Why, in one word for programs, added to `details` as a `google.rpc.ErrorInfo`.
        metadata: What that speaks of.
    """

    def __init__(
        self,
        status: str,
        message: str,
        *,
        field: str | None = None,
        reason: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = _HTTP_CODES[status]
        self.message = message
        self.details: Sequence[Mapping[str, Any]] = ()
        if field is not None:
            violation = {"field": field, "description": message}
            self.details = [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
        if reason is not None:
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
            self.details = [*self.details, {**info, "metadata": dict(metadata or {})}]

    def body(self) -> dict[str, Any]:
        """Returns the JSON object of the answer."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def invalid(message: str, field: str | None = None) -> ApiError:
    """Returns a 400 INVALID_ARGUMENT that names `field`."""
    return ApiError("INVALID_ARGUMENT", message, field=field)


def not_found(what: str) -> ApiError:
    """Returns a 404 for the resource `what`."""
    return ApiError("NOT_FOUND", f"{what} is not found.")


async def answer_error(request: Request, error: Exception) -> Response:
    """Starlette exception handler for `ApiError`."""
    assert isinstance(error, ApiError)
    return JSONResponse(error.body(), status_code=error.code)
