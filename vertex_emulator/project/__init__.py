"""What Google Cloud says of a project: which APIs are enabled, who may do what, how much of something it may use.

Three services play together: Service Usage, Resource Manager, and IAM. All is enabled and allowed unless
`PUT /emulator/project` says otherwise; see docs/emulator.md.
"""

from vertex_emulator.project.handlers import routes
from vertex_emulator.project.state import Project

__all__ = ["Project", "routes"]
