"""One intent, one job: the job that there is, or a new one.

Vertex AI has no request id for tuning jobs, so what was made is known by a label: the intent. Whoever wants a job looks
for one with that label; takes the token that allows only one to make it; looks once more; and, if the token is still
there, makes it. Whatever breaks in between, and whoever comes at the same time, finds the job there.
"""

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gemini_sft import vertex
from gemini_sft.errors import ServiceError, UserError
from gemini_sft.tuning.claim import Claim
from gemini_sft.tuning.request import TuningRequest
from gemini_sft.tuning.service import UNHEARD_SECONDS, cancel, describe, jobs_of, passes
from gemini_sft.tuning.states import Stand, stand, state_of

if TYPE_CHECKING:
    from google.genai.types import TuningJob

_SETTLE_SECONDS = 60.0
"""After a request for a job without an answer: how long the job may need to show itself, if it was made."""
_SHOW_SECONDS = 10.0
_LOOK_SECONDS = 2.0
_MOST_REQUESTS = 3
_BUSY = 429
_SERVERS_FAULT = 500

_log = logging.getLogger(__name__)


def find_or_make(request: TuningRequest) -> tuple["TuningJob", bool]:
    """Returns the job of an intent, and whether it was there already.

    Raises:
        UserError: Vertex AI refused it as wrong.
        ServiceError: It did not say whether there is one, or has no room for it.
    """
    claim = Claim(request.claims_uri and f"{request.claims_uri}/{request.intent}.json", request.run_id)
    requests, not_before = 0, 0.0
    deadline = time.monotonic() + UNHEARD_SECONDS
    with _undone_by_cancelling(request, claim):
        while True:
            if job := _existing(request):
                claim.release()
                return job, not requests
            if claim.held and time.monotonic() >= not_before:
                if requests == _MOST_REQUESTS or time.monotonic() > deadline:
                    claim.release()
                    raise ServiceError("Vertex AI did not make the tuning job: run again later, nothing is lost")
                if not claim.renew():
                    continue
                requests += 1
                made, pause = _make(request, claim)
                if made:
                    _let_it_show(request, claim)
                    return made, False
                not_before = time.monotonic() + pause
            elif not claim.held and claim.take():
                continue  # and look once more: the last holder may have made it in between
            time.sleep(_LOOK_SECONDS)


def _existing(request: TuningRequest) -> "TuningJob | None":
    """Returns a job that was made for this intent, and can still be of use or is this run's own.

    A job of this run that has failed is returned too: to be told of, and not to be made and paid for again.
    """
    jobs = jobs_of(request)
    own = [job for job in jobs if (job.labels or {}).get("run") == request.run_id]
    going = [job for job in jobs if stand(job) is Stand.GOING and state_of(job) != "JOB_STATE_CANCELLING"]
    done = [job for job in jobs if stand(job) in (Stand.SUCCEEDED, Stand.PARTLY) and _is_served(job)]
    return next(iter([*going, *reversed(done), *reversed(own)]), None)


def _is_served(job: "TuningJob") -> bool:
    """Returns whether what a job has brought is still there: models and endpoints are deleted one day, jobs are not."""
    tuned = job.tuned_model
    if tuned is None or not tuned.model or not tuned.endpoint:
        return False
    return all(vertex.find(name, vertex.location_of(name, "")) is not None for name in (tuned.model, tuned.endpoint))


def _make(request: TuningRequest, claim: Claim) -> tuple["TuningJob | None", float]:
    """Asks for the job; without an answer, returns after how many seconds it may be asked for again."""
    from google.genai.errors import APIError
    from google.genai.types import TuningDataset

    data = TuningDataset(gcs_uri=request.train_uri)
    try:
        with contextlib.closing(vertex.genai_client(request.project, request.location, attempts=1)) as client:
            base = request.base.model or request.base.id
            job = client.tunings.tune(base_model=base, training_dataset=data, config=request.config())
    except Exception as error:
        if not passes(error):
            claim.release()
            if isinstance(error, APIError):
                kind = UserError if error.code < _SERVERS_FAULT else ServiceError
                said = f"{error.code} {error.status}: {error.message}"
                raise kind(f"Vertex AI refused the tuning job: {said}") from error
            raise
        refused = isinstance(error, APIError) and error.code == _BUSY
        _log.info("no answer to the request for a tuning job (%s): looking whether it was made", describe(error))
        return None, _LOOK_SECONDS if refused else _SETTLE_SECONDS
    _log.info("tuning job %s is made", job.name)
    return job, 0.0


def _let_it_show(request: TuningRequest, claim: Claim) -> None:
    """Gives the token back when the job can be seen by others; if it cannot yet, the token grows old instead."""
    with contextlib.suppress(Exception):
        deadline = time.monotonic() + _SHOW_SECONDS
        while not jobs_of(request):
            if time.monotonic() > deadline:
                return
            time.sleep(_LOOK_SECONDS)
        claim.release()


@contextlib.contextmanager
def _undone_by_cancelling(request: TuningRequest, claim: Claim) -> Iterator[None]:
    """If the run is cancelled in the middle of the making, cancels what this run has made, heard of or not."""
    try:
        yield
    except KeyboardInterrupt:
        with contextlib.suppress(Exception):
            for pause in (0.0, 1.0):  # it may be in the making
                time.sleep(pause)
                for job in jobs_of(request):
                    if stand(job) is Stand.GOING and (job.labels or {}).get("run") == request.run_id:
                        cancel(request, job.name or "")
            claim.release()
        raise
