"""Reading blocks on all cores, in order, when there is enough of them."""

import ctypes
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from gemini_sft.data.block import Block, Drafted
from gemini_sft.data.block_reader import read_block
from gemini_sft.data.reading import Reading
from gemini_sft.errors import RunError

_INLINE = 8
"""Blocks below which starting other processes does not pay."""
_AHEAD = 2
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


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
        if self._pool is None:
            return
        if error is not None:  # nobody waits for what they still read
            for process in multiprocessing.active_children():
                process.kill()
        self._pool.shutdown(wait=error is None, cancel_futures=True)

    def read(self, blocks: Iterable[tuple[Block, bool]]) -> Iterator[Drafted]:
        """Yields what was made of each block, in order; beside a block stands whether it is sketched.

        Raises:
            RunError: A process was killed.
        """
        try:
            yield from self._read(blocks)
        except BrokenProcessPool as error:
            raise RunError("a process that read the data was killed: most often there is too little memory") from error

    def _read(self, blocks: Iterable[tuple[Block, bool]]) -> Iterator[Drafted]:
        pending: deque[Future[Drafted]] = deque()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
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
            self._pool = ProcessPoolExecutor(cores, context, _begin)
        return self._pool


def _begin() -> None:
    """Leaves interrupts to the process that started this one, and ends with it whatever ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(AttributeError, OSError):  # Linux alone has it
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
