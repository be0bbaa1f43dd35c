"""Finds in a task's output why it failed."""

import re
import signal

_TRACEBACK = re.compile(r"^Traceback \(most recent call last\):$", re.MULTILINE)
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LENGTH = 1000
_LAST_LINES = 5


def cause_of(output: str, exit_code: int) -> str:
    """Returns the exception that ended a process, or the best that can be said instead.

    Args:
        output: What the process wrote, or the end of it.
        exit_code: What it ended with, as `subprocess` or a shell tells it; not 0.

    Returns:
        `SomeError: text` with the further lines of its text, or the last lines of the output; for a process that a
        signal killed, which one. At most 1000 characters.
    """
    killed_by = _signal(exit_code)
    if killed_by:
        return f"the process was killed by {killed_by} (exit code {exit_code})"
    text = without_colors(output).strip()
    starts = list(_TRACEBACK.finditer(text))
    if not starts:
        last = "\n".join(text.splitlines()[-_LAST_LINES:])
        return _cut(f"exit code {exit_code}: {last}" if last else f"exit code {exit_code} without a word")
    lines = text[starts[-1].end() :].strip("\n").splitlines()
    message = next((index for index, line in enumerate(lines) if line and not line[0].isspace()), 0)
    return _cut("\n".join(lines[message:]))


def without_colors(text: str) -> str:
    """Returns `text` without ANSI escape sequences."""
    return _ESCAPE.sub("", text)


def _cut(text: str) -> str:
    return text if len(text) <= _LENGTH else text[: _LENGTH - 1] + "…"


def _signal(exit_code: int) -> str | None:
    number = -exit_code if exit_code < 0 else exit_code - 128
    try:
        return signal.Signals(number).name
    except ValueError:
        return None
