"""How a job is going to be trained: where its data and its first weights are, and what the service chooses itself."""

from typing import Any

from vertex_emulator.errors import ApiError
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.dataset import DatasetError
from vertex_emulator.tuning.evaluation.request import read_evaluation
from vertex_emulator.tuning.order import Order, Pace, Source
from vertex_emulator.tuning.source import ADAPTER_SIZES, base_of, start_weights

_DEFAULT_ADAPTER_SIZE = 4
"""Google does not publish its default; this one does best with the stand-in model."""


def plan(document: dict[str, Any], objects: ObjectStore, serving: Serving, folder: str, pace: Pace) -> Order:
    """Returns the order for a job's training process.

    Args:
        document: The job.
        objects: Where its datasets are.
        serving: Where the weights are that it continues from.
        folder: Where its checkpoints go.
        pace: How slow it is to be.

    Raises:
        DatasetError: A dataset does not exist.
    """
    spec = document["supervisedTuningSpec"]
    given = spec.get("hyperParameters", {})
    return Order(
        training=_source(spec["trainingDatasetUri"], "training", objects),
        validation=(
            _source(spec["validationDatasetUri"], "validation", objects) if "validationDatasetUri" in spec else None
        ),
        max_example_tokens=base_of(document, serving).max_example_tokens,
        epochs=int(given["epochCount"]) if "epochCount" in given else None,
        learning_rate_multiplier=float(given.get("learningRateMultiplier", 1)),
        adapter_size=ADAPTER_SIZES[given["adapterSize"]] if "adapterSize" in given else _DEFAULT_ADAPTER_SIZE,
        start=start_weights(document, serving),
        folder=folder,
        last_checkpoint_only=spec.get("exportLastCheckpointOnly", False),
        pace=pace,
        evaluation=read_evaluation(spec["evaluationConfig"], "") if "evaluationConfig" in spec else None,
    )


def chosen_hyper_parameters(order: Order, epochs: int) -> dict[str, Any]:
    """Returns a job's `hyperParameters` with what was left to the service."""
    names = {rank: name for name, rank in ADAPTER_SIZES.items()}
    return {
        "epochCount": str(epochs),
        "learningRateMultiplier": order.learning_rate_multiplier,
        "adapterSize": names[order.adapter_size],
    }


def _source(uri: str, purpose: str, objects: ObjectStore) -> Source:
    try:
        return Source(uri, str(objects.path_of(uri)))
    except ApiError as error:
        raise DatasetError(f"The {purpose} dataset {uri} cannot be read: {error.message}") from error
