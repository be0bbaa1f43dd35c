"""How the emulator's modules declare the routes that they serve."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from vertex_emulator.emulator import Emulator

Handler = Callable[[Request], Awaitable[Response]]

LOCATION = "projects/{project}/locations/{location}"


def vertex(method: str, path: str, handler: Handler) -> list[Route]:
    """Returns the routes that serve `path` (without its API version) in v1 and v1beta1.

    Routes with a custom verb (`{id}:cancel`) must be declared before those without (`{id}`).
    """
    return [Route(f"/{version}/{path}", handler, methods=[method]) for version in ("v1", "v1beta1")]


def emulator_of(request: Request) -> "Emulator":
    """Returns the emulator that serves a request."""
    emulator: Emulator = request.app.state.emulator
    return emulator
