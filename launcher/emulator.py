"""The emulator that a command uses: one that is open on the data directory, or one started for the command alone."""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from gemini_sft.errors import RunError, UserError

_START_SECONDS = 60
_STOP_SECONDS = 10
_LOCK = "lock"
_ANNOUNCEMENT = "emulator.json"


class EmulatorProcess:
    """An emulator in a process of its own.

    Its standard input is a pipe from us: when we are gone, however that came, it reads the end and stops.
    """

    def __init__(self, data_dir: Path) -> None:
        """Starts it; it is not ready before `environment` has returned."""
        command = [sys.executable, "-m", "vertex_emulator", "--json", "--until-stdin-closes"]
        self._process = subprocess.Popen(
            [*command, "--data-dir", str(data_dir.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # An interrupt at the terminal is for us to handle: we end the emulator when the job is cancelled.
            start_new_session=True,
        )
        # Somebody must read it, or the emulator would stand still when the pipe is full.
        self._said: deque[str] = deque(maxlen=20)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def environment(self) -> dict[str, str]:
        """Waits until it answers, and returns the variables that lead to it.

        Raises:
            UserError: It could not start: the data directory or port is taken or cannot be written.
            RunError: It ended without saying why, or is not ready in time.
        """
        assert self._process.stdout is not None
        timer = threading.Timer(_START_SECONDS, self._process.kill)
        timer.daemon = True  # an interrupt may come before the next line
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if line:
            environment: dict[str, str] = json.loads(line)["environment"]
            return environment
        code = self._process.wait()
        said = self._last_words()
        if code == 2:
            raise UserError(said)
        raise RunError(f"the emulator did not start (exit code {code}): {said}")

    def require_alive(self) -> None:
        """Checks that it still runs.

        Raises:
            RunError: It has ended.
        """
        code = self._process.poll()
        if code is not None:
            said = self._last_words()
            raise RunError(f"the emulator ended in the middle of the run (exit code {code}): {said}")

    def _last_words(self) -> str:
        """Returns the last line that it wrote before it ended."""
        self._listener.join(1)
        return self._said[-1].removeprefix("vertex_emulator: ") if self._said else "start the run again"

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.strip():
                self._said.append(line.strip())

    def stop(self) -> None:
        """Ends it and everything that it runs."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class StandingEmulator:
    """An emulator that somebody keeps open on a data directory (`gemini-sft emulator`), and that outlives us."""

    def __init__(self, data_dir: Path, announcement: str) -> None:
        self._data_dir = data_dir
        self._announcement = announcement

    @classmethod
    def find(cls, data_dir: Path) -> "StandingEmulator | None":
        """Returns the one that serves a data directory; None if none does, or one that is another command's alone."""
        announcement = _announced(data_dir)
        return None if announcement is None or _is_free(data_dir) else cls(data_dir, announcement)

    def environment(self) -> dict[str, str]:
        """Returns the variables that lead to it."""
        environment: dict[str, str] = json.loads(self._announcement)["environment"]
        return environment

    def require_alive(self) -> None:
        """Checks that it is still the one that serves the data directory.

        Raises:
            RunError: It has ended.
        """
        if _announced(self._data_dir) != self._announcement or _is_free(self._data_dir):
            raise RunError(
                f"the emulator that was open on {self._data_dir} ended in the middle of the run: its own terminal may"
                " say why; start the run again"
            )


def _announced(data_dir: Path) -> str | None:
    try:
        return (data_dir / _ANNOUNCEMENT).read_text("utf-8")
    except OSError:
        return None


def _is_free(data_dir: Path) -> bool:
    """Returns whether no emulator is alive there: a running one locks this file, however it has ended it does not."""
    try:
        with (data_dir / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


@contextlib.contextmanager
def embedded_emulator(data_dir: Path) -> Iterator[EmulatorProcess]:
    """Runs an emulator while the block runs; the block must call `environment` before it uses it."""
    process = EmulatorProcess(data_dir)
    try:
        yield process
    finally:
        process.stop()


def enter(environment: dict[str, str]) -> None:
    """Points this process, and those that it starts, at the emulator and away from any real account."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        os.environ.pop(name, None)
    os.environ.update(environment)
