"""One intent, one job: the job that there is, or a new one.

Vertex AI has no request id for tuning jobs, so what was made is known by a label: the intent. Whoever wants a job looks
for one with that label; takes the token that allows only one to make it; looks once more; and, if the token is still
there, makes it. Whatever breaks in between, and whoever comes at the same time, finds the job there.
"""

import contextlib
import logging
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gemini_sft import vertex
from gemini_sft.errors import ServiceError, UserError
from gemini_sft.inference.call import COLD_SECONDS
from gemini_sft.telling import tell
from gemini_sft.tuning.claim import STALE_SECONDS, Claim
from gemini_sft.tuning.request import TuningRequest
from gemini_sft.tuning.service import UNHEARD_SECONDS, cancel, describe, is_own, jobs_of, passes
from gemini_sft.tuning.states import Stand, stand, state_of

if TYPE_CHECKING:
    from google.genai.types import TuningJob

_SETTLE_SECONDS = 60.0
"""After a request for a job without an answer: how long the job may need to show itself, if it was made."""
_SHOW_SECONDS = 10.0
_LOOK_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 30.0
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
    requests, not_before, busy, last = 0, 0.0, _LOOK_SECONDS, "nobody else made it"
    deadline = time.monotonic() + UNHEARD_SECONDS
    with _undone_by_cancelling(request, claim):
        while True:
            if job := _existing(request):
                claim.release()
                return job, not requests
            if claim.held and time.monotonic() >= not_before:
                if requests == _MOST_REQUESTS or time.monotonic() > deadline:
                    claim.release()
                    raise ServiceError(f"Vertex AI did not make the tuning job: {last}; run again later")
                if not claim.renew():
                    continue
                made = _make(request, claim)
                if not isinstance(made, Exception):
                    _let_it_show(request, claim)
                    return made, False
                last = describe(made)
                if getattr(made, "code", None) == _BUSY:  # then it was not made
                    not_before, busy = time.monotonic() + busy, min(busy * 2, _LONGEST_PAUSE_SECONDS)
                else:
                    requests += 1
                    not_before = time.monotonic() + _SETTLE_SECONDS
            elif not claim.held:
                if claim.take():
                    continue  # and look once more: the last holder may have made it in between
                _say_waiting(request)
            time.sleep(_LOOK_SECONDS)


def _say_waiting(request: TuningRequest) -> None:
    line = f"{request.title} waits: another run is about to make the same one, and has {STALE_SECONDS:.0f} s for it"
    if request.progress_uri:
        tell(request.progress_uri, line)
    _log.info("%s", line)


def _existing(request: TuningRequest) -> "TuningJob | None":
    """Returns a job that was made for this intent, and can still be of use or is this run's own.

    A job of this run that has failed is returned too: to be told of, and not to be made and paid for again. One whose
    model was deleted is of no use to anybody.
    """
    jobs = [job for job in jobs_of(request) if not _is_deleted(job)]
    own = [job for job in jobs if is_own(request, job)]
    going = [job for job in jobs if stand(job) is Stand.GOING and state_of(job) != "JOB_STATE_CANCELLING"]
    done = [job for job in jobs if stand(job) is Stand.SUCCEEDED or (stand(job) is Stand.PARTLY and job.tuned_model)]
    return next(iter([*going, *reversed(done), *reversed(own)]), None)


def _is_deleted(job: "TuningJob") -> bool:
    """Returns whether what a job has brought is gone: models and endpoints are deleted one day, jobs are not.

    Just after the job an endpoint may not be there yet. What a job has never brought is not gone: to make another job
    would not mend that.
    """
    tuned, old = job.tuned_model, time.time() - COLD_SECONDS
    names = [tuned.model] if tuned and tuned.model else []
    if tuned and job.end_time and job.end_time.timestamp() < old:
        # A cleanup that was interrupted has deleted some of them, and the model not yet.
        made = [tuned.endpoint, *(one.endpoint for one in tuned.checkpoints or [])]
        names += sorted({name for name in made if name})
    return any(vertex.find(name, vertex.location_of(name, "")) is None for name in names)


def _make(request: TuningRequest, claim: Claim) -> "TuningJob | Exception":
    """Asks for the job; without an answer that means anything, returns what came instead."""
    from google.genai.errors import APIError
    from google.genai.types import TuningDataset

    data = TuningDataset(gcs_uri=request.train_uri)
    try:
        with contextlib.closing(vertex.genai_client(request.project, request.location, attempts=1)) as client:
            base = request.base.model or request.base.id
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that the SDK's tuning is experimental
                job: TuningJob = client.tunings.tune(base_model=base, training_dataset=data, config=request.config())
    except Exception as error:
        if not passes(error):
            claim.release()
            if isinstance(error, APIError):
                kind = UserError if error.code < _SERVERS_FAULT else ServiceError
                said = f"{error.code} {error.status}: {error.message}"
                raise kind(f"Vertex AI refused the tuning job: {said}") from error
            raise
        _log.info("no answer to the request for a tuning job (%s): looking whether it was made", describe(error))
        return error
    _log.info("tuning job %s is made", job.name)
    return job


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
                    if stand(job) is Stand.GOING and is_own(request, job):
                        cancel(request, job.name or "")
            claim.release()
        raise
