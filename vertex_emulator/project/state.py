"""What is not as it usually is: APIs that are off, permissions that the caller lacks."""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from vertex_emulator.errors import ApiError

_Api = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]*\.googleapis\.com$")]
_Permission = Annotated[str, Meta(pattern=r"^[a-z][A-Za-z0-9]*(\.[A-Za-z0-9]+){2,}$")]


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `PUT /emulator/project` may say.

    Attributes:
        disabled_apis: APIs that are not enabled, such as `storage.googleapis.com`.
        denied_permissions: What the caller may do nowhere, such as `storage.buckets.create`.
    """

    disabled_apis: frozenset[_Api] = frozenset()
    denied_permissions: frozenset[_Permission] = frozenset()


class Project:
    """The state of the emulator's projects, the same for all of them. It lasts as long as the process."""

    def __init__(self) -> None:
        self._control = Control()

    def replace(self, given: Any) -> None:
        """Puts something else in force.

        Raises:
            msgspec.ValidationError: It says something that `Control` has not; the old state stays in force.
        """
        self._control = msgspec.convert(given, Control)

    def enabled(self, api: str) -> bool:
        """Returns whether an API is enabled."""
        return api not in self._control.disabled_apis

    def allowed(self, permissions: Iterable[str]) -> list[str]:
        """Returns those of some permissions that the caller has, in the order in which they were asked for."""
        return [one for one in permissions if one not in self._control.denied_permissions]

    def require(self, api: str, project: str, permission: str = "") -> None:
        """Refuses a request to an API that is off, or that the caller may not make.

        Args:
            api: The API that the request is made to.
            project: Id or number of the project.
            permission: What the request needs; empty for nothing.

        Raises:
            ApiError: 403 PERMISSION_DENIED.
        """
        if not self.enabled(api):
            raise ApiError(
                "PERMISSION_DENIED",
                f"{api} has not been used in project {project} before or it is disabled. Enable it, then retry.",
                reason="SERVICE_DISABLED",
                metadata={"service": api, "consumer": f"projects/{project}"},
            )
        if permission and not self.allowed([permission]):
            raise ApiError(
                "PERMISSION_DENIED",
                f"Permission '{permission}' denied on resource '//{api}/projects/{project}'.",
                reason="AUTH_PERMISSION_DENIED",
                metadata={"permission": permission},
            )
