"""Asking Vertex AI about tuning jobs, through whatever befalls the asking."""

import contextlib
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from gemini_sft.inference.retry import Retry, decide
from gemini_sft.tuning.request import TuningRequest
from gemini_sft.vertex import genai_client

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.types import TuningJob

Answer = TypeVar("Answer")

UNHEARD_SECONDS = 1800.0
"""How long Vertex AI may give no answer that means anything before the run gives up; the job goes on meanwhile."""
_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 30.0
_QUICK_SECONDS = 8.0

_log = logging.getLogger(__name__)


def passes(error: BaseException) -> bool:
    """Returns whether an error of a request may pass by itself."""
    return decide(error).retry is not Retry.NO


def ask(
    request: TuningRequest,
    question: Callable[["Client"], Answer],
    *,
    seconds: float = UNHEARD_SECONDS,
    also: Callable[[BaseException], bool] = lambda error: False,
) -> Answer:
    """Returns the answer to a question that changes nothing, however often it must be asked.

    Each time with a client, and so with a token, of its own: an expired one or a connection that hangs ends there.

    Args:
        request: Whose project and region.
        question: What to ask.
        seconds: How long to go on asking.
        also: Which other errors may pass.

    Raises:
        Exception: The last error: of those that do not pass, or when the time is over.
    """
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE_SECONDS
    while True:
        try:
            with contextlib.closing(genai_client(request.project, request.location, attempts=1)) as client:
                return question(client)
        except Exception as error:
            if not (passes(error) or also(error)) or time.monotonic() + pause > deadline:
                raise
            _log.info("no word of the tuning job (%s): asking again in %.0f s", describe(error), pause)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def jobs_of(request: TuningRequest) -> list["TuningJob"]:
    """Returns the jobs that there are for an intent, whoever made them, the oldest first."""
    from google.genai.types import ListTuningJobsConfig

    config = ListTuningJobsConfig(filter=f'labels.intent="{request.intent}"')
    found = ask(request, lambda client: list(client.tunings.list(config=config)))
    # A filter that were passed over would give us anybody's job.
    found = [job for job in found if (job.labels or {}).get("intent") == request.intent]
    return sorted(found, key=lambda job: (job.create_time is None, job.create_time, job.name))


def is_own(request: TuningRequest, job: "TuningJob") -> bool:
    """Returns whether a job was made by this very run."""
    return (job.labels or {}).get("run") == request.all_labels["run"]


def cancel(request: TuningRequest, name: str) -> bool:
    """Cancels a job, which goes on costing money otherwise; returns whether that was heard."""
    try:
        ask(request, lambda client: client.tunings.cancel(name=name), seconds=_QUICK_SECONDS)
    except Exception as error:
        _log.warning("tuning job %s could not be cancelled (%s): cancel it in the console", name, describe(error))
        return False
    _log.info("tuning job %s is cancelled", name)
    return True


def describe(error: BaseException) -> str:
    """Returns an error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300].removesuffix(": ")
