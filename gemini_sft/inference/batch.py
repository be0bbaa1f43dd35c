"""All requests in one batch job, at half the price and within a day.

Google, "Batch inference from Cloud Storage": a line of input is `{"request": ...}`, one of output has that request
beside `response`, or `status` if there is none, in any order. A label of the request says which is which.
"""

import contextlib
import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from gemini_sft import storage, vertex
from gemini_sft.errors import ServiceError, UserError
from gemini_sft.inference.call import Call, Service
from gemini_sft.inference.journal import Journal
from gemini_sft.inference.prediction import Outcome, Prediction, Reply
from gemini_sft.inference.response import read_document
from gemini_sft.terminating import terminable

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.types import BatchJob

_LABEL = "gemini-sft-call"
_SUCCEEDED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED")
_ENDED = (*_SUCCEEDED, "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED", "JOB_STATE_PAUSED")
_FIRST_POLL_SECONDS = 0.5
_LONGEST_POLL_SECONDS = 30.0
_BUSY = (408, 429)

_log = logging.getLogger(__name__)


def ask_batch(
    service: Service, calls: Mapping[str, Call], journal: Journal, timeout_minutes: float
) -> dict[str, Reply]:
    """Returns a reply for each call, by its key, once the job has ended; a job that an earlier attempt made is adopted.

    Args:
        service: Whom to ask.
        calls: What to ask, by key.
        journal: In whose folder the job's files are, and into which its answers go.
        timeout_minutes: How long the job may take before it is cancelled.

    Raises:
        UserError: Vertex AI refused the job.
        ServiceError: It did not end in time or without answers, or Vertex AI did not say.
    """
    from google.genai.errors import APIError

    model = _model_of(service)
    try:
        with (
            terminable(),
            contextlib.closing(vertex.genai_client(service.project, _location(model, service))) as client,
        ):
            job = _job(client, model, calls, f"{journal.folder}/batch")
            with _cancelling(client, job.name or ""):
                job = _wait(client, job, timeout_minutes * 60)
    except APIError as error:
        if error.code < 500 and error.code not in _BUSY:
            raise UserError(f"Vertex AI refused the batch job: {error.code} {error.status}: {error.message}") from error
        raise ServiceError(f"Vertex AI could not make or follow the batch job: {error}") from error
    replies = _read(job, calls)
    journal.append({key: one for key, one in replies.items() if one.prediction.outcome is not Outcome.ERROR})
    # From here on the journal has what the job brought; another attempt shall make another job for the rest.
    storage.delete(f"{journal.folder}/batch/job.json")
    return replies


def _model_of(service: Service) -> str:
    """Returns what a batch job takes: of a tuned model the model itself, where an online request takes its endpoint."""
    if not vertex.is_endpoint(service.model):
        return service.model
    endpoint = vertex.get(service.model, vertex.location_of(service.model, service.location))
    deployed = endpoint.get("deployedModels") or [{}]
    name, version = deployed[0].get("model", ""), deployed[0].get("modelVersionId", "")
    if not name:
        raise ServiceError(f"{service.model} has no deployed model, so no batch job can ask it")
    return name if "@" in name or not version else f"{name}@{version}"


def _location(model: str, service: Service) -> str:
    return vertex.location_of(model, service.location)


def _job(client: "Client", model: str, calls: Mapping[str, Call], folder: str) -> "BatchJob":
    """Returns the job that an earlier attempt made for these calls, or a new one.

    Its name is written down before it is made: a job that was made without our hearing of it is found by that name, and
    none is paid for twice.
    """
    from google.genai import types

    intent = {"model": model, "calls": sorted(calls)}
    noted = _noted(f"{folder}/job.json")
    if noted and {key: noted.get(key) for key in intent} == intent:
        for job in client.batches.list(config=types.ListBatchJobsConfig(filter=f'display_name="{noted["name"]}"')):
            if _state(job) not in _ENDED or _state(job) in _SUCCEEDED:
                _log.info("batch job %s of an earlier attempt goes on", job.name)
                return job
    name = f"gemini-sft-{secrets.token_hex(8)}"
    lines = ({"request": call.body | {"labels": {_LABEL: key}}} for key, call in calls.items())
    storage.write_jsonl(f"{folder}/{name}/input.jsonl", lines)
    storage.write_json(f"{folder}/job.json", intent | {"name": name})
    # An answer that was lost does not mean a job that was not made: nothing is sent twice.
    once = types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=1))
    config = types.CreateBatchJobConfig(display_name=name, dest=f"{folder}/{name}/output", http_options=once)
    job = client.batches.create(model=model, src=f"{folder}/{name}/input.jsonl", config=config)
    _log.info("batch job %s is made for %d requests", job.name, len(calls))
    return job


def _noted(uri: str) -> dict[str, Any] | None:
    try:
        noted = storage.read_json(uri)
    except (UserError, orjson.JSONDecodeError):
        return None
    return noted if isinstance(noted, dict) else None


def _wait(client: "Client", job: "BatchJob", timeout_seconds: float) -> "BatchJob":
    deadline = time.monotonic() + timeout_seconds
    pause, said = _FIRST_POLL_SECONDS, ""
    while (state := _state(job)) not in _ENDED:
        if time.monotonic() > deadline:
            raise ServiceError(
                f"batch job {job.name} was cancelled: not done within the {timeout_seconds / 60:g} minutes of"
                " evaluation.timeout_minutes"
            )
        if state != said:
            _log.info("batch job %s: %s", job.name, state)
            said = state
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
        job = client.batches.get(name=job.name or "")
    if state not in _SUCCEEDED:
        reason = job.error.message if job.error and job.error.message else "Vertex AI gave no reason"
        raise ServiceError(f"batch job {job.name} ended as {state}: {reason}")
    return job


@contextlib.contextmanager
def _cancelling(client: "Client", name: str) -> Iterator[None]:
    """Cancels the job, which goes on costing money otherwise, if the block is left before it has ended.

    What only kept us from asking how it stands leaves the job alone: another attempt goes on with it.
    """
    try:
        yield
    except (KeyboardInterrupt, ServiceError):
        with contextlib.suppress(Exception):
            client.batches.cancel(name=name)
            _log.info("batch job %s is cancelled", name)
        raise


def _state(job: "BatchJob") -> str:
    return job.state.value if job.state else ""


def _read(job: "BatchJob", calls: Mapping[str, Call]) -> dict[str, Reply]:
    """Reads what the job has written; a call without a line there ends in an error."""
    folder = job.output_info.gcs_output_directory if job.output_info else None
    if not folder:
        raise ServiceError(f"batch job {job.name} succeeded but does not say where its answers are")
    found: dict[str, Reply] = {}
    for name in storage.list_files(folder.rstrip("/")):
        if name.endswith(".jsonl"):
            for line in storage.read_jsonl(name):
                key = line.get("request", {}).get("labels", {}).get(_LABEL, "")
                if key in calls:
                    found[key] = _reply(calls[key], line)
    return {key: found.get(key) or _error(call, "the batch job brought no answer") for key, call in calls.items()}


def _reply(call: Call, line: dict[str, Any]) -> Reply:
    if not line.get("response"):
        return _error(call, f"the batch job answered: {line.get('status') or 'nothing'}"[:1000])
    return Reply(prediction=read_document(line["response"], call.id))


def _error(call: Call, text: str) -> Reply:
    return Reply(prediction=Prediction(example_id=call.id, outcome=Outcome.ERROR, error=text))
