"""Writes down what an evaluation of a checkpoint has given, as Vertex AI leaves it.

PREFIX/evaluation_dataset_checkpoint_ID_JOB.jsonl        requests, responses and references
PREFIX/evaluation_TIME/evaluation_results.jsonl          an example a line, with its scores
PREFIX/evaluation_TIME/aggregation_results.jsonl         an aggregate a line
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from vertex_emulator.database import Database
from vertex_emulator.errors import RPC_CODES, ApiError
from vertex_emulator.names import operation_name
from vertex_emulator.storage.errors import StorageError
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.storage.preconditions import Preconditions
from vertex_emulator.tuning.curves import Curves
from vertex_emulator.tuning.resource import JobResource


def keep(
    message: dict[str, Any], job: JobResource, curves: Curves, database: Database, objects: ObjectStore
) -> dict[str, Any]:
    """Writes an evaluation's objects and its run in the job's experiment.

    Args:
        message: The training process's, as its module describes it.
        job: The job.
        curves: Its experiment.
        database: Where operations are numbered.
        objects: Where the results go.

    Returns:
        The `EvaluateDatasetRun`; with an error if the results could not be written.
    """
    checkpoint_id = message["checkpointId"]
    config = job.document["supervisedTuningSpec"]["evaluationConfig"]
    prefix = config["outputConfig"]["gcsDestination"]["outputUriPrefix"].rstrip("/")
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    source, folder = (
        f"{prefix}/evaluation_dataset_checkpoint_{checkpoint_id}_{job.id}.jsonl",
        f"{prefix}/evaluation_{stamp}",
    )
    run: dict[str, Any] = {"operationName": operation_name(database, job.location), "checkpointId": checkpoint_id}
    try:
        _move(objects, message["dataset"], source)
        _move(objects, message["results"], f"{folder}/evaluation_results.jsonl")
        aggregates = b"".join(orjson.dumps(line) + b"\n" for line in message["aggregates"])
        _write(objects, aggregates, f"{folder}/aggregation_results.jsonl")
    except (ApiError, StorageError) as error:
        text = f"The evaluation results could not be written to {prefix}: {error}"
        curves.add_evaluation(checkpoint_id, "FAILED", {"error": text})
        return run | {"error": {"code": RPC_CODES["NOT_FOUND"], "message": text}}
    source, folder = objects.uri_of(source), objects.uri_of(folder)
    told: dict[str, float | str] = {"gcsDestination": folder, "gcsSource": source, **_named(message["aggregates"])}
    curves.add_evaluation(checkpoint_id, "COMPLETE", told)
    return run | {
        "evaluateDatasetResponse": {
            "aggregationOutput": {
                "dataset": {"gcsSource": {"uris": [source]}},
                "aggregationResults": message["aggregates"],
            },
            "outputInfo": {"gcsOutputDirectory": folder},
        }
    }


def _named(aggregates: list[dict[str, Any]]) -> dict[str, float]:
    """Returns aggregates by names with their place among all."""
    named = {}
    for number, aggregate in enumerate(aggregates):
        field = next(key for key in aggregate if key != "aggregationMetric")
        kind = field.removesuffix("MetricValue")
        named[f"{number}-{kind}-{aggregate['aggregationMetric']}"] = aggregate[field]["score"]
    return named


def _move(objects: ObjectStore, path: str, uri: str) -> None:
    content = Path(path).read_bytes()
    Path(path).unlink()
    _write(objects, content, uri)


def _write(objects: ObjectStore, content: bytes, uri: str) -> None:
    bucket, _, name = objects.uri_of(uri).removeprefix("gs://").partition("/")
    with objects.incoming() as incoming:
        incoming.append(content)
        objects.commit(incoming, bucket, name, {}, Preconditions())
