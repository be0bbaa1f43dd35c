"""A split in numbers."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gemini_sft.data.summary import Distribution, SplitSummary
from gemini_sft.data.table import Table


def describe(table: Table, split: int, files: Sequence[str], labels: dict[str, int], dropped: int) -> SplitSummary:
    """Returns the numbers of a split.

    Args:
        table: All examples.
        split: Which of them.
        files: What it was read from.
        labels: How often each label occurs.
        dropped: How many records of its files were left out.
    """
    rows = table.living(split)
    prompts = table.column("prompt_characters")[rows].astype(np.int64)
    answers = table.column("target_characters")[rows].astype(np.int64)
    sizes = np.bincount(np.frexp(prompts.astype(float))[1]) if len(rows) else np.zeros(0, int)
    return SplitSummary(
        examples=len(rows),
        dropped=dropped,
        files=list(files),
        prompt_characters=_distribution(prompts),
        target_characters=_distribution(answers),
        histogram=sizes.tolist(),
        labels=labels,
    )


def _distribution(values: NDArray[np.int64]) -> Distribution | None:
    if not len(values):
        return None
    median, p95 = np.percentile(values, [50, 95], method="higher")
    return Distribution(
        mean=float(values.mean()),
        minimum=int(values.min()),
        median=int(median),
        p95=int(p95),
        maximum=int(values.max()),
    )
