"""What the report is made from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gemini_sft.cost import Quote, Reconciliation
from gemini_sft.data import Example
from gemini_sft.decision import Comparison
from gemini_sft.experiment import Experiment
from gemini_sft.inference import Prediction
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.tuning import Curves, Selection, TuningRecord


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
        train_examples: How many the training split has.
        dropped_sources: File and line of the training examples that the tuning job says it dropped, by their number in
            the split, counted from 1 as the service counts them.
        test: The test split.
        tuning: The tuning job.
        curves: Its loss and accuracy.
        quote: What the run was quoted at.
        cost: The tuning job's bill against it.
        selection: Which of its checkpoints was taken, or of which job of a sweep.
        validation_examples: How many the validation split has; None if nobody counted them.
    """

    run_id: str
    experiment: Experiment
    comparison: Comparison
    base: EvaluationResult
    candidate: EvaluationResult
    base_predictions: Sequence[Prediction]
    candidate_predictions: Sequence[Prediction]
    train_examples: int
    dropped_sources: Mapping[int, tuple[str, int]]
    test: Sequence[Example]
    tuning: TuningRecord
    curves: Curves
    quote: Quote
    cost: Reconciliation
    selection: Selection | None = None
    validation_examples: int | None = None

    @cached_property
    def system_instruction(self) -> str | None:
        """What stands before most of the test examples, few-shot examples included; None if nothing does."""
        counts = Counter(one.system_instruction for one in self.test)
        return counts.most_common(1)[0][0] if counts else None
