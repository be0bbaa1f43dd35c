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
from gemini_sft.inference.call import COLD_SECONDS, Call, Service
from gemini_sft.inference.journal import Journal
from gemini_sft.inference.prediction import Outcome, Prediction, Reply
from gemini_sft.inference.response import read_document
from gemini_sft.inference.retry import Retry, decide
from gemini_sft.terminating import terminable

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.types import BatchJob

_LABEL = "gemini-sft-call"
_SUCCEEDED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED")
_ENDED = (*_SUCCEEDED, "JOB_STATE_FAILED", "JOB_STATE_CANCELLED", "JOB_STATE_EXPIRED", "JOB_STATE_PAUSED")
_FIRST_POLL_SECONDS = 0.5
_LONGEST_POLL_SECONDS = 30.0
_CANCEL_SECONDS = 300.0
_MINUTES = 4320.0
"""For the whole job, if `evaluation.timeout_minutes` is not set: a job may be queued for up to 72 hours."""

_log = logging.getLogger(__name__)


def ask_batch(
    service: Service, calls: Mapping[str, Call], journal: Journal, timeout_minutes: float | None
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

    model, folder = _model_of(service), f"{journal.folder}-batch"
    minutes = timeout_minutes or _MINUTES
    try:
        with (
            terminable(),
            contextlib.closing(vertex.genai_client(service.project, _location(model, service))) as client,
            _cancelling(client, folder),
        ):
            job = _wait(client, _job(client, model, calls, folder), minutes * 60)
            late = _state(job) not in _ENDED
            if late:
                # What it has answered until now is paid for: it is written when the job has ended.
                client.batches.cancel(name=job.name or "")
                job = _wait(client, job, _CANCEL_SECONDS)
    except Exception as error:
        if decide(error).retry is not Retry.NO:
            what = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise ServiceError(f"Vertex AI could not make or follow the batch job: {what}") from error
        if isinstance(error, APIError):
            raise UserError(f"Vertex AI refused the batch job: {error.code} {error.status}: {error.message}") from error
        raise
    replies = _read(job, calls)
    journal.append({key: one for key, one in replies.items() if one.prediction.outcome is not Outcome.ERROR})
    # From here on the journal has what the job brought; another attempt shall make another job for the rest.
    storage.delete(f"{folder}/job.json")
    if _state(job) not in _SUCCEEDED:
        reason = job.error.message if job.error and job.error.message else "Vertex AI gave no reason"
        if late:
            reason = f"not done within {minutes:g} minutes (evaluation.timeout_minutes)"
        kept = sum(one.prediction.outcome is not Outcome.ERROR for one in replies.values())
        raise ServiceError(
            f"batch job {job.name} ended as {_state(job)}: {reason}; {kept:,} of {len(calls):,} answers are kept"
        )
    return replies


def _model_of(service: Service) -> str:
    """Returns what a batch job takes: of a tuned model the model itself, where an online request takes its endpoint.

    Raises:
        UserError: The endpoint has another checkpoint than the model's default one, which is what a batch job asks.
    """
    if not vertex.is_endpoint(service.model):
        return service.model
    endpoint = vertex.get(
        service.model, vertex.location_of(service.model, service.location), patience_seconds=COLD_SECONDS
    )
    deployed = endpoint.get("deployedModels") or [{}]
    name, version = deployed[0].get("model", ""), deployed[0].get("modelVersionId", "")
    if not name:
        raise ServiceError(f"{service.model} has no deployed model, so no batch job can ask it")
    model = name if "@" in name or not version else f"{name}@{version}"
    if checkpoint := deployed[0].get("checkpointId"):
        default = vertex.get(model, vertex.location_of(model, service.location)).get("defaultCheckpointId")
        if default and default != checkpoint:
            raise UserError(
                f"no batch job can ask checkpoint {checkpoint} of {model}: it asks the default one, {default}"
            )
    return model


def _location(model: str, service: Service) -> str:
    return vertex.location_of(model, service.location)


def _job(client: "Client", model: str, calls: Mapping[str, Call], folder: str) -> "BatchJob":
    """Returns the job that an earlier attempt made for these calls, or a new one.

    Its name is written down before it is made: a job that was made without our hearing of it is found by that name, and
    none is paid for twice. One that was made for other calls is of no use any more, and is cancelled.
    """
    from google.genai import types

    intent = {"model": model, "calls": sorted(calls)}
    noted = _noted(folder)
    for job in _under_way(client, folder):
        if {key: noted.get(key) for key in intent} == intent:
            _log.info("batch job %s of an earlier attempt goes on", job.name)
            return job
        if _state(job) not in _SUCCEEDED:
            client.batches.cancel(name=job.name or "")
            _log.info("batch job %s of an earlier attempt was to answer other requests, and is cancelled", job.name)
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


def _under_way(client: "Client", folder: str) -> "Iterator[BatchJob]":
    """Yields the job that is noted, if it was made and can still bring answers."""
    from google.genai import types

    if name := _noted(folder).get("name"):
        for job in client.batches.list(config=types.ListBatchJobsConfig(filter=f'display_name="{name}"')):
            if _state(job) not in _ENDED or _state(job) in _SUCCEEDED:
                yield job


def _noted(folder: str) -> dict[str, Any]:
    try:
        noted = storage.read_json(f"{folder}/job.json")
    except (UserError, orjson.JSONDecodeError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _wait(client: "Client", job: "BatchJob", timeout_seconds: float) -> "BatchJob":
    """Returns the job when it has ended, or as it is when its time is over."""
    deadline = time.monotonic() + timeout_seconds
    pause, said = _FIRST_POLL_SECONDS, ""
    while (state := _state(job)) not in _ENDED and time.monotonic() < deadline:
        if state != said:
            _log.info("batch job %s: %s", job.name, state)
            said = state
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
        try:
            job = client.batches.get(name=job.name or "")
        except Exception as error:  # the job goes on, whatever befalls our asking
            if decide(error).retry is Retry.NO:
                raise
            _log.info("batch job %s: no word of it (%s)", job.name, type(error).__name__)
    return job


@contextlib.contextmanager
def _cancelling(client: "Client", folder: str) -> Iterator[None]:
    """Cancels the job, which goes on costing money otherwise, if the run is cancelled.

    What only kept us from asking how it stands leaves the job alone: another attempt goes on with it.
    """
    try:
        yield
    except KeyboardInterrupt:
        with contextlib.suppress(Exception):
            for pause in (0.0, 1.0):  # it may be in the making
                time.sleep(pause)
                for job in _under_way(client, folder):
                    client.batches.cancel(name=job.name or "")
                    _log.info("batch job %s is cancelled", job.name)
        raise


def _state(job: "BatchJob") -> str:
    return job.state.value if job.state else ""


def _read(job: "BatchJob", calls: Mapping[str, Call]) -> dict[str, Reply]:
    """Reads what the job has written; a call without a line there ends in an error."""
    folder = job.output_info.gcs_output_directory if job.output_info else None
    found: dict[str, Reply] = {}
    for name in storage.list_files(folder.rstrip("/")) if folder else ():
        for line in storage.read_bytes(name).splitlines() if name.endswith(".jsonl") else ():
            with contextlib.suppress(ValueError, TypeError, AttributeError, KeyError):  # a line that is none
                document = orjson.loads(line)
                key = document["request"]["labels"][_LABEL]
                if key in calls:
                    found[key] = _reply(calls[key], document)
    return {key: found.get(key) or _error(call, "the batch job brought no answer") for key, call in calls.items()}


def _reply(call: Call, line: dict[str, Any]) -> Reply:
    if not line.get("response"):
        return _error(call, f"the batch job answered: {line.get('status') or 'nothing'}"[:1000])
    return Reply(prediction=read_document(line["response"], call.id))


def _error(call: Call, text: str) -> Reply:
    return Reply(prediction=Prediction(example_id=call.id, outcome=Outcome.ERROR, error=text))
