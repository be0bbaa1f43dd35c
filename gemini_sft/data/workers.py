"""Reading blocks on all cores, in order, when there is enough of them."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from types import TracebackType

from gemini_sft.data.block import Block, Drafted, read_block
from gemini_sft.data.reading import Reading

_INLINE = 24
"""Blocks below which starting other processes, half a second each, does not pay."""
_AHEAD = 2


class Workers:
    """Processes that read blocks; none is started for a small amount."""

    def __init__(self, reading: Reading, folder: Path) -> None:
        self._reading, self._folder = reading, folder
        self._pool: ProcessPoolExecutor | None = None
        self._inline = 0

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def read(self, blocks: Iterable[tuple[Block, bool]]) -> Iterator[Drafted]:
        """Yields what was made of each block, in order; beside a block stands whether it is sketched."""
        pending: deque[Future[Drafted]] = deque()
        cores = os.cpu_count() or 1
        for block, near in blocks:
            self._inline += 1
            if self._inline <= _INLINE or cores == 1:
                yield read_block(block, self._reading, self._folder, near=near)
                continue
            pending.append(self._executor(cores).submit(read_block, block, self._reading, self._folder, near=near))
            if len(pending) > _AHEAD * cores:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    def _executor(self, cores: int) -> ProcessPoolExecutor:
        if self._pool is None:
            # Threads of this process, such as those of the Google libraries, would not survive a fork.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(cores, context, _leave_interrupts)
        return self._pool


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
