"""`tuningDataStats`: what a job tells of its training dataset."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vertex_emulator.tuning.dataset import Dataset

SHOWN_DROPS = 10
SHOWN_EXAMPLES = 3
_BUCKETS = 10


def data_stats(dataset: Dataset, steps: int) -> dict[str, Any]:
    """Describes a training dataset as `SupervisedTuningDataStats` in JSON.

    Counts of examples are of the whole file; characters, tokens and distributions are of the usable examples, for
    dropped ones are not billed. Tokens are those of one epoch.

    Args:
        dataset: The training dataset.
        steps: Optimizer steps of the whole job.
    """
    inputs = [example.input_tokens for example in dataset.examples]
    outputs = [example.output_tokens for example in dataset.examples]
    drops = dataset.drops[:SHOWN_DROPS]
    stats = {
        "tuningDatasetExampleCount": str(dataset.count),
        "totalTuningCharacterCount": str(sum(example.characters for example in dataset.examples)),
        "totalBillableTokenCount": str(sum(inputs) + sum(outputs)),
        "tuningStepCount": str(steps),
        "userInputTokenDistribution": distribution(inputs),
        "userOutputTokenDistribution": distribution(outputs),
        "userMessagePerExampleDistribution": distribution([len(example.turns) for example in dataset.examples]),
        "userDatasetExamples": [example.first_turn for example in dataset.examples[:SHOWN_EXAMPLES]],
        "totalTruncatedExampleCount": str(len(dataset.drops)),
        "truncatedExampleIndices": [str(drop.index) for drop in drops],
        "droppedExampleReasons": [drop.reason for drop in drops],
    }
    return {name: value for name, value in stats.items() if value not in ([], {}, "0")}


def distribution(values: Sequence[int]) -> dict[str, Any]:
    """Describes values as `SupervisedTuningDatasetDistribution` in JSON; empty if there are none.

    The histogram has up to ten buckets of equal width from the smallest value to the largest; each holds its left
    bound, the last one both.
    """
    if not values:
        return {}
    array = np.array(values, dtype=np.int64)
    counts, edges = np.histogram(array, bins=_BUCKETS if array.min() < array.max() else 1)
    p5, median, p95 = np.percentile(array, (5, 50, 95)).tolist()
    return {
        "sum": str(array.sum()),
        "billableSum": str(array.sum()),
        "min": float(array.min()),
        "max": float(array.max()),
        "mean": float(array.mean()),
        "median": median,
        "p5": p5,
        "p95": p95,
        "buckets": [
            {"count": count, "left": left, "right": right}
            for count, left, right in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        ],
    }
