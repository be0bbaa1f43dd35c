"""What a request for a tuning job may say: everything that the service refuses is refused here, naming the field."""

import re
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.filters import camel_case
from vertex_emulator.protobuf import types
from vertex_emulator.resources import check_fields
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.evaluation.request import check_output, read_evaluation, refuse_judges
from vertex_emulator.tuning.source import ADAPTER_SIZES, BaseModel, check_location, read_source
from vertex_emulator.wire import parse

_ROOT = "tuning_job"
_SPEC = f"{_ROOT}.supervised_tuning_spec"
_HYPER_PARAMETERS = f"{_SPEC}.hyper_parameters"

_OTHER_SPECS = (
    "distillationSamplingSpec",
    "distillationSpec",
    "fullFineTuningSpec",
    "partnerModelTuningSpec",
    "preferenceOptimizationSpec",
    "reinforcementTuningSpec",
    "veoLoraTuningSpec",
    "veoTuningSpec",
)
_DATASETS = {"trainingDatasetUri": "training_dataset_uri", "validationDatasetUri": "validation_dataset_uri"}
_OPEN_MODEL_FIELDS = {"customBaseModel": "custom_base_model", "outputUri": "output_uri"}
_OPEN_MODEL_HYPER_PARAMETERS = {"learningRate": "learning_rate", "batchSize": "batch_size"}
_KEPT = ("tunedModelDisplayName", "description", "labels", "encryptionSpec", "serviceAccount")

_MAX_EPOCHS = 100
_MAX_LEARNING_RATE_MULTIPLIER = 10
_MAX_DISPLAY_NAME = 128
_MANAGED_DATASET = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+")


def read_request(
    body: dict[str, Any], location: str, database: Database, objects: ObjectStore, serving: Serving
) -> dict[str, Any]:
    """Checks a request and returns the fields of the job that it asks for.

    Fields that only the service sets are passed over, as are zeros: in proto3 a number that is 0 was not set.
    That a dataset exists is not checked: the service reads it after it has made the job, and so does the emulator.

    Args:
        body: The JSON object as received.
        location: `projects/NUMBER/locations/LOCATION` of the job.
        database: Where tuned models are looked up.
        objects: Where a dataset may lie that is not named by a gs:// URI.
        serving: Knows the base models.

    Raises:
        ApiError: 400 INVALID_ARGUMENT or FAILED_PRECONDITION for what Vertex refuses; 501 UNIMPLEMENTED for what only
            Vertex can do.
    """
    _check_kind(body)
    given = _of(body, "supervised_tuning_spec")
    refuse_judges(_of(given, "evaluation_config"), f"{_SPEC}.evaluation_config")
    job = parse(body, types.TuningJob, _ROOT)
    if "supervisedTuningSpec" not in job:
        raise invalid(f"{_ROOT}.tuning_spec is required: set supervised_tuning_spec.", _SPEC)
    for name, field in _OPEN_MODEL_FIELDS.items():
        if name in job:
            raise invalid(f"{field} is for open models only.", f"{_ROOT}.{field}")
    source, base = read_source(job, location, database, serving)
    check_location(base, location)
    spec = job["supervisedTuningSpec"]
    _check_datasets(spec, objects)
    _check_hyper_parameters(spec, base)
    _check_texts(job)
    if base.only_multi_region and job.get("encryptionSpec", {}).get("kmsKeyName"):
        raise invalid(
            f"Customer-managed encryption keys are not supported for tuning {base.id}.",
            f"{_ROOT}.encryption_spec",
        )
    _check_evaluation(spec, base, objects)
    return source | {"supervisedTuningSpec": spec} | {name: job[name] for name in _KEPT if name in job}


def _of(body: Any, field: str) -> Any:
    return body.get(field, body.get(camel_case(field))) if isinstance(body, dict) else None


def _check_kind(body: dict[str, Any]) -> None:
    plain = {name.replace("_", "").lower(): name for name in body if body[name] is not None}
    for spec in _OTHER_SPECS:
        if spec.lower() in plain:
            raise ApiError(
                "UNIMPLEMENTED",
                f"{spec}: the emulator plays supervised tuning only. Use supervisedTuningSpec, or Vertex AI itself.",
                field=f"{_ROOT}.{plain[spec.lower()]}",
            )


def _check_datasets(spec: dict[str, Any], objects: ObjectStore) -> None:
    if "trainingDatasetUri" not in spec:
        raise invalid("training_dataset_uri is required.", f"{_SPEC}.training_dataset_uri")
    for name, field in _DATASETS.items():
        uri = spec.get(name)
        if uri is None:
            continue
        if _MANAGED_DATASET.fullmatch(uri):
            message = f"{field}: the emulator reads JSONL objects, not multimodal datasets. Give a gs:// URI."
            raise ApiError("UNIMPLEMENTED", message, field=f"{_SPEC}.{field}")
        if not _may_exist(uri, objects):
            raise invalid(
                f"Invalid {field}: {uri}. It must be the Cloud Storage URI of a JSONL object, gs://BUCKET/OBJECT.",
                f"{_SPEC}.{field}",
            )


def _may_exist(uri: str, objects: ObjectStore) -> bool:
    """Tells whether a URI can name an object; a path of this machine must do so already."""
    try:
        return objects.exists(uri) or uri.startswith("gs://")
    except ApiError:
        return False


def _check_hyper_parameters(spec: dict[str, Any], base: BaseModel) -> None:
    given = spec.get("hyperParameters", {})
    for name, field in _OPEN_MODEL_HYPER_PARAMETERS.items():
        if name in given:
            raise invalid(f"{field} is for open models only.", f"{_HYPER_PARAMETERS}.{field}")
    if spec.get("tuningMode") == "TUNING_MODE_FULL":
        raise invalid(f"{base.id} does not support full fine-tuning.", f"{_SPEC}.tuning_mode")
    epochs = int(given.get("epochCount", 1))
    if not 1 <= epochs <= _MAX_EPOCHS:
        raise invalid(
            f"epoch_count must be between 1 and {_MAX_EPOCHS}, got {epochs}.",
            f"{_HYPER_PARAMETERS}.epoch_count",
        )
    multiplier = float(given.get("learningRateMultiplier", 1))
    if not 0 < multiplier <= _MAX_LEARNING_RATE_MULTIPLIER:
        raise invalid(
            f"learning_rate_multiplier must be above 0 and at most {_MAX_LEARNING_RATE_MULTIPLIER}, got {multiplier}.",
            f"{_HYPER_PARAMETERS}.learning_rate_multiplier",
        )
    size = given.get("adapterSize")
    if size is not None and ADAPTER_SIZES.get(size) not in base.adapter_sizes:
        allowed = [name for name, rank in ADAPTER_SIZES.items() if rank in base.adapter_sizes]
        raise invalid(
            f"Adapter size {size} is not supported for {base.id}. Supported: {', '.join(allowed)}.",
            f"{_HYPER_PARAMETERS}.adapter_size",
        )


def _check_texts(job: dict[str, Any]) -> None:
    length = len(job.get("tunedModelDisplayName", ""))
    if length > _MAX_DISPLAY_NAME:
        raise invalid(
            f"The display name has {length} characters, at most {_MAX_DISPLAY_NAME} are allowed.",
            f"{_ROOT}.tuned_model_display_name",
        )
    check_fields({"labels": job.get("labels", {})})


def _check_evaluation(spec: dict[str, Any], base: BaseModel, objects: ObjectStore) -> None:
    if "evaluationConfig" not in spec:
        return
    field = f"{_SPEC}.evaluation_config"
    if base.only_multi_region:
        raise invalid(f"evaluation_config is not supported for {base.id}.", field)
    read_evaluation(spec["evaluationConfig"], field)
    check_output(spec["evaluationConfig"], objects, field)
    if "validationDatasetUri" not in spec:
        message = "evaluation_config needs a validation dataset: it is what checkpoints are evaluated on."
        raise invalid(message, f"{_SPEC}.validation_dataset_uri")
