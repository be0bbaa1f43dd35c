"""Loss and token accuracy against steps, as Vertex AI's TensorBoard keeps them for a tuning job."""

import math
from collections.abc import Callable

from pydantic import BaseModel, ConfigDict

from gemini_sft import vertex
from gemini_sft.errors import ServiceError
from gemini_sft.vertex import location_of

_SERIES = {
    "train_loss": "/train_total_loss",
    "train_accuracy": "/train_fraction_of_correct_next_step_preds",
    "train_predictions": "/train_num_predictions",
    "validation_loss": "/eval_total_loss",
    "validation_accuracy": "/eval_fraction_of_correct_next_step_preds",
    "validation_predictions": "/eval_num_predictions",
}
_BEST: dict[str, Callable[[list[float]], float]] = {"loss": min, "accuracy": max}
# What a job computes of its checkpoints has runs of its own in the same experiment.
_EVALUATION_RUN = "tuning-evaluation-checkpoint-"


class Curve(BaseModel):
    """One series; `steps` and `values` have the same length and rising steps."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: list[int]
    values: list[float]


class Curves(BaseModel):
    """The six series of a tuning job; those on validation are None without a validation set.

    Losses are means per predicted token in nats, accuracies shares of tokens predicted rightly, predictions the
    numbers of tokens predicted at a step. `absent` says, in a sentence, why there are none at all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    train_loss: Curve | None = None
    train_accuracy: Curve | None = None
    train_predictions: Curve | None = None
    validation_loss: Curve | None = None
    validation_accuracy: Curve | None = None
    validation_predictions: Curve | None = None
    absent: str | None = None

    def summary(self) -> dict[str, float]:
        """Returns the last value of every series that there is, and the best of losses and accuracies.

        The best loss is the lowest and the best accuracy the highest; values that are no numbers are passed over.
        """
        summary = {}
        for name in _SERIES:
            curve: Curve | None = getattr(self, name)
            values = [value for value in curve.values if math.isfinite(value)] if curve else []
            if values:
                summary[f"final_{name}"] = values[-1]
                if best := _BEST.get(name.rpartition("_")[2]):
                    summary[f"best_{name}"] = best(values)
        return summary


def read_curves(experiment: str) -> Curves:
    """Reads the curves of a tuning job.

    Args:
        experiment: Resource name of the job's experiment, a metadata context.

    Raises:
        ServiceError: Vertex AI did not give them, or not in the form that is known.
    """
    try:
        return _read(experiment)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ServiceError(f"{experiment} does not have the form of a tuning job's experiment: {error!r}") from error


def _read(experiment: str) -> Curves:
    location = location_of(experiment, "")
    context = vertex.get(experiment, location)
    tensorboard = context.get("metadata", {}).get("backing_tensorboard_resource", "")
    if not tensorboard:
        raise ServiceError(f"{experiment} has no TensorBoard behind it")
    run = _run_name(experiment, tensorboard, location)
    series = vertex.get(f"{run}/timeSeries", location, {"pageSize": 100}).get("tensorboardTimeSeries", [])
    names = {one["displayName"]: one["name"].rpartition("/")[2] for one in series}
    wanted = {field: names[tag] for field, tag in _SERIES.items() if tag in names}
    if not wanted:
        return Curves()
    values = _read_values(tensorboard, [f"{run}/timeSeries/{number}" for number in wanted.values()], location)
    return Curves.model_validate({field: values[number] for field, number in wanted.items() if number in values})


def _run_name(experiment: str, tensorboard: str, location: str) -> str:
    """Returns the TensorBoard run that belongs to the experiment's first run."""
    parent, _, experiment_id = experiment.rpartition("/")
    clause = f'schema_title="system.ExperimentRun" AND parent_contexts:"{experiment}"'
    runs = vertex.get(parent, location, {"filter": clause}).get("contexts", [])
    run_ids = [one["name"].rpartition("/")[2].removeprefix(f"{experiment_id}-") for one in runs]
    of_training = [one for one in run_ids if not one.startswith(_EVALUATION_RUN)]
    if not of_training:
        raise ServiceError(f"{experiment} has no run")
    return f"{tensorboard}/experiments/{experiment_id}/runs/{of_training[0]}"


def _read_values(tensorboard: str, series: list[str], location: str) -> dict[str, Curve]:
    answer = vertex.get(f"{tensorboard}:batchRead", location, {"timeSeries": series})
    curves = {}
    for one in answer.get("timeSeriesData", []):
        # Of a step that was written twice, as after an interruption, the later value holds.
        read = {
            int(point.get("step", 0)): float(point["scalar"].get("value", 0))
            for point in one.get("values", [])
            if "scalar" in point
        }
        # A loss that has run away is written as NaN, which neither a chart nor JSON can hold.
        points = sorted(point for point in read.items() if math.isfinite(point[1]))
        curves[one["tensorboardTimeSeriesId"]] = Curve(
            steps=[step for step, _ in points], values=[value for _, value in points]
        )
    return curves
