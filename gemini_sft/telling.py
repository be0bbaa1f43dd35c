"""How far something is, told to whoever follows a run.

The log of a task is not where people wait for it, so a line is left in a small file of its own, where the command that
follows the run finds it.
"""

import time
from contextlib import suppress

from gemini_sft import storage
from gemini_sft.errors import GeminiSftError

FRESH_SECONDS = 30.0
"""For how long a line is true unless it says otherwise."""


def tell(uri: str, line: str, fresh_seconds: float = FRESH_SECONDS) -> None:
    """Leaves a line; that it could not be left is no reason for anything to fail."""
    with suppress(GeminiSftError):
        storage.write_json(uri, {"until": time.time() + fresh_seconds, "line": line})


def untell(uri: str) -> None:
    """Takes a line away."""
    with suppress(GeminiSftError):
        storage.delete(uri)


def lines(folder: str) -> list[str]:
    """Returns what is under way: the lines that were left in a folder and are not old."""
    found = []
    with suppress(Exception):  # nobody's run fails for want of a line
        for uri in storage.list_files(folder):
            document = storage.read_json(uri)
            if document["until"] > time.time():
                found.append(str(document["line"]))
    return found


def duration(seconds: float) -> str:
    """Returns a time in words, as rough as one is that is reckoned: `40 s`, `12 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
