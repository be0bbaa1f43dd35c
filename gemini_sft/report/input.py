"""What the report is made from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from gemini_sft.cost import Quote, Reconciliation
from gemini_sft.data import Example
from gemini_sft.data.summary import DataSummary
from gemini_sft.decision import Comparison
from gemini_sft.experiment import Experiment
from gemini_sft.inference import Prediction, Traffic
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.tuning import Curves, Selection, TuningRecord


@dataclass(frozen=True)
class Arm:
    """One model that answered the test split.

    Attributes:
        result: What it scored.
        predictions: One for every test example, in their order.
        traffic: How the answers came about; None if nobody wrote it down.
    """

    result: EvaluationResult
    predictions: Sequence[Prediction]
    traffic: Traffic | None = None


@dataclass(frozen=True)
class ReportInput:
    """Everything that a run produced and the report shows.

    Attributes:
        run_id: Of the run.
        experiment: What was asked.
        comparison: What was decided.
        base: The base model on `test`.
        candidate: The tuned model on `test`.
        train_examples: How many the training split has.
        dropped_sources: File and line of the training examples that the tuning job says it dropped, by their number in
            the split, counted from 1 as the service counts them.
        test: The test split.
        tuning: The tuning job.
        curves: Its loss and accuracy.
        quote: What the run was quoted at.
        cost: The tuning job's bill against it.
        selection: Which of its checkpoints was taken, or of which job of a sweep.
        few_shot: The base model with examples in its prompt; None if it was not asked, or could not be had.
        champion: The model in use; None likewise.
        data: What was made of the user's files, and what the checks found; None if nobody wrote it down.
        command: With which command the run was started; empty if nobody wrote it down.
        origins: Where everything came from, by name: URIs, resource names, hashes.
    """

    run_id: str
    experiment: Experiment
    comparison: Comparison
    base: Arm
    candidate: Arm
    train_examples: int
    dropped_sources: Mapping[int, tuple[str, int]]
    test: Sequence[Example]
    tuning: TuningRecord
    curves: Curves
    quote: Quote
    cost: Reconciliation
    selection: Selection | None = None
    few_shot: Arm | None = None
    champion: Arm | None = None
    data: DataSummary | None = None
    command: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_use(self) -> Arm:
        """What the tuned model would replace: the champion if it was evaluated, else the base model."""
        return self.champion or self.base

    @property
    def validation_examples(self) -> int | None:
        """How many the validation split has; None if nobody wrote it down."""
        return self.data.splits["validation"].examples if self.data else None

    @cached_property
    def system_instruction(self) -> str | None:
        """What stands before most of the test examples, few-shot examples included; None if nothing does."""
        counts = Counter(one.system_instruction for one in self.test)
        return counts.most_common(1)[0][0] if counts else None
