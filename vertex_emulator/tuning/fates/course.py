"""One job on its way through its stages, with what its fate has in store for it."""

import asyncio
from typing import Any

from vertex_emulator.tuning.fates.rules import FOREVER, End, Fate, Stage
from vertex_emulator.tuning.order import Pace
from vertex_emulator.tuning.resource import JobResource


class Struck(Exception):
    """A job has met its end.

    Args:
        end: What its fate says of it.
    """

    def __init__(self, end: End) -> None:
        super().__init__(f"{end.state} at {end.at}")
        self.end = end


class Course:
    """What keeps a job and what ends it. The training process itself keeps the pace that it is ordered.

    Args:
        job: The job.
        fate: Its fate.
    """

    def __init__(self, job: JobResource, fate: Fate) -> None:
        self._job = job
        self._fate = fate
        self._trains = False

    @property
    def pace(self) -> Pace:
        """What the training process is to be told."""
        stay = self._fate.stay
        training, middle = stay("TUNING"), stay("UPDATING") + stay("PAUSED")
        if training == FOREVER:  # a job that hangs does so on its way, not at its beginning
            training, middle = 0.0, FOREVER
        return Pace(stay("PROCESSING_DATASET"), stay("WAITING_FOR_CAPACITY"), training, middle)

    async def queue(self) -> None:
        """Passes the stages before the job's turn.

        Raises:
            Struck: It ends there.
        """
        await self._pass("QUEUED")
        if self._fate.stay("WAITING_FOR_QUOTA"):
            self._job.wait()
        await self._pass("WAITING_FOR_QUOTA")

    async def meet(self, message: dict[str, Any]) -> None:
        """Comes before what the training process has told is written down.

        Raises:
            Struck: The job ends here.
        """
        match message["event"]:
            case "read":
                self._leave("PROCESSING_DATASET")
            case "progress" if not self._trains:
                self._trains = True
                self._leave("WAITING_FOR_CAPACITY")
            case "halfway":
                await self._interrupt()
                self._leave("TUNING")

    async def finish(self) -> None:
        """Passes the stage after the training.

        Raises:
            Struck: The job ends there.
        """
        await self._pass("POST_PROCESSING")

    async def wind_down(self) -> None:
        """Keeps a job that is being cancelled."""
        await asyncio.sleep(self._fate.stay("CANCELLING"))

    async def _interrupt(self) -> None:
        for state in ("UPDATING", "PAUSED"):
            if seconds := self._fate.stay(state):
                self._job.set(state=f"JOB_STATE_{state}")
                await asyncio.sleep(seconds)
                self._job.set(state="JOB_STATE_RUNNING")

    async def _pass(self, stage: Stage) -> None:
        await asyncio.sleep(self._fate.stay(stage))
        self._leave(stage)

    def _leave(self, stage: Stage) -> None:
        if self._fate.end and self._fate.end.at == stage:
            raise Struck(self._fate.end)
