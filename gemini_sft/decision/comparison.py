"""What a comparison of two models says: its parts, as they are kept in `comparison.json`."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from gemini_sft.decision.judged import Judged
from gemini_sft.inference.evaluation import EvaluationResult, failures
from gemini_sft.inference.prediction import Outcome


class Verdict(StrEnum):
    """What to do with the tuned model."""

    PROMOTE = "promote"
    REJECT = "reject"
    INCONCLUSIVE = "inconclusive"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Difference(_Frozen):
    """Candidate minus another model, of one metric.

    Attributes:
        mean: Mean of the differences of all examples.
        low: Lower end of the mean's bootstrap interval.
        high: Upper end.
        confidence: Of that interval.
        won: Share of the resampled worlds in which the candidate is better.
        wins: How many examples the candidate answered better.
        ties: How many equally well.
        losses: How many worse.
        lower_is_better: Whether less is better.
    """

    mean: float
    low: float
    high: float
    confidence: float
    won: float
    wins: int
    ties: int
    losses: int
    lower_is_better: bool = False

    @property
    def gain(self) -> tuple[float, float, float]:
        """By how much the candidate is better, whichever way that is: the mean, lower and upper end."""
        return (-self.mean, -self.high, -self.low) if self.lower_is_better else (self.mean, self.low, self.high)


class CorpusInterval(_Frozen):
    """Where candidate minus base lies, of a metric of the whole split.

    Attributes:
        low: Lower end of its bootstrap interval.
        high: Upper end.
        confidence: Of that interval.
        won: Share of the resampled worlds in which the candidate is better.
    """

    low: float
    high: float
    confidence: float
    won: float


class Side(_Frozen):
    """One of the models: see `EvaluationResult`, of which this is the part without single examples."""

    model: str
    served_by: str
    n: int
    outcomes: dict[Outcome, int]
    unreadable: int = 0
    metrics: dict[str, float]
    corpus: dict[str, float | None] = {}

    @property
    def failures(self) -> int:
        """How many examples have no answer that could be scored."""
        return failures(self.outcomes, self.unreadable)


class Champion(_Frozen):
    """The model in use now, compared as the base model is; what it cannot be compared in is not in `differences`.

    Attributes:
        name: Its model's resource name with the version, and its checkpoint if it has several.
        side: What it scored.
        differences: Candidate minus that, of every metric.
    """

    name: str
    side: Side
    differences: dict[str, Difference]


class PerRequest(_Frozen):
    """Mean tokens of the requests that a model answered: of the prompt, and of the answer with all thoughts."""

    prompt: float
    answer: float


class FewShot(_Frozen):
    """The base model with examples in its prompt: what one could have without tuning. It never changes the verdict.

    Attributes:
        examples: How many stand in its prompt.
        base: What it scored.
        differences: Candidate minus that, of every metric.
        tokens: Per request of `base`, `few_shot` and `candidate`, as far as the service counted them.
    """

    examples: int
    base: Side
    differences: dict[str, Difference]
    tokens: dict[str, PerRequest]


class Slice(_Frozen):
    """Some of the test examples: those that have one value in a column.

    Attributes:
        column: Of `data.slices`.
        value: What these have there.
        n: How many they are.
        before: The mean of the deciding metric over them of what is in use, be it the champion or the base model.
        candidate: Likewise the tuned model's.
        difference: Candidate minus what is in use; None of too few examples for an interval.
    """

    column: str
    value: str
    n: int
    before: float
    candidate: float
    difference: Difference | None


class Guarded(_Frozen):
    """What became of a guard.

    Attributes:
        what: What it guards, in words.
        limit: By how much it may get worse, or for a win rate what it must be at least.
        n: Of how many examples.
        difference: Candidate minus what is in use; None if there are too few examples, or it is no difference.
        held: Whether it holds; None if these examples cannot tell.
        words: What was found, in a sentence without its stop.
    """

    what: str
    limit: float
    n: int
    difference: Difference | None
    held: bool | None
    words: str


class Power(_Frozen):
    """What a test split of this size can see.

    Attributes:
        detectable: The smallest true gain that it shows in four of five cases.
        gain: A true gain, that was seen or asked for.
        needed: How many test examples would show that gain to be enough, in four of five cases.
    """

    detectable: float
    gain: float | None = None
    needed: int | None = None


class Comparison(_Frozen):
    """The outcome of a run.

    Attributes:
        verdict: Promote, reject or inconclusive.
        reasons: Why, in words.
        primary_metric: The metric that decided.
        confidence: Of all intervals: what the gate asks for, corrected for the number of tries.
        tries: How many tuned models were compared on these test examples, against the same model in use.
        groups: How many groups the examples belong to, that were drawn as a whole; None if each stands for itself.
        base: What the base model scored.
        candidate: What the tuned model scored.
        differences: Candidate minus base, of every metric.
        corpus_intervals: Of `corpus_differences`, for those that have one; they never decide.
        champion: The model in use; None if there is none, or it is the base model, or could not be evaluated.
        champion_missing: Why it could not be evaluated although there is one, in a sentence; empty if it was.
        guards: What became of them.
        slices: The test examples in parts, column by column, those with the most examples first.
        power: What this test split can see; None unless it cannot tell whether the gain is enough.
        few_shot: The control arm; None if the experiment has none.
        judge: What the judge said, in numbers; likewise.
        absent: What was asked for and could not be had, and why, in sentences.
    """

    verdict: Verdict
    reasons: list[str]
    primary_metric: str
    confidence: float
    tries: int = 1
    groups: int | None = None
    base: Side
    candidate: Side
    differences: dict[str, Difference]
    corpus_intervals: dict[str, CorpusInterval] = {}
    champion: Champion | None = None
    champion_missing: str = ""
    guards: list[Guarded] = []
    slices: list[Slice] = []
    power: Power | None = None
    few_shot: FewShot | None = None
    judge: Judged | None = None
    absent: list[str] = []

    @property
    def difference(self) -> Difference:
        """Candidate minus base, of the primary metric."""
        return self.differences[self.primary_metric]

    @property
    def decisive(self) -> Difference:
        """Candidate minus what is in use, be it the champion or the base model, of the primary metric."""
        return (self.champion or self).differences[self.primary_metric]

    def corpus_differences(self) -> dict[str, float | None]:
        """Returns candidate minus base of each metric of the whole split; None where one of the two has none."""
        sides = ((name, value, self.candidate.corpus.get(name)) for name, value in self.base.corpus.items())
        return {name: None if base is None or tuned is None else tuned - base for name, base, tuned in sides}

    def headline(self) -> dict[str, str | float]:
        """Returns the few values that stand for the whole."""
        difference = self.difference
        values: dict[str, str | float] = {
            "verdict": self.verdict.value,
            "primary_metric": self.primary_metric,
            "base": self.base.metrics[self.primary_metric],
            "candidate": self.candidate.metrics[self.primary_metric],
            "difference": difference.mean,
            "difference_low": difference.low,
            "difference_high": difference.high,
            "worlds_won": difference.won,
            "confidence": self.confidence,
        }
        if self.champion:
            values["champion"] = self.champion.side.metrics[self.primary_metric]
        return values


def side_of(result: EvaluationResult) -> Side:
    """Returns an evaluation without its single examples."""
    return Side(
        model=result.model,
        served_by=result.served_by,
        n=result.n,
        outcomes=result.outcomes,
        unreadable=result.unreadable,
        metrics=result.metrics,
        corpus=result.corpus,
    )
