"""Making a supervised tuning job and waiting for its end."""

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gemini_sft.catalog import catalog
from gemini_sft.errors import ServiceError, TuningError, UserError
from gemini_sft.experiment import Tuning
from gemini_sft.terminating import terminable
from gemini_sft.tuning.record import Checkpoint, DroppedExamples, TuningRecord
from gemini_sft.vertex import genai_client

if TYPE_CHECKING:
    from google.genai.client import Client
    from google.genai.types import CreateTuningJobConfig, SupervisedTuningDataStats, TuningJob

_FIRST_POLL_SECONDS = 0.5
_LONGEST_POLL_SECONDS = 30.0

# google-genai's own `has_ended` knows neither PARTIALLY_SUCCEEDED nor PAUSED, and waits for them for ever.
_SUCCEEDED = {"JOB_STATE_SUCCEEDED"}
_ENDED = _SUCCEEDED | {
    "JOB_STATE_FAILED",
    "JOB_STATE_CANCELLED",
    "JOB_STATE_EXPIRED",
    "JOB_STATE_PARTIALLY_SUCCEEDED",
    "JOB_STATE_PAUSED",
}
_BUSY = (408, 429)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TuningRequest:
    """What to tune.

    Attributes:
        project: Google Cloud project.
        location: Region of the job.
        base_model: The Gemini model to start from.
        display_name: Of the tuned model and its endpoints.
        train_uri: JSONL in Gemini's tuning format.
        validation_uri: Likewise; None for none.
        settings: Hyperparameters, of which only those that were set are sent.
        labels: Put on job, model and endpoint.
    """

    project: str
    location: str
    base_model: str
    display_name: str
    train_uri: str
    validation_uri: str | None
    settings: Tuning
    labels: dict[str, str]


def tune(request: TuningRequest) -> TuningRecord:
    """Makes one tuning job and waits until it has ended.

    Raises:
        UserError: The region cannot tune the model, or Vertex AI refused the request as wrong.
        TuningError: The job ended without a model, or took longer than `settings.timeout_minutes`; in the latter case
            it has been cancelled.
        ServiceError: Vertex AI did not answer.
    """
    from google.genai.errors import APIError, ClientError
    from google.genai.types import TuningDataset

    regions = catalog().models[request.base_model].tuning_regions
    if request.location not in regions:
        raise UserError(f"{request.base_model} cannot be tuned in {request.location}: use {' or '.join(regions)}")
    try:
        with terminable(), contextlib.closing(genai_client(request.project, request.location)) as client:
            job = client.tunings.tune(
                base_model=request.base_model,
                training_dataset=TuningDataset(gcs_uri=request.train_uri),
                config=_config(request),
            )
            _log.info("tuning job %s is made", job.name)
            with _cancelling(client, job.name or ""):
                job = _wait(client, job, request.settings.timeout_minutes * 60.0)
    except APIError as error:
        if isinstance(error, ClientError) and error.code not in _BUSY:
            raise UserError(f"Vertex AI refused the tuning job: {error.message}") from error
        raise ServiceError(f"Vertex AI could not make or follow the tuning job: {error}") from error
    if _state(job) not in _SUCCEEDED:
        reason = job.error.message if job.error and job.error.message else "Vertex AI gave no reason"
        raise TuningError(f"tuning job {job.name} ended as {_state(job)}: {reason}")
    return _record(job, request.base_model)


def _config(request: TuningRequest) -> "CreateTuningJobConfig":
    from google.genai import types

    size, settings = request.settings.adapter_size, request.settings
    validation = request.validation_uri
    words = {1: "ONE", 2: "TWO", 4: "FOUR", 8: "EIGHT", 16: "SIXTEEN", 32: "THIRTY_TWO"}
    return types.CreateTuningJobConfig(
        tuned_model_display_name=request.display_name,
        validation_dataset=types.TuningValidationDataset(gcs_uri=validation) if validation else None,
        epoch_count=settings.epochs,
        adapter_size=types.AdapterSize(f"ADAPTER_SIZE_{words[size]}") if size else None,
        learning_rate_multiplier=settings.learning_rate_multiplier,
        labels=request.labels or None,
        # An answer that was lost does not mean a job that was not made: a second try could pay for a second one.
        http_options=types.HttpOptions(retry_options=types.HttpRetryOptions(attempts=1)),
    )


def _wait(client: "Client", job: "TuningJob", timeout_seconds: float) -> "TuningJob":
    deadline = time.monotonic() + timeout_seconds
    pause, said = _FIRST_POLL_SECONDS, ""
    name = job.name or ""
    while (state := _state(job)) not in _ENDED:
        if time.monotonic() > deadline:
            raise TuningError(f"tuning job {name} was cancelled: not done after {timeout_seconds / 60:.0f} minutes")
        if state != said:
            _log.info("tuning job %s: %s", name, state)
            said = state
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
        job = client.tunings.get(name=name)
    return job


@contextlib.contextmanager
def _cancelling(client: "Client", name: str) -> Iterator[None]:
    """Cancels the job, which goes on costing money otherwise, if the block is left before the job has ended."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):
            client.tunings.cancel(name=name)
            _log.info("tuning job %s is cancelled", name)
        raise


def _state(job: "TuningJob") -> str:
    return job.state.value if job.state else ""


def _record(job: "TuningJob", base_model: str) -> TuningRecord:
    tuned = job.tuned_model
    if tuned is None or not tuned.model or not tuned.endpoint:
        raise TuningError(f"tuning job {job.name} succeeded but names no model or endpoint")
    spec = job.supervised_tuning_spec
    hyper = spec.hyper_parameters if spec else None
    stats = job.tuning_data_stats.supervised_tuning_data_stats if job.tuning_data_stats else None
    return TuningRecord(
        job=job.name or "",
        intent="",
        adopted=False,
        base_model=base_model,
        model=tuned.model,
        endpoint=tuned.endpoint,
        checkpoints=[
            Checkpoint(
                id=one.checkpoint_id or "", epoch=one.epoch or 0, step=one.step or 0, endpoint=one.endpoint or ""
            )
            for one in tuned.checkpoints or []
        ],
        experiment=job.experiment or "",
        epochs=hyper.epoch_count if hyper else None,
        adapter_size=hyper.adapter_size.value if hyper and hyper.adapter_size else None,
        learning_rate_multiplier=hyper.learning_rate_multiplier if hyper else None,
        examples=(stats.tuning_dataset_example_count if stats else 0) or 0,
        steps=(stats.tuning_step_count if stats else 0) or 0,
        billable_tokens=(stats.total_billable_token_count if stats else 0) or 0,
        dropped=_dropped(stats),
        seconds=(job.end_time - job.create_time).total_seconds() if job.end_time and job.create_time else 0.0,
    )


def _dropped(stats: "SupervisedTuningDataStats | None") -> DroppedExamples:
    return DroppedExamples(
        count=(stats.total_truncated_example_count if stats else 0) or 0,
        indices=list((stats.truncated_example_indices if stats else None) or []),
        reasons=list((stats.dropped_example_reasons if stats else None) or []),
    )
