"""Cloud Logging, as far as it has the lines that tasks of pipelines write: `entries:list`."""

from vertex_emulator.logs.handlers import routes

__all__ = ["routes"]
