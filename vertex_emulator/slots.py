"""How many jobs run at once: a semaphore whose size can be changed while others wait for it."""

import asyncio
from collections import deque
from types import TracebackType


class Slots:
    """Slots for jobs: `async with slots` waits for one, first come, first served. Use within a running event loop.

    Args:
        count: How many there are. Of fewer than are taken, the ones too many go when they are given back.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def full(self) -> bool:
        """Whether whoever comes now has to wait."""
        return self._taken >= self._count

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    @count.setter
    def count(self, count: int) -> None:
        self._count = count
        self._admit()

    async def __aenter__(self) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove(turn)
            else:  # it had just been admitted
                self._give_back()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()

    def _give_back(self) -> None:
        self._taken -= 1
        self._admit()

    def _admit(self) -> None:
        waiting = [turn for turn in self._waiting if not turn.done()]
        for turn in waiting[: max(0, self._count - self._taken)]:
            self._waiting.remove(turn)
            self._taken += 1
            turn.set_result(None)
