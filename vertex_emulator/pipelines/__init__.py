"""Pipeline jobs: create, get, list, cancel and delete. A job runs with `kfp.local` in a process of its own."""

from typing import Any

__all__ = ["routes"]


def __getattr__(name: str) -> Any:
    """Loads `routes` when a server asks for it: a job's process, which is of this package too, needs no server."""
    if name == "routes":
        from vertex_emulator.pipelines.handlers import routes

        return routes
    raise AttributeError(name)
