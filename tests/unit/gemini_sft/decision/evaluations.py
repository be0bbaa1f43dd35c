"""Made-up evaluations, and the evidence that they are."""

import math
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gemini_sft.decision import Comparison, Evidence, compare
from gemini_sft.experiment import Gate
from gemini_sft.inference import Outcome
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.metrics.rouge import NAMES

PRIMARY = "rougeL_f"
Scores = Sequence[float] | NDArray[np.float64]


def evaluation(
    scores: Scores,
    model: str = "m",
    *,
    prefix: str = "e",
    names: Sequence[str] = NAMES,
    failed: Collection[int] = (),
    **others: Scores,
) -> EvaluationResult:
    """An evaluation in which every metric of an example has the same value, but for those that are given by name."""
    ids = [f"{prefix}{position:03d}" for position in range(len(scores))]
    rows = [dict.fromkeys(names, float(score)) for score in scores]
    for name, values in others.items():
        for row, value in zip(rows, values, strict=True):
            row[name] = float(value)
    return EvaluationResult(
        model=model,
        served_by="s",
        n=len(rows),
        outcomes={Outcome.ANSWERED: len(rows) - len(failed)} | ({Outcome.ERROR: len(failed)} if failed else {}),
        metrics={name: math.fsum(row[name] for row in rows) / len(rows) for name in rows[0]} if rows else {},
        scores=dict(zip(ids, rows, strict=True)),
        failed=[ids[position] for position in failed],
    )


def evidence(base: Scores | EvaluationResult, candidate: Scores | EvaluationResult, **more: Any) -> Evidence:
    """What is known of two models, with whatever else is given by name."""
    before, after = (one if isinstance(one, EvaluationResult) else evaluation(one) for one in (base, candidate))
    return Evidence(more.pop("primary", PRIMARY), before, after, **more)


def compared(
    base: Scores | EvaluationResult, candidate: Scores | EvaluationResult, gate: Gate | None = None, **more: Any
) -> Comparison:
    """What follows from it."""
    return compare(gate or Gate(), evidence(base, candidate, **more))
