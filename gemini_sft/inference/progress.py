"""How far the answers of a model are: a live line on a terminal, a line every few seconds in a log."""

import asyncio
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

from gemini_sft.telling import duration, tell, untell

_LOG_SECONDS = 6.0
_FILE_SECONDS = 2.0
_LIVE_SECONDS = 0.25
_WINDOW_SECONDS = 20.0

_log = logging.getLogger(__name__)


class Progress:
    """Counts answers as they come.

    Args:
        what: Whose answers they are, as in "answers of gemini-2.5-flash".
        total: How many there will be.
        kept: How many of them were there before.
        concurrency: Tells how many requests are under way.
        uri: Of the file in which it is left; None for nowhere.
    """

    def __init__(
        self, what: str, total: int, kept: int, concurrency: Callable[[], int], uri: str | None = None
    ) -> None:
        self._uri, self._ended, self._lock = uri, False, threading.Lock()
        self._what, self._total, self._done, self._failures = what, total, kept, 0
        self._concurrency = concurrency
        self._recent: deque[tuple[float, int]] = deque([(time.monotonic(), kept)])

    def count(self, *, failed: bool) -> None:
        """Counts one more answer, or the end of one that never came."""
        self._done += 1
        self._failures += failed

    def line(self) -> str:
        """Returns where it stands: done, rate, concurrency, failures, time left."""
        now = time.monotonic()
        self._recent.append((now, self._done))
        while len(self._recent) > 2 and self._recent[1][0] < now - _WINDOW_SECONDS:
            self._recent.popleft()
        since, before = self._recent[0]
        rate = (self._done - before) / (now - since) if now > since else 0.0
        left = f", {duration((self._total - self._done) / rate)} left" if rate else ""
        failures = f"{self._failures:,} failure{'s' * (self._failures != 1)}"
        return (
            f"{self._what}: {self._done:,} of {self._total:,}, {rate:.1f} a second,"
            f" {self._concurrency()} under way, {failures}{left}"
        )

    async def show(self) -> None:
        """Shows the line again and again until it is cancelled."""
        if sys.stderr.isatty():
            await self._draw()
        logged = time.monotonic()
        while True:
            await asyncio.sleep(_FILE_SECONDS)
            line = self.line()
            if time.monotonic() - logged >= _LOG_SECONDS:
                _log.info("%s", line)
                logged = time.monotonic()
            await asyncio.to_thread(self._leave, line)

    async def _draw(self) -> None:
        # The command line has these; the image that tasks run in, which have no terminal, does not.
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
            while True:
                live.update(Text(self.line(), no_wrap=True, overflow="ellipsis"), refresh=True)
                await asyncio.sleep(_LIVE_SECONDS)

    def end(self) -> None:
        """Takes the file away, for good."""
        with self._lock:
            self._ended = True
            if self._uri:
                untell(self._uri)

    def _leave(self, line: str) -> None:
        # Whoever awaits a thread can be cancelled, and the thread goes on: it must not write after the end.
        with self._lock:
            if self._uri and not self._ended:
                tell(self._uri, line)
