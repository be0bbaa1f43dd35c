"""Resource names: `projects/{project}/locations/{location}/...`.

Clients send the project's id, Vertex answers with its number; both mean the same resource. The emulator has no list of
projects: every id that is asked for exists, and its number is derived from it.
"""

import re
import zlib

from starlette.requests import Request

from vertex_emulator.database import Database
from vertex_emulator.errors import invalid

_PROJECT = re.compile(r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$|^[0-9]+$")
_LOCATION = re.compile(r"^[a-z]+(-[a-z]+[0-9]+)?$")


def project_number(project: str) -> str:
    """Returns the 12-digit number of a project id; a number stands for itself."""
    if project.isdigit():
        return project
    return str(100_000_000_000 + zlib.crc32(project.encode()))


def location_of(request: Request) -> str:
    """Returns the canonical `projects/NUMBER/locations/LOCATION` that a request's path speaks of.

    Raises:
        ApiError: 400 for a project or location that no name can have.
    """
    project, location = request.path_params["project"], request.path_params["location"]
    if not _PROJECT.match(project):
        raise invalid(f"Invalid resource name: '{project}' is not a project id or number.", "name")
    if not _LOCATION.match(location):
        raise invalid(f"Invalid resource name: '{location}' is not a location.", "name")
    return f"projects/{project_number(project)}/locations/{location}"


def canonical(name: str) -> str:
    """Returns a full resource name with the project's number in place of its id; other text as it is."""
    parts = name.split("/")
    if len(parts) > 1 and parts[0] == "projects":
        parts[1] = project_number(parts[1])
    return "/".join(parts)


def new_name(database: Database, parent: str, kind: str) -> str:
    """Returns a fresh resource name `{parent}/{kind}/{number}`."""
    return f"{parent}/{kind}/{database.next_id(kind)}"


def operation_name(database: Database, location: str) -> str:
    """Returns a fresh name for a long-running operation in a location."""
    return new_name(database, location, "operations")
