"""What Vertex checks before it takes a pipeline job."""

import re
from pathlib import Path
from typing import Any

from vertex_emulator.errors import invalid
from vertex_emulator.storage.errors import StorageError
from vertex_emulator.storage.layout import HIDDEN
from vertex_emulator.storage.objects import ObjectStore

_SCHEMA_VERSIONS = ("2.1.0", "2.0.0")
_PIPELINE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
_DIRECTORY = re.compile(r"gs://([^/]+)(?:/(.*))?")
_SPEC = "pipeline_job.pipeline_spec"
_PARAMETERS = "pipeline_job.runtime_config.parameter_values"
_OUTPUT = "pipeline_job.runtime_config.gcs_output_directory"


def read_spec(posted: Any) -> Any:
    """Returns the posted pipeline spec as kfp's `PipelineSpec` message. Imports kfp, which takes a second or two.

    Raises:
        ApiError: 400 for a spec that is missing, or that Vertex would not run.
    """
    if not posted:
        raise invalid("pipeline_spec is required: templates are not fetched by the emulator.", _SPEC)
    for key in ("platforms", "platformSpec", "platform_spec"):
        if key in posted:
            raise invalid(f"pipeline_spec must be a PipelineSpec alone; it has a platform spec ('{key}').", _SPEC)
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    try:
        spec = json_format.ParseDict(posted, pipeline_spec_pb2.PipelineSpec())
    except (json_format.ParseError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise invalid(f"Invalid pipeline_spec: {str(error).splitlines()[0]}", _SPEC) from error
    if spec.schema_version not in _SCHEMA_VERSIONS:
        known = " or ".join(_SCHEMA_VERSIONS)
        raise invalid(f"Invalid schema_version '{spec.schema_version}': expected {known}.", f"{_SPEC}.schema_version")
    if not _PIPELINE_NAME.fullmatch(spec.pipeline_info.name):
        raise invalid(
            f"Invalid pipeline name '{spec.pipeline_info.name}': it must match {_PIPELINE_NAME.pattern}.",
            f"{_SPEC}.pipeline_info.name",
        )
    if not spec.root.dag.tasks:
        raise invalid("pipeline_spec.root has no tasks.", f"{_SPEC}.root")
    return spec


def read_parameters(spec: Any, posted: dict[str, Any]) -> dict[str, Any]:
    """Returns the parameters to run a pipeline with; those that are integers by its spec are `int`.

    Args:
        spec: kfp's `PipelineSpec`.
        posted: The job's `parameterValues`.

    Raises:
        ApiError: 400 naming the parameters that are unknown, missing or of a wrong type.
    """
    defined = spec.root.input_definitions.parameters
    unknown = sorted(set(posted) - set(defined))
    if unknown:
        known = ", ".join(sorted(defined)) or "none"
        raise invalid(f"Unknown runtime parameters: {', '.join(unknown)}. The pipeline has: {known}.", _PARAMETERS)
    missing = sorted(
        name
        for name, parameter in defined.items()
        if name not in posted and not parameter.is_optional and not parameter.HasField("default_value")
    )
    if missing:
        raise invalid(f"Required runtime parameters are missing: {', '.join(missing)}.", _PARAMETERS)
    return {name: _typed(name, defined[name], value) for name, value in posted.items()}


def _typed(name: str, parameter: Any, value: Any) -> Any:
    from kfp.pipeline_spec import pipeline_spec_pb2

    kind = pipeline_spec_pb2.ParameterType.ParameterTypeEnum.Name(parameter.parameter_type)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        "STRING": isinstance(value, str),
        "BOOLEAN": isinstance(value, bool),
        "NUMBER_DOUBLE": number,
        # protobuf's Struct, in which the SDK sends them, has no integers
        "NUMBER_INTEGER": number and float(value).is_integer(),
        "LIST": isinstance(value, list),
        "STRUCT": isinstance(value, dict),
    }
    if value is None and parameter.is_optional:
        return None
    if not fits.get(kind, True):
        raise invalid(f"Runtime parameter '{name}' must be of type {kind}, got {value!r}.", f"{_PARAMETERS}.{name}")
    return int(value) if kind == "NUMBER_INTEGER" else value


def output_directory(uri: str, objects: ObjectStore) -> Path:
    """Returns the folder that a job's `gcsOutputDirectory` means.

    Raises:
        ApiError: 400 if it is not in an existing bucket.
    """
    match = _DIRECTORY.fullmatch(uri)
    if match is None:
        raise invalid(f"gcs_output_directory is required and must begin with gs://, got '{uri}'.", _OUTPUT)
    bucket, prefix = match[1], (match[2] or "").rstrip("/")
    try:
        objects.buckets.get(bucket)
    except StorageError as error:
        raise invalid(f"The bucket of gcs_output_directory '{uri}' does not exist.", _OUTPUT) from error
    if prefix and any(part in ("", ".", "..", HIDDEN) for part in prefix.split("/")):
        raise invalid(f"gcs_output_directory '{uri}' has a segment that no folder can be named by.", _OUTPUT)
    return objects.root / bucket / prefix
