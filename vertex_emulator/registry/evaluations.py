"""Evaluations of model versions, made elsewhere and imported: import, get, list. Vertex has no method that changes one.

The schemas are those of the table in Google's `ModelImportEvaluationOp` (google-cloud-pipeline-components, module
`import_model_evaluation`); the metrics of each, those of `EvaluationMetric` and `EvaluationClassificationMetric` in the
SDK's `vertexai.language_models`.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.errors import invalid
from vertex_emulator.names import new_name
from vertex_emulator.protobuf import types
from vertex_emulator.registry.models import EVALUATIONS, fetch_version
from vertex_emulator.registry.requests import model_name
from vertex_emulator.resources import check_fields, fetch, item_path, listing, parameters
from vertex_emulator.routing import emulator_of, vertex
from vertex_emulator.wire import Json, now, parse, read_json

_NUMBER: tuple[type, ...] = (int, float)
_SCHEMAS: dict[str, dict[str, tuple[type, ...]]] = {
    "classification": {
        "auPrc": _NUMBER,
        "auRoc": _NUMBER,
        "logLoss": _NUMBER,
        "confidenceMetrics": (list,),
        "confusionMatrix": (dict,),
    },
    "regression": {},
    "forecasting": {},
    "general_text_generation": {"bleu": _NUMBER, "rougeLSum": _NUMBER},
    "question_answering": {"exactMatch": _NUMBER},
    "summarization": {"rougeLSum": _NUMBER},
    "embedding": {},
}
_BY_URI = {
    f"gs://google-cloud-aiplatform/schema/modelevaluation/{name}_metrics_1.0.0.yaml": metrics
    for name, metrics in _SCHEMAS.items()
}
_OUTPUT_ONLY = frozenset({"name", "createTime"})


async def _import(request: Request) -> Response:
    given = parse(await read_json(request), types.ImportModelEvaluationRequest)
    parameters(request)
    database = emulator_of(request).database
    version = fetch_version(database, model_name(request))
    evaluation = given.get("modelEvaluation", {})
    check_fields(evaluation)
    _check_metrics(evaluation)
    fields = {key: value for key, value in evaluation.items() if key not in _OUTPUT_ONLY}
    document = {"name": new_name(database, version["name"], EVALUATIONS), **fields, "createTime": now()}
    database.put(EVALUATIONS, version["name"], document)
    return Json(document)


def _check_metrics(evaluation: dict[str, Any]) -> None:
    for field, name in (("metricsSchemaUri", "metrics_schema_uri"), ("metrics", "metrics")):
        if field not in evaluation:
            raise invalid(f"Required field is not set: model_evaluation.{name}.", f"model_evaluation.{name}")
    uri, metrics = evaluation["metricsSchemaUri"], evaluation["metrics"]
    if uri not in _BY_URI:
        message = f"There is no metrics schema {uri!r}; there are {', '.join(_BY_URI)}."
        raise invalid(message, "model_evaluation.metrics_schema_uri")
    if not isinstance(metrics, dict):
        raise invalid("The metrics must be an object, as their schema says.", "model_evaluation.metrics")
    for name, kinds in _BY_URI[uri].items():
        if name in metrics and (not isinstance(metrics[name], kinds) or isinstance(metrics[name], bool)):
            message = f"The metric {name!r} has a value of a wrong type for the schema {uri}."
            raise invalid(message, f"model_evaluation.metrics.{name}")


async def _get(request: Request) -> Response:
    parameters(request)
    database = emulator_of(request).database
    version = fetch_version(database, model_name(request))
    return Json(fetch(database, f"{version['name']}/{EVALUATIONS}/{request.path_params[EVALUATIONS]}"))


async def _list(request: Request) -> Response:
    parameters(request, "filter", "pageSize", "pageToken", "readMask")
    database = emulator_of(request).database
    version = fetch_version(database, model_name(request))
    documents = database.list(EVALUATIONS, version["name"])
    return listing(request, "modelEvaluations", documents, types.ModelEvaluation, filterable=frozenset())


_EVALUATION = item_path("models", EVALUATIONS)
_COLLECTION = _EVALUATION.rpartition("/")[0]

routes = [
    *vertex("POST", f"{_COLLECTION}:import", _import),
    *vertex("GET", _COLLECTION, _list),
    *vertex("GET", _EVALUATION, _get),
]
