"""Schedules: create, get, list, update, pause, resume, delete; and the pipeline jobs that they start when it is time.

`PUT /emulator/schedules` sets the clock that they go by, and nothing else does; see `clock` and docs/emulator.md.
"""

from vertex_emulator.schedules.handlers import routes

__all__ = ["routes"]
