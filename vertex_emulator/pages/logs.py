"""What a task has written."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vertex_emulator.logs.entries import messages_of
from vertex_emulator.pages.tasks import Task

if TYPE_CHECKING:
    from vertex_emulator.emulator import Emulator

_MOST_CHARACTERS = 200_000


@dataclass(frozen=True)
class Log:
    """The end of what all attempts of a task have written; `cut` says whether there was more."""

    text: str
    cut: bool


def log_of(emulator: "Emulator", task: Task) -> Log | None:
    """Returns what a task has written; None if it never began, or is no process."""
    container = task.detail.get("executorDetail", {}).get("containerDetail", {})
    jobs = [*container.get("failedMainJobs", []), *([container["mainJob"]] if "mainJob" in container else [])]
    if not jobs:
        return None
    text = "\n".join(line for job in jobs for line in messages_of(emulator.database, emulator.data_dir, job))
    return Log(text[-_MOST_CHARACTERS:], len(text) > _MOST_CHARACTERS)
