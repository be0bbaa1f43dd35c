"""What a request for a batch prediction job of Gemini may say, and the model that it names."""

import re
from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.generation import base_version, tuned_version
from vertex_emulator.names import canonical
from vertex_emulator.protobuf import types
from vertex_emulator.registry import fetch_version
from vertex_emulator.resources import check_fields
from vertex_emulator.serving import Serving
from vertex_emulator.standin import StandIn
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.wire import parse

_ROOT = "batch_prediction_job"
_KEPT = ("displayName", "labels", "encryptionSpec", "serviceAccount")
_NOT_GEMINIS = {
    "dedicatedResources": "dedicated_resources",
    "explanationSpec": "explanation_spec",
    "generateExplanation": "generate_explanation",
    "instanceConfig": "instance_config",
    "manualBatchTuningParameters": "manual_batch_tuning_parameters",
    "modelMonitoringConfig": "model_monitoring_config",
    "modelParameters": "model_parameters",
    "unmanagedContainerModel": "unmanaged_container_model",
}
_BASE_MODEL = re.compile(r"(?:(?P<location>projects/[^/]+/locations/[^/]+)/)?publishers/google/models/(?P<id>[^/@]+)")
_TUNED_MODEL = re.compile(r"(?P<location>projects/[^/]+/locations/[^/]+)/models/[^/]+")
_ENDPOINT = re.compile(r"projects/[^/]+/locations/[^/]+/endpoints/[^/]+")


def read_request(
    body: dict[str, Any], location: str, database: Database, objects: ObjectStore, serving: Serving
) -> dict[str, Any]:
    """Checks a request and returns the fields of the job that it asks for.

    That the input exists is not checked: the service reads it after it has made the job, and so does the emulator.

    Args:
        body: The JSON object as received.
        location: `projects/NUMBER/locations/LOCATION` of the job.
        database: Where tuned models are looked up.
        objects: Where input and output may lie that are not named by a gs:// URI.
        serving: Knows the base models.

    Raises:
        ApiError: 400 for what Vertex refuses; 404 for a model that is not there; 501 for what only Vertex can do.
    """
    job = parse(body, types.BatchPredictionJob, _ROOT)
    if not job.get("displayName"):
        raise invalid("Required field is not set: display_name.", f"{_ROOT}.display_name")
    check_fields(job)
    for name, field in _NOT_GEMINIS.items():
        if name in job:
            message = f"{field}: the emulator plays batch prediction of Gemini models only, which have none."
            raise ApiError("UNIMPLEMENTED", message, field=f"{_ROOT}.{field}")
    model = _read_model(job.get("model", ""), location, database, serving)
    _check_input(job.get("inputConfig", {}), objects)
    _check_output(job.get("outputConfig", {}), objects)
    fields = {name: job[name] for name in _KEPT if name in job}
    return fields | model | {"inputConfig": job["inputConfig"], "outputConfig": job["outputConfig"]}


def find_model(document: dict[str, Any], location: str, serving: Serving) -> tuple[StandIn, str]:
    """Returns the model of an accepted job, and what answers call it.

    Raises:
        ApiError: 404 if it is gone.
    """
    base = _BASE_MODEL.fullmatch(document["model"])
    if base:
        return serving.base(base["id"], location), base_version(base["id"])
    name = f"{document['model']}@{document['modelVersionId']}"
    return serving.tuned(name), tuned_version(name)


def _read_model(given: str, location: str, database: Database, serving: Serving) -> dict[str, Any]:
    field = f"{_ROOT}.model"
    name = canonical(given)
    if _ENDPOINT.fullmatch(name):
        raise invalid(
            f"Invalid model resource name: {given}. Batch prediction takes the tuned model, projects/../models/MODEL,"
            " not the endpoint that serves it.",
            field,
        )
    form = _BASE_MODEL.fullmatch(name) or _TUNED_MODEL.fullmatch(name)
    if form is None:
        raise invalid(
            f"Invalid model resource name: '{given}'. Expected: publishers/google/models/MODEL or"
            " projects/PROJECT/locations/LOCATION/models/MODEL[@VERSION].",
            field,
        )
    if form["location"] not in (None, location):
        raise invalid(f"The model {name} must be in the location of the job, {location}.", field)
    if form.re is _BASE_MODEL:
        serving.base(form["id"], location)
        return {"model": name}
    model, _, version_id = fetch_version(database, name)["name"].partition("@")
    return {"model": model, "modelVersionId": version_id}


def _check_input(config: dict[str, Any], objects: ObjectStore) -> None:
    field = f"{_ROOT}.input_config"
    _check_format(config, "instancesFormat", f"{field}.instances_format", ("bigquerySource", "bigquery"))
    uris = config.get("gcsSource", {}).get("uris", [])
    if not uris:
        raise invalid("Required field is not set: gcs_source.uris.", f"{field}.gcs_source.uris")
    for uri in uris:
        if not _is_object(uri, objects):
            message = f"Invalid Cloud Storage URI: {uri}. It must name a JSONL object, gs://BUCKET/OBJECT."
            raise invalid(message, f"{field}.gcs_source.uris")


def _check_output(config: dict[str, Any], objects: ObjectStore) -> None:
    field = f"{_ROOT}.output_config"
    _check_format(config, "predictionsFormat", f"{field}.predictions_format", ("bigqueryDestination", "bigquery"))
    prefix = config.get("gcsDestination", {}).get("outputUriPrefix", "")
    if not _is_object(f"{prefix.rstrip('/')}/x", objects):
        message = f"Invalid Cloud Storage URI: '{prefix}'. It must name a folder, gs://BUCKET/FOLDER."
        raise invalid(message, f"{field}.gcs_destination.output_uri_prefix")


def _check_format(config: dict[str, Any], key: str, field: str, other: tuple[str, str]) -> None:
    source, name = other
    if source in config or config.get(key) == name:
        message = "The emulator has no BigQuery: use jsonl in Cloud Storage, or Vertex AI itself."
        raise ApiError("UNIMPLEMENTED", message, field=field)
    if config.get(key) != "jsonl":
        raise invalid(f"Unsupported format '{config.get(key, '')}'. Gemini takes jsonl and bigquery.", field)


def _is_object(uri: str, objects: ObjectStore) -> bool:
    """Tells whether a URI can name an object: `gs://`, or a path of this machine below the buckets."""
    try:
        objects.exists(uri)
    except ApiError:
        return False
    return True
