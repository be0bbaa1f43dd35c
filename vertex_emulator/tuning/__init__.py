"""Tuning jobs: supervised tuning as the service does it, on the stand-in model."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Gives `routes` when asked: the training process, which is below this package, starts without Google's SDK."""
    if name == "routes":
        from vertex_emulator.tuning.handlers import routes

        return routes
    raise AttributeError(name)
