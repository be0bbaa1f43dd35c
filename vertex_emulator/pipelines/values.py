"""The inputs and outputs of tasks, as JSON."""

import math
from collections.abc import Mapping
from typing import Any

from kfp import dsl


def described(values: Mapping[str, Any]) -> dict[str, Any]:
    """Sorts a task's inputs or outputs, as `kfp.local` holds them.

    Args:
        values: By port: a parameter, an artifact or a list of artifacts.

    Returns:
        `{"parameters": {port: value}, "artifacts": {port: [artifact]}}`; ports without a value are left out.
    """
    parameters: dict[str, Any] = {}
    artifacts: dict[str, list[dict[str, Any]]] = {}
    for port, value in values.items():
        items = value if isinstance(value, list) else [value]
        if items and all(isinstance(item, dsl.Artifact) for item in items):
            artifacts[port] = [_artifact(item) for item in items]
        elif value is not None:
            parameters[port] = whole(value)
    return {"parameters": parameters, "artifacts": artifacts}


def whole(value: Any) -> Any:
    """Returns a JSON value with integers where protobuf's Struct, which has no integers, left floats such as 3.0."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [whole(item) for item in value]
    return value


def _artifact(artifact: Any) -> dict[str, Any]:
    return {
        "uri": artifact.uri,
        "schemaTitle": artifact.schema_title,
        "schemaVersion": artifact.schema_version,
        "metadata": whole(artifact.metadata),
    }
