"""How many requests are under way at once: as many as the service bears, and never more than the user allows.

Additive increase and multiplicative decrease, as TCP does it (V. Jacobson, "Congestion Avoidance and Control", 1988):
the limit doubles with every round of answers until the service first says that it has no room. Then it shrinks, and
remembers where that was: it comes back quickly to just below and goes on slowly from there (the idea of CUBIC, S. Ha,
I. Rhee, L. Xu, 2008), so that a fixed quota is nearly used up and seldom overstepped.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_START = 20
_FIRST_SHRINK = 0.5
"""The limit has doubled just before, so that it may be twice what the service bears."""
_SHRINK = 0.85
_NEAR = 0.92
"""From this share of the last ceiling on the limit grows slowly, and up to its inverse."""
_SLOW = 0.01
_FAST = 0.1
"""By what share of itself the limit grows in a second."""
_LEAST = 0.05
_MEMORY = 0.1
"""Weight of the newest answer in the mean latency."""


class Limiter:
    """Places for requests. Use within one event loop.

    Args:
        most: Never more places than that.
        per_minute: Never more requests a minute than that, evenly spaced; None for no such limit.
    """

    def __init__(self, most: int, per_minute: int | None = None) -> None:
        self.limit: float = min(most, _START)
        self._most = most
        self._interval = 60 / per_minute if per_minute else 0.0
        self._next_start = 0.0
        self._paused_until = 0.0
        self._shrunk = float("-inf")
        self._grown = float("-inf")
        self._latency = 0.0
        self._ceiling: float | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.under_way = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Waits for a place and holds it while the block runs, also between the attempts of one request."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._wake()
        await turn
        try:
            yield
        finally:
            self.under_way -= 1
            self._wake()

    async def start(self) -> float:
        """Waits until a request may be sent: not in a pause that the service asked for, nor faster than allowed.

        Once the service has refused one for want of room, requests are also spaced as the limit and their latency say:
        no bursts, and a limit below 1 means something.

        Returns:
            When that was, by the clock of the event loop.
        """
        loop = asyncio.get_running_loop()
        while True:
            pace = self._latency / self.limit if self._ceiling else 0.0
            begin = max(loop.time(), self._next_start, self._paused_until)
            self._next_start = begin + max(self._interval, pace)
            await asyncio.sleep(begin - loop.time())
            if self._paused_until <= begin:  # else a pause has come meanwhile, and this turn is void
                return loop.time()

    def answered(self, sent: float) -> None:
        """Makes room for more, if there are requests that would use it.

        Args:
            sent: When the request was sent, as `start` returned it.
        """
        now = asyncio.get_running_loop().time()
        self._latency += (now - sent - self._latency) * (_MEMORY if self._latency else 1)
        if not self._waiting and self._next_start <= now:
            return
        if self._ceiling is None:
            self.limit += 1
        else:
            near = _NEAR <= self.limit / self._ceiling <= 1 / _NEAR
            self.limit *= 1 + (_SLOW if near else _FAST) * min(1.0, now - self._grown)
        self._grown = now
        self.limit = min(self.limit, self._most)
        self._wake()

    def refused(self, sent: float, retry_after: float | None) -> None:
        """Makes room for fewer; requests that were all sent before that say the same thing only once.

        Args:
            sent: When the refused request was sent, as `start` returned it.
            retry_after: For how many seconds the service wants to hear nothing; None if it did not say.
        """
        now = asyncio.get_running_loop().time()
        if retry_after is not None:
            self._paused_until = max(self._paused_until, now + retry_after)
        # What a shrinking did shows only after the requests of before it have ended.
        if sent > self._shrunk + self._latency:
            share = _SHRINK if self._ceiling else _FIRST_SHRINK
            self._ceiling, self._shrunk, self._grown = self.limit, now, now
            self.limit = max(_LEAST, self.limit * share)

    def _wake(self) -> None:
        while self._waiting and self.under_way < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.under_way += 1
                turn.set_result(None)
