"""How a promoted model scored, attached to its version in the Model Registry.

Vertex AI has a schema for the metrics of some tasks. Which there are, says the table in `ModelImportEvaluationOp` of
google-cloud-pipeline-components; which metrics each has, `EvaluationMetric` and `EvaluationClassificationMetric` of
`vertexai.language_models`. Only those are put under `metrics`; all numbers, under their own names, are in `metadata`.
"""

from typing import Any

from gemini_sft import vertex
from gemini_sft.experiment import Task
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.release.writing import insist

_SCHEMA = "gs://google-cloud-aiplatform/schema/modelevaluation/{}_metrics_1.0.0.yaml"
_LARGEST_MATRIX = 100
_LONGEST_NAME = 128


def attach(model: str, checkpoint: str, run_id: str, task: Task, result: EvaluationResult) -> None:
    """Attaches the evaluation of a run to a version, unless it is there already.

    Args:
        model: Resource name of the version.
        checkpoint: Which of its checkpoints was evaluated.
        run_id: The run, by which the evaluation is found again.
        task: What kind of answer was wanted.
        result: The evaluation.

    Raises:
        ServiceError: Vertex AI refused it or did not answer.
    """
    place, name = vertex.location_of(model, ""), f"gemini-sft {run_id}"[:_LONGEST_NAME]
    schema, metrics = _in_googles_words(task, result)
    evaluation = {
        "displayName": name,
        "metricsSchemaUri": _SCHEMA.format(schema),
        "metrics": {key: value for key, value in metrics.items() if value is not None},
        "metadata": {
            "pipeline_job_id": run_id,
            "checkpoint": checkpoint,
            "endpoint": result.model,
            **result.numbers(),
        },
    }

    def there() -> bool:
        found = vertex.listed(f"{model}/evaluations", place, "modelEvaluations")
        return any(one.get("displayName") == name for one in found)

    insist(
        lambda: vertex.send("POST", f"{model}/evaluations:import", place, {"modelEvaluation": evaluation}),
        there,
    )


def _in_googles_words(task: Task, result: EvaluationResult) -> tuple[str, dict[str, Any]]:
    """Returns the schema for a task, and those of its metrics that we have; BLEU from 0 to 100, the others to 1."""
    match task:
        case Task.SUMMARIZATION:
            return "summarization", {"rougeLSum": result.metrics.get("rougeLsum_f")}
        case Task.QUESTION_ANSWERING:
            return "question_answering", {"exactMatch": result.metrics.get("exact_match")}
        case Task.EXTRACTION:
            return "question_answering", {"exactMatch": result.metrics.get("exact_object")}
        case Task.CLASSIFICATION:
            return "classification", {"confusionMatrix": _matrix(result)}
        case Task.CHAT | Task.GENERATION:
            scores = {"bleu": result.corpus.get("bleu"), "rougeLSum": result.metrics.get("rougeLsum_f")}
            return "general_text_generation", scores


def _matrix(result: EvaluationResult) -> dict[str, Any] | None:
    confusion = result.confusion
    # Google's own component leaves larger ones out.
    if confusion is None or len(confusion.labels) > _LARGEST_MATRIX:
        return None
    labels = [{"id": str(number), "displayName": label} for number, label in enumerate(confusion.labels)]
    return {"annotationSpecs": labels, "rows": confusion.counts}
