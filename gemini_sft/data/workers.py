"""Reading blocks on all cores, in order, when there is enough of them."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from types import TracebackType

from gemini_sft.data.block import Block, Drafted, read_block
from gemini_sft.data.reading import Reading

_INLINE = 8
"""Blocks below which starting other processes does not pay."""
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
            # A fork starts in no time; but threads of this process would be missing in it, and locks they hold stay.
            alone = threading.active_count() == 1 and "fork" in multiprocessing.get_all_start_methods()
            context = multiprocessing.get_context("fork" if alone else "spawn")
            self._pool = ProcessPoolExecutor(cores, context, _leave_interrupts)
        return self._pool


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
