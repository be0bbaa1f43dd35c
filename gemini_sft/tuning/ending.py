"""Ending a job that is not wanted any more: whose it is, and why it was ended.

Another run may wait for the same job. It is cancelled by the run that has made it, or when that run is over.
"""

import logging
from typing import TYPE_CHECKING

from gemini_sft import storage, vertex
from gemini_sft.errors import GeminiSftError, TuningError, UserError
from gemini_sft.tuning.request import TuningRequest
from gemini_sft.tuning.service import cancel, is_own

if TYPE_CHECKING:
    from google.genai.types import TuningJob

_OVER = ("SUCCEEDED", "FAILED", "CANCELLED")

_log = logging.getLogger(__name__)


def end(request: TuningRequest, job: "TuningJob") -> str:
    """Cancels a job, unless another run that still goes on has made it; returns what became of it, in words."""
    name = job.name or ""
    if not is_own(request, job) and _goes_on(request, maker := (job.labels or {}).get("run", "")):
        _log.warning("tuning job %s goes on: run %s has made it", name, maker)
        return f"goes on for run {maker}, which has made it"
    return "was cancelled" if cancel(request, name) else "could not be cancelled: cancel it in the console"


def give_up(request: TuningRequest, job: "TuningJob", why: str) -> TuningError:
    """Ends a job and returns the error that says why; another attempt of this run finds the reason by `why_ended`."""
    if request.claims_uri and is_own(request, job):
        try:
            storage.write_json(_note(request), {"job": job.name, "why": why})
        except GeminiSftError as error:
            _log.info("why the job is given up could not be noted: %s", error)
    return TuningError(f"{request.title} {job.name} {end(request, job)}: {why}")


def why_ended(request: TuningRequest, job: "TuningJob") -> str | None:
    """Returns why an earlier attempt of this run has cancelled a job; None if it has not."""
    if not request.claims_uri:
        return None
    try:
        noted = storage.read_json(_note(request))
    except (UserError, ValueError):
        return None
    return str(noted["why"]) if noted.get("job") == job.name else None


def _note(request: TuningRequest) -> str:
    return f"{request.claims_uri}/{request.intent}-{request.all_labels['run']}.json"


def _goes_on(request: TuningRequest, run: str) -> bool:
    """Returns whether the pipeline of another run has not ended, or nobody knows."""
    place = f"projects/{request.project}/locations/{request.location}"
    try:
        found = vertex.find(f"{place}/pipelineJobs/{run}", request.location)
    except GeminiSftError:
        return True
    return found is not None and found.get("state", "").removeprefix("PIPELINE_STATE_") not in _OVER
