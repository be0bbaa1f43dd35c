"""What the report is made from."""

from collections.abc import Sequence
from dataclasses import dataclass

from gemini_sft.data import Example
from gemini_sft.decision import Comparison
from gemini_sft.experiment import Experiment
from gemini_sft.inference import Prediction
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.tuning import Curves, TuningRecord


@dataclass(frozen=True)
class ReportInput:
    """Everything that a run produced and the report shows.

    Attributes:
        run_id: Of the run.
        experiment: What was asked.
        comparison: What was decided.
        base: Scores of the base model on `test`.
        candidate: Scores of the tuned model on `test`.
        base_predictions: One for every example of `test`.
        candidate_predictions: Likewise.
        train: The training split, in the order in which it was sent: dropped examples are counted in it.
        test: The test split.
        tuning: The tuning job.
        curves: Its loss and accuracy.
    """

    run_id: str
    experiment: Experiment
    comparison: Comparison
    base: EvaluationResult
    candidate: EvaluationResult
    base_predictions: Sequence[Prediction]
    candidate_predictions: Sequence[Prediction]
    train: Sequence[Example]
    test: Sequence[Example]
    tuning: TuningRecord
    curves: Curves
