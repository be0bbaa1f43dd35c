"""Waiting for the end of a tuning job, which may take hours and of which not every word arrives."""

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gemini_sft.errors import TuningError
from gemini_sft.telling import FRESH_SECONDS, tell, untell
from gemini_sft.tuning.dropping import too_many_dropped
from gemini_sft.tuning.ending import end, give_up
from gemini_sft.tuning.request import TuningRequest
from gemini_sft.tuning.service import UNHEARD_SECONDS, ask, is_own
from gemini_sft.tuning.states import Pace, Stand, stand

if TYPE_CHECKING:
    from google.genai.types import TuningJob

_FIRST_POLL_SECONDS = 0.5
_LONGEST_POLL_SECONDS = 30.0
_POLLS_BY_AGE = 3
"""The pause is that part of the time that has passed: 10 s after half a minute, 30 s after a minute and a half."""
_SAID_AGAIN_SECONDS = 300.0
_NOT_FOUND = 404

_log = logging.getLogger(__name__)


def follow(request: TuningRequest, job: "TuningJob") -> "TuningJob":
    """Returns a job as it ended.

    It is asked for every 10 to 30 seconds once it is half a minute old, and more often before: what fails at once is
    seen at once. What Vertex AI answers in between, or does not, changes nothing about the job.

    Raises:
        TuningError: It took longer than `settings.timeout_minutes`, left out too many examples or was paused; it has
            been cancelled, for it would go on costing money, unless it is that of another run that goes on.
        Exception: Vertex AI gave no answer for half an hour, or one that does not pass; the job goes on, and another
            attempt goes on with it.
    """
    minutes = request.settings.timeout_minutes
    begin, pace = time.monotonic(), Pace()
    deadline = begin + max(0.0, minutes * 60.0 - _age(request, job))
    name, said, at = job.name or "", "", 0.0
    with _ended_with_the_run(request, job):
        while True:
            _cancel_if_dropped(request, job)
            if stand(job) is not Stand.GOING:
                break
            line, age = pace.words(job), time.monotonic() - begin
            pause = min(max(_FIRST_POLL_SECONDS, age / _POLLS_BY_AGE), _LONGEST_POLL_SECONDS)
            _tell(request, line, pause)
            kind = line.partition(",")[0]
            if kind != said or time.monotonic() - at > _SAID_AGAIN_SECONDS:
                _log.info("tuning job %s %s", name, line)
                said, at = kind, time.monotonic()
            if time.monotonic() >= deadline:
                raise give_up(
                    request, job, f"not done after {minutes:g} minutes (tuning.timeout_minutes); at last it {line}"
                )
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            job = ask(
                request,
                lambda client: client.tunings.get(name=name),
                seconds=max(_LONGEST_POLL_SECONDS, min(UNHEARD_SECONDS, deadline - time.monotonic())),
                also=_is_not_found,
            )
    if request.progress_uri:
        untell(request.progress_uri)
    if stand(job) is Stand.STUCK:
        raise give_up(request, job, "it was paused, and nothing can resume it: run again")
    return job


def _tell(request: TuningRequest, line: str, pause: float) -> None:
    if request.progress_uri:
        trial = f" {request.trial}" if request.trial else ""
        tell(request.progress_uri, f"tuning job{trial} {line}", pause + FRESH_SECONDS)


def _cancel_if_dropped(request: TuningRequest, job: "TuningJob") -> None:
    """Ends a job as soon as it says that it left out too much: what it would bring is of no use."""
    if why := too_many_dropped(request, job):
        if stand(job) is Stand.GOING:
            raise give_up(request, job, why)
        raise TuningError(f"{request.title} {job.name}: {why}")


def _age(request: TuningRequest, job: "TuningJob") -> float:
    """Returns for how long this run's own job is there, in seconds: another attempt goes on with what time is left."""
    if job.create_time is None or not is_own(request, job):
        return 0.0
    return max(0.0, time.time() - job.create_time.timestamp())


def _is_not_found(error: BaseException) -> bool:
    """Returns whether a job was said not to be there: one that was just made may not have reached every server."""
    return getattr(error, "code", None) == _NOT_FOUND


@contextlib.contextmanager
def _ended_with_the_run(request: TuningRequest, job: "TuningJob") -> Iterator[None]:
    """Ends the job if the run is cancelled."""
    try:
        yield
    except KeyboardInterrupt:
        end(request, job)
        raise
