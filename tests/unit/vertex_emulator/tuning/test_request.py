"""Every refusal: its status, the field that it names, and words of its message."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError
from vertex_emulator.registry import add_version
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.request import read_request

LOCATION = "projects/123456789012/locations/us-central1"
SPEC = {"trainingDatasetUri": "gs://bucket/train.jsonl"}
JOB = {"baseModel": "gemini-2.5-flash", "supervisedTuningSpec": SPEC}
EVALUATION = {"outputConfig": {"gcsDestination": {"outputUriPrefix": "gs://bucket/e"}}}
KEY = {"kmsKeyName": "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"}


class Service:
    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "vertex.db")
        self.objects = ObjectStore(folder / "storage", self.database)
        self.serving = Serving(self.database, folder / "adapters")
        self.tuned = add_version(
            self.database,
            LOCATION,
            model_id=None,
            display_name="mine",
            labels={},
            base_model="gemini-2.5-flash",
            checkpoints=[{"checkpointId": each, "epoch": each, "step": each} for each in "12"],
            default_checkpoint_id="2",
        )

    def read(self, body: dict[str, Any], location: str = LOCATION) -> dict[str, Any]:
        return read_request(body, location, self.database, self.objects, self.serving)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("request"))
    yield service
    service.database.close()


def spec(**fields: Any) -> dict[str, Any]:
    return JOB | {"supervisedTuningSpec": SPEC | fields}


def parameters(**fields: Any) -> dict[str, Any]:
    return spec(hyperParameters=fields)


def continued(**fields: Any) -> dict[str, Any]:
    return {"preTunedModel": fields, "supervisedTuningSpec": SPEC}


INVALID, LATER, FAILED = "INVALID_ARGUMENT", "UNIMPLEMENTED", "FAILED_PRECONDITION"

REFUSALS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no spec": (
        {"baseModel": "gemini-2.5-flash"},
        INVALID,
        "tuning_job.supervised_tuning_spec",
        "is required",
    ),
    "preference": (
        {"baseModel": "gemini-2.5-flash", "preferenceOptimizationSpec": SPEC},
        LATER,
        "tuning_job.preferenceOptimizationSpec",
        "supervised tuning only",
    ),
    "distillation": (
        {"baseModel": "gemini-2.5-flash", "distillation_spec": {}},
        LATER,
        "tuning_job.distillation_spec",
        "supervised tuning only",
    ),
    "supervised and more": (
        JOB | {"reinforcementTuningSpec": {}},
        LATER,
        "tuning_job.reinforcementTuningSpec",
        "only",
    ),
    "unknown field": (JOB | {"epochs": 3}, INVALID, "tuning_job", "Unknown name \"epochs\" at 'tuning_job'"),
    "unknown parameter": (
        parameters(epochs=3),
        INVALID,
        "tuning_job.supervisedTuningSpec.hyperParameters",
        'Unknown name "epochs"',
    ),
    # protobuf leaves the member of a oneof, supervisedTuningSpec, out of the path of a value's error.
    "wrong type": (
        parameters(epochCount="many"),
        INVALID,
        "tuning_job.hyperParameters.epochCount",
        "Invalid value",
    ),
    "no model": (
        {"supervisedTuningSpec": SPEC},
        INVALID,
        "tuning_job.base_model",
        "base_model or pre_tuned_model",
    ),
    "two models": (JOB | {"preTunedModel": {}}, INVALID, "tuning_job", "source_model"),
    "unknown model": (
        JOB | {"baseModel": "gemini-9"},
        INVALID,
        "tuning_job.base_model",
        "gemini-9 is not supported. Supported base models: gemini-3.5-flash, gemini-3.5-flash-lite",
    ),
    "publisher name": (
        JOB | {"baseModel": "publishers/google/models/gemini-2.5-flash"},
        INVALID,
        "tuning_job.base_model",
        "is not supported",
    ),
    "tuned model as base": (
        JOB | {"baseModel": "projects/p/locations/us-central1/models/1@1"},
        INVALID,
        "tuning_job.base_model",
        "continued with pre_tuned_model",
    ),
    "retired": (
        JOB | {"baseModel": "gemini-2.0-flash-001"},
        INVALID,
        "tuning_job.base_model",
        "gemini-2.0-flash-001 was retired on 2026-06-01 and can no longer be tuned. Supported",
    ),
    "not tunable": (
        JOB | {"baseModel": "gemini-3.8-flash"},
        INVALID,
        "tuning_job.base_model",
        "does not support tuning",
    ),
    "tuned model's form": (
        continued(tunedModelName="models/1"),
        INVALID,
        "tuning_job.pre_tuned_model.tuned_model_name",
        "Invalid tuned model name 'models/1'",
    ),
    "tuned model elsewhere": (
        continued(tunedModelName="projects/123456789012/locations/europe-west4/models/1@1"),
        INVALID,
        "tuning_job.pre_tuned_model.tuned_model_name",
        "must be in the location of the job",
    ),
    "no training data": (
        JOB | {"supervisedTuningSpec": {"validationDatasetUri": "gs://bucket/v.jsonl"}},
        INVALID,
        "tuning_job.supervised_tuning_spec.training_dataset_uri",
        "is required",
    ),
    "local file": (
        spec(trainingDatasetUri="/etc/passwd"),
        INVALID,
        "tuning_job.supervised_tuning_spec.training_dataset_uri",
        "/etc/passwd. It must be the Cloud Storage URI",
    ),
    "bucket only": (
        spec(trainingDatasetUri="gs://bucket"),
        INVALID,
        "tuning_job.supervised_tuning_spec.training_dataset_uri",
        "gs://BUCKET/OBJECT",
    ),
    "validation on the web": (
        spec(validationDatasetUri="https://example.com/v.jsonl"),
        INVALID,
        "tuning_job.supervised_tuning_spec.validation_dataset_uri",
        "https://example.com/v.jsonl",
    ),
    "managed dataset": (
        spec(trainingDatasetUri="projects/p/locations/us-central1/datasets/1"),
        LATER,
        "tuning_job.supervised_tuning_spec.training_dataset_uri",
        "not multimodal datasets",
    ),
    "too many epochs": (
        parameters(epochCount=101),
        INVALID,
        "tuning_job.supervised_tuning_spec.hyper_parameters.epoch_count",
        "between 1 and 100, got 101",
    ),
    "negative epochs": (
        parameters(epochCount="-1"),
        INVALID,
        "tuning_job.supervised_tuning_spec.hyper_parameters.epoch_count",
        "between 1 and 100, got -1",
    ),
    "learning rate too high": (
        parameters(learningRateMultiplier=10.1),
        INVALID,
        "tuning_job.supervised_tuning_spec.hyper_parameters.learning_rate_multiplier",
        "above 0 and at most 10, got 10.1",
    ),
    "negative learning rate": (
        parameters(learningRateMultiplier=-1),
        INVALID,
        "tuning_job.supervised_tuning_spec.hyper_parameters.learning_rate_multiplier",
        "got -1.0",
    ),
    "learning rate is no number": (
        parameters(learningRateMultiplier="NaN"),
        INVALID,
        "tuning_job.supervised_tuning_spec.hyper_parameters.learning_rate_multiplier",
        "got nan",
    ),
    "absolute learning rate": (
        parameters(learningRate=0.1),
        INVALID,
        "tuning_job.supervised_tuning_spec.hyper_parameters.learning_rate",
        "open models only",
    ),
    "adapter of open models": (
        parameters(adapterSize="ADAPTER_SIZE_THIRTY_TWO"),
        INVALID,
        "tuning_job.supervised_tuning_spec.hyper_parameters.adapter_size",
        "Supported: ADAPTER_SIZE_ONE, ADAPTER_SIZE_TWO, ADAPTER_SIZE_FOUR, ADAPTER_SIZE_EIGHT, ADAPTER_SIZE_SIXTEEN.",
    ),
    "adapter that the model lacks": (
        parameters(adapterSize="ADAPTER_SIZE_SIXTEEN") | {"baseModel": "gemini-2.5-pro"},
        INVALID,
        "tuning_job.supervised_tuning_spec.hyper_parameters.adapter_size",
        "ADAPTER_SIZE_SIXTEEN is not supported for gemini-2.5-pro. Supported: ADAPTER_SIZE_ONE, ADAPTER_SIZE_TWO,"
        " ADAPTER_SIZE_FOUR, ADAPTER_SIZE_EIGHT.",
    ),
    "adapter number": (
        parameters(adapterSize=77),
        INVALID,
        "tuning_job.supervised_tuning_spec.hyper_parameters.adapter_size",
        "77 is not supported",
    ),
    "adapter word": (
        parameters(adapterSize="FOUR"),
        INVALID,
        "tuning_job.hyperParameters.adapterSize",
        "FOUR",
    ),
    "full tuning": (
        spec(tuningMode="TUNING_MODE_FULL"),
        INVALID,
        "tuning_job.supervised_tuning_spec.tuning_mode",
        "full fine-tuning",
    ),
    "own weights": (
        JOB | {"customBaseModel": "gs://bucket/m"},
        INVALID,
        "tuning_job.custom_base_model",
        "open models only",
    ),
    "display name": (
        JOB | {"tunedModelDisplayName": "x" * 129},
        INVALID,
        "tuning_job.tuned_model_display_name",
        "129 characters, at most 128",
    ),
    "too many labels": (JOB | {"labels": {f"k{n}": "v" for n in range(65)}}, INVALID, "labels", "at most 64"),
    "label key": (JOB | {"labels": {"1st": "v"}}, INVALID, "labels", "1st"),
    "label key's letters": (JOB | {"labels": {"Team": "v"}}, INVALID, "labels", "Team"),
    "label value": (JOB | {"labels": {"team": "a b"}}, INVALID, "labels", "a b"),
    "label value's length": (JOB | {"labels": {"team": "v" * 64}}, INVALID, "labels", "63"),
    "key on Gemini 3": (
        JOB | {"baseModel": "gemini-3.5-flash", "encryptionSpec": KEY},
        INVALID,
        "tuning_job.encryption_spec",
        "not supported for tuning gemini-3.5-flash",
    ),
    "evaluation on Gemini 3": (
        spec(evaluationConfig=EVALUATION) | {"baseModel": "gemini-3.1-flash-lite"},
        INVALID,
        "tuning_job.supervised_tuning_spec.evaluation_config",
        "not supported for gemini-3.1-flash-lite",
    ),
    "evaluation by a judge": (
        spec(evaluationConfig={**EVALUATION, "metrics": [{"pairwise_metric_spec": {}}]}),
        LATER,
        "tuning_job.supervised_tuning_spec.evaluation_config.metrics[0].pairwise_metric_spec",
        "the emulator has no judge",
    ),
    "evaluation without metrics": (
        spec(evaluationConfig=EVALUATION),
        INVALID,
        "tuning_job.supervised_tuning_spec.evaluation_config.metrics",
        "at least one metric",
    ),
}


@pytest.mark.parametrize(("body", "status", "field", "words"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(service: Service, body: dict[str, Any], status: str, field: str, words: str) -> None:
    with pytest.raises(ApiError) as refused:
        service.read(body)
    error = refused.value
    assert (error.status, error.code) == (status, 501 if status == LATER else 400)
    assert error.details[0]["fieldViolations"][0]["field"] == field
    assert words in error.message


@pytest.mark.parametrize(
    ("place", "status", "words"),
    [
        (
            "global",
            FAILED,
            "not available in the global location. gemini-2.5-flash is tuned in: us-central1, europe",
        ),
        (
            "asia-east1",
            INVALID,
            "gemini-2.5-flash cannot be tuned in asia-east1. It is tuned in: us-central1, europe",
        ),
        ("us", INVALID, "cannot be tuned in us."),
    ],
)
def test_locations_that_do_not_tune(service: Service, place: str, status: str, words: str) -> None:
    with pytest.raises(ApiError) as refused:
        service.read(JOB, f"projects/123456789012/locations/{place}")
    error = refused.value
    assert (error.status, error.code) == (status, 400)
    assert error.details[0]["fieldViolations"][0]["field"] == "parent"
    assert words in error.message


def test_what_only_the_service_sets_is_passed_over(service: Service) -> None:
    sent = JOB | {
        "name": "projects/p/locations/us-central1/tuningJobs/7",
        "state": "JOB_STATE_SUCCEEDED",
        "createTime": "2020-01-01T00:00:00Z",
        "experiment": "x",
        "tunedModel": {"model": "x"},
        "error": {"code": 3},
        "pipelineJob": "x",
    }
    assert service.read(sent) == JOB


def test_all_that_a_client_may_say_is_kept(service: Service) -> None:
    kept = {
        "baseModel": "gemini-2.5-pro",
        "supervisedTuningSpec": {
            "trainingDatasetUri": "gs://bucket/train.jsonl",
            "validationDatasetUri": "gs://bucket/v.jsonl",
            "hyperParameters": {
                "epochCount": "100",
                "learningRateMultiplier": 10.0,
                "adapterSize": "ADAPTER_SIZE_EIGHT",
            },
            "exportLastCheckpointOnly": True,
        },
        "tunedModelDisplayName": "x" * 128,
        "description": "d",
        "labels": {f"k{n}": "" for n in range(63)} | {"a" * 63: "0-_"},
        "encryptionSpec": KEY,
        "serviceAccount": "a@b",
    }
    assert service.read(kept) == kept


def test_snake_case_numbers_and_zeros(service: Service) -> None:
    read = service.read(
        {
            "base_model": "gemini-2.5-flash",
            "supervised_tuning_spec": {
                "training_dataset_uri": "gs://bucket/t",
                "hyper_parameters": {"epoch_count": 3, "learning_rate_multiplier": 0, "adapter_size": 6},
            },
        }
    )
    spec = {
        "trainingDatasetUri": "gs://bucket/t",
        "hyperParameters": {"epochCount": "3", "adapterSize": "ADAPTER_SIZE_TWO"},
    }
    assert read == {"baseModel": "gemini-2.5-flash", "supervisedTuningSpec": spec}


def test_a_path_of_an_existing_object_is_a_dataset(service: Service) -> None:
    path = service.objects.root / "bucket" / "train.jsonl"
    with pytest.raises(ApiError, match="Invalid training_dataset_uri"):
        service.read(spec(trainingDatasetUri=str(path)))
    path.parent.mkdir()
    path.write_text("{}", "utf-8")
    assert service.read(spec(trainingDatasetUri=str(path)))["supervisedTuningSpec"]["trainingDatasetUri"] == str(path)


@pytest.mark.parametrize(
    ("name", "checkpoint", "found"),
    [("{}", None, "2"), ("{}", "1", "1"), ("{unversioned}", None, "2"), ("{unversioned}@default", "1", "1")],
)
def test_a_tuned_model_is_found(service: Service, name: str, checkpoint: str | None, found: str) -> None:
    given = {"tunedModelName": name.format(service.tuned, unversioned=service.tuned.partition("@")[0])}
    read = service.read(continued(**given, **({"checkpointId": checkpoint} if checkpoint else {})))
    assert read["preTunedModel"] == {
        "tunedModelName": service.tuned,
        "checkpointId": found,
        "baseModel": "gemini-2.5-flash",
    }


def test_tuned_models_that_are_not_there(service: Service) -> None:
    with pytest.raises(ApiError) as refused:
        service.read(continued(tunedModelName=f"{LOCATION}/models/77@1"))
    assert refused.value.code == 404
    with pytest.raises(ApiError) as refused:
        service.read(continued(tunedModelName=service.tuned, checkpointId="3"))
    error = refused.value
    assert error.details[0]["fieldViolations"][0]["field"] == "tuning_job.pre_tuned_model.checkpoint_id"
    assert "has no checkpoint 3. Its checkpoints: 1, 2." in error.message
