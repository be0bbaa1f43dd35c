"""The pages of the emulator, where people look: runs, their tasks and artifacts, two runs side by side, schedules."""

from vertex_emulator.pages.routes import refuse, routes

__all__ = ["refuse", "routes"]
