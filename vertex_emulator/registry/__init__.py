"""The model registry: models with their versions, aliases and evaluations, and Google's own models."""

from vertex_emulator.registry import evaluations, publishers, requests
from vertex_emulator.registry.models import (
    add_version,
    fetch_version,
    find_by_display_name,
    link_endpoint,
    unlink_endpoint,
)

__all__ = [
    "add_version",
    "fetch_version",
    "find_by_display_name",
    "link_endpoint",
    "routes",
    "unlink_endpoint",
]

routes = [*evaluations.routes, *requests.routes, *publishers.routes]
