"""A Secret Manager that knows one call, `versions.access`, as its reference has it.

https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
"""

import base64
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CODES = {400: "FAILED_PRECONDITION", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}


@dataclass
class SecretManager:
    """The service.

    Attributes:
        secrets: The versions of each secret by its name, the oldest first; None for a disabled one.
        forbidden: Names of secrets that may not be read.
        trouble: Statuses of the next answers, whatever is asked.
        asked: The path of every request.
    """

    secrets: dict[str, list[str | None]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    trouble: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def routes(self) -> list[Route]:
        """What it serves."""
        return [Route("/v1/projects/{project}/secrets/{secret}/versions/{version}:access", self.access)]

    async def access(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        if self.trouble:
            return _refusal(self.trouble.pop(0), "The service is currently unavailable.")
        project, secret, version = (request.path_params[one] for one in ("project", "secret", "version"))
        name = f"projects/{project}/secrets/{secret}"
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return _refusal(401, "Request is missing required authentication credential.")
        if name in self.forbidden:
            return _refusal(403, f"Permission 'secretmanager.versions.access' denied for resource '{name}'")
        versions = self.secrets.get(name, [])
        number = len(versions) if version == "latest" else int(version) if version.isdigit() else 0
        if not 0 < number <= len(versions):
            return _refusal(404, f"Secret [{name}] not found or has no versions.")
        value = versions[number - 1]
        if value is None:
            return _refusal(400, f"Secret Version [{name}/versions/{number}] is in DISABLED state.")
        data = base64.b64encode(value.encode()).decode()
        return JSONResponse({"name": f"{name}/versions/{number}", "payload": {"data": data, "dataCrc32c": "1"}})


def _refusal(code: int, message: str) -> Response:
    status = CODES.get(code, "UNAVAILABLE")
    return JSONResponse({"error": {"code": code, "message": message, "status": status}}, code)
