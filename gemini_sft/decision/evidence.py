"""What a decision rests on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from gemini_sft.decision.judged import Judged
from gemini_sft.decision.whole import Whole
from gemini_sft.inference.evaluation import EvaluationResult


@dataclass(frozen=True)
class Evidence:
    """All that was found out about the tuned model on the test split.

    Attributes:
        primary: The metric that decides.
        base: What the base model scored.
        candidate: What the tuned model scored.
        champion: What the model in use scored; None if there is none, or it is the base model, or it is missing.
        champion_name: Its resource name, and its checkpoint; empty if there is none or it is the base model.
        champion_missing: Why it could not be evaluated although there is one, in a sentence; empty if it was.
        is_champion: Whether the tuned model is the champion itself, as a job that is adopted brings it again.
        lower_is_better: The metrics of which less is better.
        clusters: What each example belongs to, by its id; empty if each stands for itself.
        slices: The values that each example has in the columns of `data.slices`, by its id.
        whole: What metrics of the whole split are computed from; None if the task has none.
        judge: What the judge said; None if it was not asked, or could not be had.
        remarks: What else must be said beside the verdict, each a sentence without its stop.
        tries: How many tuned models were compared on these examples with the same model in use, this one included.
    """

    primary: str
    base: EvaluationResult
    candidate: EvaluationResult
    champion: EvaluationResult | None = None
    champion_name: str = ""
    champion_missing: str = ""
    is_champion: bool = False
    lower_is_better: Collection[str] = ()
    clusters: Mapping[str, str] = field(default_factory=dict)
    slices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    whole: Whole | None = None
    judge: Judged | None = None
    remarks: Sequence[str] = ()
    tries: int = 1
