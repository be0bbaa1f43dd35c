"""The fates in force, and those that jobs have drawn."""

from typing import Any

import msgspec

from vertex_emulator.tuning.fates.rules import Control, Fate

_NONE = Fate()


class Fates:
    """Which fate a job has. Use from one thread."""

    def __init__(self) -> None:
        self._rules: list[Fate] = []
        self._left: list[int | None] = []
        self._drawn: dict[str, Fate] = {}

    def replace(self, control: Control) -> None:
        """Puts other fates in force; jobs keep what they have drawn."""
        self._rules = list(control.fates)
        self._left = [fate.times for fate in control.fates]

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The fates in force as JSON, `times` being how many jobs each still takes."""
        rules = zip(self._rules, self._left, strict=True)
        return [msgspec.to_builtins(msgspec.structs.replace(fate, times=left)) for fate, left in rules]

    def draw(self, name: str, job: dict[str, Any]) -> Fate:
        """Gives a new job its fate.

        Args:
            name: The job's resource name.
            job: Its document.
        """
        for number, fate in enumerate(self._rules):
            left = self._left[number]
            if left != 0 and fate.takes(job):
                self._left[number] = None if left is None else left - 1
                self._drawn[name] = fate
                break
        return self.of(name)

    def of(self, name: str) -> Fate:
        """Returns what a job has drawn; of one that goes its usual way, a fate with nothing in it."""
        return self._drawn.get(name, _NONE)

    def forget(self, name: str) -> None:
        """Drops the fate of a job that has ended."""
        self._drawn.pop(name, None)
