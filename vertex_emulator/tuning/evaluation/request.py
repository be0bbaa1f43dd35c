"""What a job's `evaluationConfig` may say. Metrics that need a judge or somebody's code are for Vertex AI only."""

import re
from typing import Any

from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.filters import camel_case, snake_case
from vertex_emulator.generation.config import read_settings
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.evaluation.wishes import Metric, Wishes

_SPECS = {"exactMatchSpec": "exactMatch", "bleuSpec": "bleu", "rougeSpec": "rouge"}
_TYPES = {"EXACT_MATCH": "exactMatch", "BLEU": "bleu", "ROUGE": "rouge"}
_OTHERS = (
    "predefined_metric_spec",
    "llm_based_metric_spec",
    "custom_code_execution_spec",
    "pointwise_metric_spec",
    "pairwise_metric_spec",
)
_SETTINGS: dict[str, dict[str, type]] = {
    "exactMatch": {},
    "bleu": {"use_effective_order": bool},
    "rouge": {"rouge_type": str, "use_stemmer": bool, "split_summaries": bool},
}
_ROUGE_TYPES = re.compile(r"rouge([1-9]|L|Lsum)")
_DEFAULT_AGGREGATIONS = ("AVERAGE",)


def refuse_judges(config: Any, field: str) -> None:
    """Refuses metrics that cannot be computed here, before anything else: the SDK knows newer fields of these.

    Args:
        config: The `evaluationConfig` as received.
        field: What errors call it.

    Raises:
        ApiError: 501 UNIMPLEMENTED naming the metric.
    """
    metrics = config.get("metrics") if isinstance(config, dict) else None
    for number, metric in enumerate(metrics if isinstance(metrics, list) else []):
        for other in _OTHERS:
            given = metric.get(other, metric.get(camel_case(other))) if isinstance(metric, dict) else None
            if given is not None:
                message = (
                    f"{other}: the emulator has no judge and runs no code; it computes exact match, BLEU and ROUGE."
                )
                raise ApiError("UNIMPLEMENTED", message, field=f"{field}.metrics[{number}].{other}")


def read_evaluation(config: dict[str, Any], field: str) -> Wishes:
    """Reads an `evaluationConfig` in canonical form.

    Args:
        config: What the request says.
        field: What errors call it.

    Raises:
        ApiError: 400 for what Vertex refuses.
    """
    if not config.get("metrics"):
        raise invalid("evaluation_config needs at least one metric.", f"{field}.metrics")
    metrics = [_metric(given, f"{field}.metrics[{number}]") for number, given in enumerate(config["metrics"])]
    settings = read_settings({"generationConfig": config.get("inferenceGenerationConfig", {})})
    return Wishes(tuple(metrics), settings.max_output_tokens, settings.stop_sequences, settings.choices)


def check_output(config: dict[str, Any], objects: ObjectStore, field: str) -> None:
    """Refuses a config that does not name a folder of Cloud Storage; that its bucket exists is not checked.

    Raises:
        ApiError: 400.
    """
    prefix = config.get("outputConfig", {}).get("gcsDestination", {}).get("outputUriPrefix", "")
    where = f"{field}.output_config.gcs_destination.output_uri_prefix"
    if not prefix:
        raise invalid("evaluation_config needs an output_config with gcs_destination.output_uri_prefix.", where)
    try:
        objects.exists(f"{prefix.rstrip('/')}/x")
    except ApiError as error:
        message = f"Invalid Cloud Storage URI: '{prefix}'. It must name a folder, gs://BUCKET/FOLDER."
        raise invalid(message, where) from error


def _metric(given: dict[str, Any], field: str) -> Metric:
    aggregations = tuple(given.get("aggregationMetrics", _DEFAULT_AGGREGATIONS))
    if "computationBasedMetricSpec" in given:
        spec = given["computationBasedMetricSpec"]
        where = f"{field}.computation_based_metric_spec"
        if spec.get("type") not in _TYPES:
            raise invalid("type is required: EXACT_MATCH, BLEU or ROUGE.", f"{where}.type")
        kind = _TYPES[spec["type"]]
        settings = dict(spec.get("parameters", {}))
        _check_parameters(kind, settings, f"{where}.parameters")
    else:
        spec_field = next((name for name in _SPECS if name in given), None)
        if spec_field is None:
            raise invalid("A metric needs a metric_spec, such as rouge_spec.", field)
        kind, where = _SPECS[spec_field], f"{field}.{snake_case(spec_field)}"
        settings = {snake_case(key): value for key, value in given[spec_field].items()}
    if kind == "rouge" and not _ROUGE_TYPES.fullmatch(settings.setdefault("rouge_type", "rougeL")):
        message = f"Invalid rouge_type '{settings['rouge_type']}'. Supported: rouge1 to rouge9, rougeL and rougeLsum."
        raise invalid(message, f"{where}.rouge_type")
    return Metric(kind, settings, aggregations)


def _check_parameters(kind: str, settings: dict[str, Any], field: str) -> None:
    for name, value in settings.items():
        wanted = _SETTINGS[kind].get(name)
        if wanted is None:
            known = ", ".join(_SETTINGS[kind]) or "none"
            raise invalid(f"Unknown parameter '{name}'; this metric has: {known}.", f"{field}.{name}")
        if not isinstance(value, wanted):
            raise invalid(f"Parameter '{name}' must be a {wanted.__name__}, got {value!r}.", f"{field}.{name}")
