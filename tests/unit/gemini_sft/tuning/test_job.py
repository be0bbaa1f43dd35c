"""`tune` with the real SDK, against a small tuning service on 127.0.0.1."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from google.genai.types import AdapterSize
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gemini_sft.catalog import catalog
from gemini_sft.errors import ServiceError, TuningError, UserError
from gemini_sft.experiment import Tuning
from gemini_sft.tuning import TuningRecord, TuningRequest, job, tune

# google-genai's own, at its first tuning job.
pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")

NAME = "projects/7/locations/us-central1/tuningJobs/1"
TUNED = {
    "model": "projects/7/locations/us/models/3@1",
    "endpoint": "projects/7/locations/us/endpoints/42",
    "checkpoints": [
        {"checkpointId": "1", "epoch": "1", "step": "9", "endpoint": "projects/7/locations/us/endpoints/4"}
    ],
}


class Tuner:
    """Goes through `states`; stays in the last."""

    def __init__(self) -> None:
        self.states = ["JOB_STATE_PENDING", "JOB_STATE_RUNNING", "JOB_STATE_SUCCEEDED"]
        self.extra: dict[str, Any] = {"tunedModel": TUNED}
        self.refusal: tuple[int, str] | None = None
        self.posted: list[dict[str, Any]] = []
        self.cancelled = False

    def _job(self) -> Response:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return JSONResponse({"name": NAME, "state": state, "baseModel": "gemini-2.5-flash"} | self.extra)

    async def create(self, request: Request) -> Response:
        if self.refusal:
            code, status = self.refusal
            return JSONResponse({"error": {"code": code, "status": status, "message": "told you"}}, code)
        self.posted.append(await request.json())
        return self._job()

    async def get(self, request: Request) -> Response:
        return self._job()

    async def cancel(self, request: Request) -> Response:
        self.cancelled = True
        return JSONResponse({})


@pytest.fixture
def tuner(serve: Callable[[Sequence[BaseRoute]], str], monkeypatch: pytest.MonkeyPatch) -> Tuner:
    monkeypatch.setattr(job, "_FIRST_POLL_SECONDS", 0.01)
    fake = Tuner()
    serve(
        [
            Route("/v1beta1/projects/p/locations/us-central1/tuningJobs", fake.create, methods=["POST"]),
            Route(f"/v1beta1/{NAME}", fake.get),
            Route(f"/v1beta1/{NAME}:cancel", fake.cancel, methods=["POST"]),
        ]
    )
    return fake


def request(location: str = "us-central1", validation: str | None = "gs://b/v", **settings: Any) -> TuningRequest:
    labels = {"experiment": "demo"}
    return TuningRequest("p", location, "gemini-2.5-flash", "run-1", "gs://b/t", validation, Tuning(**settings), labels)


def impatient(minutes: float) -> TuningRequest:
    """A request that waits for less than the schema allows."""
    return dataclasses.replace(request(), settings=Tuning().model_copy(update={"timeout_minutes": minutes}))


def test_a_job_that_succeeds(tuner: Tuner) -> None:
    tuner.extra |= {
        "experiment": "projects/7/locations/us-central1/metadataStores/default/contexts/x",
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
    record = tune(request(epochs=3, adapter_size=4, learning_rate_multiplier=1.5))
    assert record.model_dump() == {
        "job": NAME,
        "base_model": "gemini-2.5-flash",
        "model": TUNED["model"],
        "endpoint": TUNED["endpoint"],
        "checkpoints": [{"id": "1", "epoch": 1, "step": 9, "endpoint": "projects/7/locations/us/endpoints/4"}],
        "experiment": "projects/7/locations/us-central1/metadataStores/default/contexts/x",
        "epochs": 3,
        "adapter_size": "ADAPTER_SIZE_FOUR",
        "learning_rate_multiplier": 1.5,
        "examples": 98,
        "steps": 27,
        "billable_tokens": 1234,
        "dropped": {"count": 2, "indices": [5, 9], "reasons": ["too long", "empty"]},
        "seconds": 90.0,
    }
    assert TuningRecord.model_validate(json.loads(record.model_dump_json())) == record
    (posted,) = tuner.posted
    assert posted["baseModel"] == "gemini-2.5-flash" and posted["tunedModelDisplayName"] == "run-1"
    assert posted["labels"] == {"experiment": "demo"}
    assert posted["supervisedTuningSpec"] == {
        "trainingDatasetUri": "gs://b/t",
        "validationDatasetUri": "gs://b/v",
        "hyperParameters": {"epochCount": 3, "adapterSize": "ADAPTER_SIZE_FOUR", "learningRateMultiplier": 1.5},
    }


def test_what_was_not_set_is_not_sent(tuner: Tuner) -> None:
    record = tune(request(validation=None))
    assert tuner.posted[0]["supervisedTuningSpec"] == {"trainingDatasetUri": "gs://b/t"}
    assert (record.epochs, record.adapter_size, record.examples, record.dropped.count) == (None, None, 0, 0)


def test_every_adapter_size_of_the_catalog_is_one_of_the_sdks() -> None:
    words = {1: "ONE", 2: "TWO", 4: "FOUR", 8: "EIGHT", 16: "SIXTEEN", 32: "THIRTY_TWO"}
    for size in {size for model in catalog().models.values() for size in model.adapter_sizes}:
        word = job._config(request(adapter_size=size)).adapter_size
        assert word is not None and word.value == f"ADAPTER_SIZE_{words[size]}" and word in list(AdapterSize)


@pytest.mark.parametrize(
    ("word", "extra", "reason"),
    [
        ("FAILED", {"error": {"code": 3, "message": "12 % were dropped"}}, "12 % were dropped"),
        ("CANCELLED", {"error": {"code": 1}}, "Vertex AI gave no reason"),
        ("EXPIRED", {}, "Vertex AI gave no reason"),
        ("PARTIALLY_SUCCEEDED", {"tunedModel": TUNED}, "Vertex AI gave no reason"),
        ("PAUSED", {}, "Vertex AI gave no reason"),
    ],
)
def test_a_job_that_ends_otherwise(tuner: Tuner, word: str, extra: dict[str, Any], reason: str) -> None:
    tuner.states[-1] = f"JOB_STATE_{word}"
    tuner.extra = extra
    with pytest.raises(TuningError) as caught:
        tune(impatient(0.02))
    assert str(caught.value) == f"tuning job {NAME} ended as JOB_STATE_{word}: {reason}"


def test_success_without_a_model_is_none(tuner: Tuner) -> None:
    tuner.extra = {"tunedModel": {"model": TUNED["model"]}}
    with pytest.raises(TuningError) as caught:
        tune(request())
    assert str(caught.value) == f"tuning job {NAME} succeeded but names no model or endpoint"


def test_a_job_that_takes_too_long_is_cancelled(tuner: Tuner) -> None:
    tuner.states = ["JOB_STATE_RUNNING"]
    with pytest.raises(TuningError) as caught:
        tune(impatient(0.001))
    assert str(caught.value) == f"tuning job {NAME} was cancelled: not done after 0 minutes"
    assert tuner.cancelled


def test_a_location_that_does_not_tune_is_refused_before_anything_is_sent(tuner: Tuner) -> None:
    with pytest.raises(UserError) as caught:
        tune(request(location="global"))
    assert str(caught.value) == "gemini-2.5-flash cannot be tuned in global: use us-central1 or europe-west4"
    assert tuner.posted == []


@pytest.mark.parametrize(
    ("code", "status", "kind", "message"),
    [
        (400, "INVALID_ARGUMENT", UserError, "Vertex AI refused the tuning job: told you"),
        (501, "UNIMPLEMENTED", ServiceError, "Vertex AI could not make or follow the tuning job: 501 UNIMPLEMENTED"),
    ],
)
def test_a_refusal(tuner: Tuner, code: int, status: str, kind: type[Exception], message: str) -> None:
    tuner.refusal = (code, status)
    with pytest.raises(kind) as caught:
        tune(request())
    assert str(caught.value).startswith(message)
