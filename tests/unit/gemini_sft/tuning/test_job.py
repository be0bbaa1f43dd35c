"""`tune` with the real SDK, against a small tuning service on 127.0.0.1."""

import json
import re
from typing import Any

import pytest
from google.genai.types import AdapterSize

from gemini_sft.catalog import catalog
from gemini_sft.errors import GeminiSftError, ServiceError, TuningError, UserError
from gemini_sft.tuning import Base, TuningRecord, making, tune
from tests.unit.gemini_sft.tuning.tuner import NAME, PLACE, TUNED, Clock, Tuner, refusal, request

# google-genai's own, at its first tuning job.
pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")


def test_a_job_that_succeeds(tuner: Tuner) -> None:
    tuner.extra |= {
        "experiment": f"{PLACE}/metadataStores/default/contexts/x",
        "createTime": "2026-11-22T10:00:00Z",
        "endTime": "2026-11-22T10:01:30Z",
        "supervisedTuningSpec": {
            "hyperParameters": {"epochCount": "3", "adapterSize": "ADAPTER_SIZE_FOUR", "learningRateMultiplier": 1.5}
        },
        "tuningDataStats": {
            "supervisedTuningDataStats": {
                "tuningDatasetExampleCount": "98",
                "tuningStepCount": "27",
                "totalBillableTokenCount": "1234",
                "totalTruncatedExampleCount": "2",
                "truncatedExampleIndices": ["5", "9"],
                "droppedExampleReasons": ["too long", "empty"],
            }
        },
    }
    tuner.states = ["JOB_STATE_SUCCEEDED"]
    wish = request(epochs=3, adapter_size=4, learning_rate_multiplier=1.5)
    record = tune(wish)
    assert record.model_dump() == {
        "job": NAME,
        "intent": wish.intent,
        "adopted": False,
        "made_by": "run-1",
        "trial": "",
        "base_model": "gemini-2.5-flash",
        "started_from": None,
        "started_from_checkpoint": None,
        "model": TUNED["model"],
        "endpoint": TUNED["endpoint"],
        "checkpoints": [{"id": "1", "epoch": 1, "step": 9, "endpoint": "projects/7/locations/us/endpoints/4"}],
        "experiment": f"{PLACE}/metadataStores/default/contexts/x",
        "epochs": 3,
        "adapter_size": "ADAPTER_SIZE_FOUR",
        "learning_rate_multiplier": 1.5,
        "examples": 98,
        "steps": 27,
        "billable_tokens": 1234,
        "dropped": {"count": 2, "indices": [5, 9], "reasons": ["too long", "empty"]},
        "evaluations": [],
        "notes": [],
        "seconds": 90.0,
    }
    assert TuningRecord.model_validate(json.loads(record.model_dump_json())) == record
    (posted,) = tuner.posted
    assert posted["baseModel"] == "gemini-2.5-flash" and posted["tunedModelDisplayName"] == "run-1"
    assert posted["labels"] == {"experiment": "demo", "run": "run-1", "intent": wish.intent}
    assert posted["supervisedTuningSpec"] == {
        "trainingDatasetUri": "gs://b/t",
        "validationDatasetUri": "gs://b/v",
        "hyperParameters": {"epochCount": 3, "adapterSize": "ADAPTER_SIZE_FOUR", "learningRateMultiplier": 1.5},
    }


def test_what_was_not_set_is_not_sent(tuner: Tuner) -> None:
    record = tune(request(validation=None))
    (posted,) = tuner.posted
    assert posted["supervisedTuningSpec"] == {"trainingDatasetUri": "gs://b/t"}
    assert set(posted) == {"baseModel", "labels", "supervisedTuningSpec", "tunedModelDisplayName"}
    assert (record.epochs, record.adapter_size, record.examples, record.dropped.count) == (None, None, 0, 0)


def test_what_a_job_carries(tuner: Tuner) -> None:
    key = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"
    tune(
        request(
            labels={"team": "search"},
            description="Monday's",
            service_account="tuner@p.iam.gserviceaccount.com",
            kms_key=key,
            evaluation=["exact_match", "bleu", "rouge"],
        )
    )
    (posted,) = tuner.posted
    assert posted["labels"]["team"] == "search" and posted["labels"]["run"] == "run-1"
    assert posted["description"] == "Monday's"
    assert posted["serviceAccount"] == "tuner@p.iam.gserviceaccount.com"
    assert posted["encryptionSpec"] == {"kms_key_name": key}
    evaluation = posted["supervisedTuningSpec"]["evaluationConfig"]
    assert evaluation["outputConfig"] == {"gcs_destination": {"output_uri_prefix": "gs://b/evaluation"}}
    metrics = [{name: one for name, one in metric.items() if one is not None} for metric in evaluation["metrics"]]
    wanted: list[dict[str, Any]] = [{"exact_match_spec": {}}, {"bleu_spec": {}}]
    assert metrics[:2] == [one | {"aggregation_metrics": ["AVERAGE", "STANDARD_DEVIATION"]} for one in wanted]
    assert metrics[2]["rouge_spec"]["rouge_type"] == "rougeLsum"


def test_a_tuned_model_is_tuned_further(tuner: Tuner) -> None:
    base = Base(id="gemini-2.5-flash", model=f"{PLACE}/models/5@2", checkpoint="3", endpoint=f"{PLACE}/endpoints/8")
    record = tune(request(base=base))
    (posted,) = tuner.posted
    assert "baseModel" not in posted
    assert posted["preTunedModel"] == {"tuned_model_name": f"{PLACE}/models/5@2", "checkpoint_id": "3"}
    assert (record.base_model, record.started_from) == ("gemini-2.5-flash", f"{PLACE}/models/5@2")
    assert record.lineage()["started_from_checkpoint"] == "3"


def test_every_adapter_size_of_the_catalog_is_one_of_the_sdks() -> None:
    words = {1: "ONE", 2: "TWO", 4: "FOUR", 8: "EIGHT", 16: "SIXTEEN", 32: "THIRTY_TWO"}
    for size in {size for model in catalog().models.values() for size in model.adapter_sizes}:
        word = request(adapter_size=size).config().adapter_size
        assert word is not None and word.value == f"ADAPTER_SIZE_{words[size]}" and word in list(AdapterSize)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"attempt": 2}, False),
        ({"epochs": 2}, False),
        ({"adapter_size": 4}, False),
        ({"learning_rate_multiplier": 0.5}, False),
        ({"evaluation": ["bleu"]}, False),
        ({"kms_key": "projects/p/locations/l/keyRings/r/cryptoKeys/k"}, False),
        ({"timeout_minutes": 5}, True),
        ({"labels": {"a": "b"}}, True),
        ({"description": "other"}, True),
        ({"checkpoint": "last"}, True),
        ({"max_dropped_rate": 0.5}, True),
        ({"service_account": "a@b"}, True),
        ({"allow_retiring": True}, True),
        ({"base": Base(id="gemini-2.5-pro")}, False),
        ({"validation": None}, False),
    ],
)
def test_an_intent_is_what_decides_which_model_comes_out(change: dict[str, Any], same: bool) -> None:
    assert (request(**change).intent == request().intent) is same
    assert re.fullmatch("[0-9a-f]{40}", request(**change).intent)


@pytest.mark.parametrize(
    ("word", "extra", "said"),
    [
        ("FAILED", {"error": {"code": 3, "message": "12 % were dropped."}}, "12 % were dropped (the data or a setting"),
        ("FAILED", {"error": {"code": 13, "message": "oops"}}, "oops (if the fault is Google's, run again"),
        ("FAILED", {"error": {"code": 7, "message": "no"}}, "no (give the account that the job runs as"),
        ("FAILED", {}, "Vertex AI gave no reason (if the fault"),
        ("CANCELLED", {"error": {"code": 1}}, "Vertex AI gave no reason (somebody has cancelled it"),
        ("EXPIRED", {}, "Vertex AI gave no reason (it was not done in the time"),
        ("PARTIALLY_SUCCEEDED", {"error": {"code": 13, "message": "half"}}, "half (if the fault is Google's"),
    ],
)
def test_a_job_that_ends_otherwise(tuner: Tuner, word: str, extra: dict[str, Any], said: str) -> None:
    tuner.states[-1] = f"JOB_STATE_{word}"
    tuner.extra = extra
    with pytest.raises(TuningError) as caught:
        tune(request())
    assert str(caught.value).startswith(f"tuning job {NAME} ended as {word}: {said}")
    assert tuner.cancelled == []


def test_a_job_that_succeeded_in_part_brings_its_model_and_says_so(tuner: Tuner) -> None:
    tuner.states[-1] = "JOB_STATE_PARTIALLY_SUCCEEDED"
    tuner.extra |= {"error": {"code": 13, "message": "2 of 3 checkpoints were lost."}}
    record = tune(request())
    assert record.model == TUNED["model"]
    assert record.notes == ["The tuning job succeeded only in part: 2 of 3 checkpoints were lost."]


@pytest.mark.parametrize(("lacking", "word"), [({"model": TUNED["model"]}, "endpoint"), (None, "model")])
def test_success_without_a_model_is_none(tuner: Tuner, lacking: dict[str, str] | None, word: str) -> None:
    tuner.extra = {"tunedModel": lacking} if lacking else {}
    with pytest.raises(TuningError) as caught:
        tune(request())
    assert str(caught.value).startswith(f"tuning job {NAME} succeeded but names no {word}: look at it in the console")


def test_what_the_job_itself_evaluated(tuner: Tuner) -> None:
    results = [
        {"aggregationMetric": "AVERAGE", "exactMatchMetricValue": {"score": 0.5}},
        {"aggregationMetric": "STANDARD_DEVIATION", "exactMatchMetricValue": {"score": 0.1}},
        {"rougeMetricValue": {"score": 0.25}},
        {},
    ]
    tuner.extra |= {
        "evaluateDatasetRuns": [
            {"checkpointId": "1", "evaluateDatasetResponse": {"aggregationOutput": {"aggregationResults": results}}},
            {"checkpointId": "2", "error": {"code": 13, "message": "no room"}},
        ]
    }
    first, second = tune(request(evaluation=["exact_match", "rouge"])).evaluations
    assert (first.checkpoint, first.scores, first.error) == ("1", {"exact_match": 0.5, "rouge": 0.25}, None)
    assert (second.checkpoint, second.scores, second.error) == ("2", {}, "no room")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (400, "INVALID_ARGUMENT", UserError),
        (403, "PERMISSION_DENIED", UserError),
        (404, "NOT_FOUND", UserError),
        (501, "UNIMPLEMENTED", ServiceError),
    ],
)
def test_a_refusal(tuner: Tuner, code: int, status: str, kind: type[GeminiSftError]) -> None:
    tuner.creations = [refusal(code, status)]
    with pytest.raises(kind) as caught:
        tune(request())
    assert str(caught.value) == f"Vertex AI refused the tuning job: {code} {status}: told you"
    assert len(tuner.posted) == 1, "what is refused is not asked for again"


def test_no_room_for_a_job_is_waited_for(tuner: Tuner, clock: Clock) -> None:
    tuner.creations = [refusal(429, "RESOURCE_EXHAUSTED")] * 2
    assert tune(request()).job == NAME
    assert len(tuner.posted) == 3 and clock.monotonic() < 60


def test_a_service_that_never_makes_a_job_ends_the_step(tuner: Tuner, clock: Clock) -> None:
    tuner.creations = [refusal(503, "UNAVAILABLE")] * 9
    with pytest.raises(
        ServiceError, match=r"did not make the tuning job: ServerError: 503 UNAVAILABLE.*told you.*; run again later"
    ):
        tune(request())
    assert len(tuner.posted) == making._MOST_REQUESTS
    assert clock.monotonic() > 2 * making._SETTLE_SECONDS, "each time it may have been made after all"
