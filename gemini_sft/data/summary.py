"""What was made of the user's data, in numbers: the data report shows it."""

from pydantic import BaseModel, ConfigDict

from gemini_sft.data.findings import Finding
from gemini_sft.experiment.rules import Policy


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Distribution(_Record):
    """Lengths in characters over all examples of a split."""

    mean: float
    minimum: int
    median: int
    p95: int
    maximum: int


class SplitSummary(_Record):
    """One split.

    Attributes:
        examples: How many it has.
        dropped: How many records of its files were left out.
        files: What it was read from, as the user named it.
        prompt_characters: Lengths of the prompts, without system instruction; None if there is no example.
        target_characters: Lengths of the targets; likewise.
        histogram: How many prompts are shorter than 2^k characters and no shorter than 2^(k-1), for k from 0 upwards.
        labels: How often each label occurs; empty if the task is not classification.
    """

    examples: int
    dropped: int
    files: list[str]
    prompt_characters: Distribution | None
    target_characters: Distribution | None
    histogram: list[int]
    labels: dict[str, int]


class RuleSummary(_Record):
    """One rule that was broken: how often, what was done about it, and the first findings."""

    rule: str
    policy: Policy
    count: int
    first: list[Finding]


class DataSummary(_Record):
    """All splits together.

    Attributes:
        splits: By name: train, validation, test.
        rules: Those that were broken; errors first, then by count.
        fingerprint: Of the prompt: 16 hexadecimal digits that change with whatever stands around the user's text.
        system_instruction: What stands in front of the examples; None if nothing does, or each brings its own.
        few_shot: Where the examples in the system instruction came from, as `file:line`.
        near_duplicates_among: How many examples were searched for near-duplicates; fewer than all if there are many.
        template: Of the user's turn, if the experiment gives one.
    """

    splits: dict[str, SplitSummary]
    rules: list[RuleSummary]
    fingerprint: str
    system_instruction: str | None
    few_shot: list[str]
    near_duplicates_among: int
    template: str | None = None

    @property
    def errors(self) -> int:
        """How many findings stop the run."""
        return sum(one.count for one in self.rules if one.policy is Policy.ERROR)
