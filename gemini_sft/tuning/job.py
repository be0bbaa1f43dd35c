"""From a wish for a tuned model to the record of the job that brought it."""

import logging
from typing import TYPE_CHECKING

from gemini_sft.errors import ServiceError, TuningError, UserError
from gemini_sft.experiment.tuning import JobMetric
from gemini_sft.refusals import no_credentials
from gemini_sft.terminating import terminable
from gemini_sft.tuning.dropping import dropped_of
from gemini_sft.tuning.ending import why_ended
from gemini_sft.tuning.following import follow
from gemini_sft.tuning.making import find_or_make
from gemini_sft.tuning.record import Checkpoint, JobEvaluation, TuningRecord
from gemini_sft.tuning.request import TuningRequest
from gemini_sft.tuning.service import describe, passes
from gemini_sft.tuning.states import Stand, stand, state_of

if TYPE_CHECKING:
    from google.genai.types import EvaluateDatasetRun, TuningJob

_REMEDIES = {
    3: "the data or a setting is wrong: `gemini-sft check` tells what it can",
    5: "something that the job names is not there",
    7: "give the account that the job runs as, or the project's tuning service agent"
    " (service-PROJECT_NUMBER@gcp-sa-vertex-tune.iam.gserviceaccount.com), roles/storage.objectUser on the bucket",
    8: "Google has no capacity left, or the project no quota of tuning jobs, models or endpoints: delete old ones, or"
    " try later",
    9: "the project or the model is not in a state in which it can be tuned",
}
"""By the code of google.rpc.Code."""
_ANY_REMEDY = "if the fault is Google's, run again: a new job is made"


_log = logging.getLogger(__name__)


def tune(request: TuningRequest) -> TuningRecord:
    """Returns what the job of an intent has brought: the job that there is, or one that is made, waited for to its end.

    Raises:
        UserError: Vertex AI refused the request as wrong.
        TuningError: The job ended without a model, took longer than `settings.timeout_minutes`, or left out too many
            examples; if it was still going, it has been cancelled.
        ServiceError: Vertex AI did not answer. The job, if there is one, goes on; another attempt goes on with it.
    """
    from google.auth.exceptions import GoogleAuthError
    from google.genai.errors import APIError

    try:
        with terminable():
            job, adopted = find_or_make(request)
            if adopted:
                maker = (job.labels or {}).get("run", "another run")
                _log.info("%s %s was made by %s already: it is not paid for again", request.title, job.name, maker)
            job = follow(request, job)
    except Exception as error:
        if isinstance(error, GoogleAuthError) and not passes(error):
            raise UserError(no_credentials("Vertex AI", error)) from error
        if passes(error) or isinstance(error, APIError):
            raise ServiceError(f"Vertex AI did not say how the tuning job is: {describe(error)}") from error
        raise
    return _record(request, job, adopted)


def _record(request: TuningRequest, job: "TuningJob", adopted: bool) -> TuningRecord:
    tuned = job.tuned_model
    how = stand(job)
    if how is Stand.ENDED or (how is Stand.PARTLY and not (tuned and tuned.model and tuned.endpoint)):
        raise TuningError(f"{request.title} {job.name} {_failure(request, job)}")
    if tuned is None or not tuned.model or not tuned.endpoint:
        lacking = "endpoint" if tuned and tuned.model else "model"
        raise TuningError(
            f"{request.title} {job.name} succeeded but names no {lacking}: look at it in the console, and set"
            " tuning.attempt to another number to tune anew"
        )
    spec = job.supervised_tuning_spec
    hyper = spec.hyper_parameters if spec else None
    stats = job.tuning_data_stats.supervised_tuning_data_stats if job.tuning_data_stats else None
    return TuningRecord(
        job=job.name or "",
        intent=request.intent,
        adopted=adopted,
        made_by=(job.labels or {}).get("run", ""),
        trial=request.trial,
        base_model=request.base.id,
        started_from=request.base.model,
        started_from_checkpoint=request.base.checkpoint,
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
        dropped=dropped_of(stats),
        evaluations=[_evaluation(one) for one in job.evaluate_dataset_runs or []],
        notes=[_partly(job)] if how is Stand.PARTLY else [],
        seconds=(job.end_time - job.create_time).total_seconds() if job.end_time and job.create_time else 0.0,
    )


def _failure(request: TuningRequest, job: "TuningJob") -> str:
    """Says how a job ended, why by Google's own words, and what to do."""
    if why := why_ended(request, job):
        return f"was cancelled: {why}"
    code = job.error.code if job.error else None
    state = state_of(job).removeprefix("JOB_STATE_")
    remedy = {
        "CANCELLED": "somebody has cancelled it: run again to make another",
        "EXPIRED": "it was not done in the time that Vertex AI gives a job: run again, or with fewer epochs",
    }.get(state) or _REMEDIES.get(code or 0, _ANY_REMEDY)
    others = "; what other trials have tuned is kept, and a new run adopts it" if request.trial else ""
    return f"ended as {state}: {_reason(job)} ({remedy}{others})"


def _partly(job: "TuningJob") -> str:
    return f"The tuning job succeeded only in part: {_reason(job)}."


def _reason(job: "TuningJob") -> str:
    said = job.error.message if job.error else None
    return (said or "Vertex AI gave no reason").strip().removesuffix(".")


def _evaluation(run: "EvaluateDatasetRun") -> JobEvaluation:
    from google.genai.types import AggregationMetric

    answer = run.evaluate_dataset_response
    results = (answer.aggregation_output.aggregation_results if answer and answer.aggregation_output else None) or []
    scores: dict[str, float] = {}
    for result in results:
        if result.aggregation_metric not in (None, AggregationMetric.AVERAGE):
            continue  # their standard deviation comes too
        values = {
            JobMetric.EXACT_MATCH: result.exact_match_metric_value,
            JobMetric.BLEU: result.bleu_metric_value,
            JobMetric.ROUGE: result.rouge_metric_value,
        }
        scores |= {name.value: value.score for name, value in values.items() if value and value.score is not None}
    return JobEvaluation(
        checkpoint=run.checkpoint_id or "", scores=scores, error=run.error.message if run.error else None
    )
