"""How records are to be read: what an experiment says of it, in a form that worker processes can be given."""

from dataclasses import dataclass
from enum import StrEnum

from gemini_sft.catalog import catalog
from gemini_sft.experiment import Experiment, Task
from gemini_sft.experiment.rules import RULES, Policy
from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.experiment.template import columns_of
from gemini_sft.words import BY_WORDS

CHARACTERS_PER_TOKEN = 4
"""Google's rule of thumb for English; bytes of a record stand for characters."""


class Shape(StrEnum):
    """What the records of a file look like."""

    MESSAGES = "messages"
    CONTENTS = "contents"
    COLUMNS = "columns"


_PAIRS = (
    ("{input_text}", "output_text"),
    ("{prompt}", "completion"),
    ("{prompt}", "response"),
    ("{input}", "output"),
)
_QUESTION = "Context: {context}\nQuestion: {question}"
_CUSTOMARY = {
    Task.SUMMARIZATION: (*_PAIRS, ("{document}", "summary"), ("{text}", "summary")),
    Task.QUESTION_ANSWERING: ((_QUESTION, "answers"), (_QUESTION, "answer"), *_PAIRS),
    Task.CLASSIFICATION: (("{text}", "label"), *_PAIRS),
    Task.CHAT: _PAIRS,
    Task.GENERATION: _PAIRS,
    Task.EXTRACTION: (("{text}", "json"), *_PAIRS),
}


@dataclass(frozen=True)
class Reading:
    """Everything that the reading of one record depends on.

    Attributes:
        task: What kind of answer is wanted.
        template: The user's turn with `{column}` for each column; None for the customary columns of the task.
        target: The column of the answer; likewise.
        group: The column whose rows stay together.
        policies: What is done about a finding, for every rule.
        max_tokens: What one example may have.
        instruction: Put in front of every example that brings none of its own.
        tokenizer: What a word is to the metrics that will score answers; None if they do not need any.
        slices: The columns by whose values test is looked at in parts.
        answered: Whether records have an answer; else they are only asked, and one that is there is passed over.
    """

    task: Task
    template: str | None
    target: str | None
    group: str | None
    policies: dict[str, Policy]
    max_tokens: int
    instruction: str | None
    tokenizer: Tokenizer | None = None
    slices: tuple[str, ...] = ()
    answered: bool = True

    @property
    def usual_template(self) -> str:
        """The experiment's template, or the customary one of its task."""
        return self.template or _CUSTOMARY[self.task][0][0]

    @property
    def names_columns(self) -> bool:
        """Whether the experiment names any that a record may turn out not to have."""
        return bool(self.slices or self.template or self.target)

    def columns(self, present: set[str]) -> tuple[str, str] | None:
        """Returns template and target column for records with these columns; None if they do not fit."""
        fits = [one for one in self._candidates() if present.issuperset(columns_of(one[0]))]
        whole = [one for one in fits if one[1] in present]
        return next(iter(whole if self.answered else whole or fits), None)

    def expected_columns(self) -> str:
        """Says which columns a record could have."""
        ways = [
            ", ".join(columns_of(template)) + (f" and {target}" if self.answered else "")
            for template, target in self._candidates()
        ]
        return "; or ".join(dict.fromkeys(ways))

    def _candidates(self) -> tuple[tuple[str, str], ...]:
        customary = _CUSTOMARY[self.task]
        if self.template is None and self.target is None:
            return customary
        templates = [self.template] if self.template else [template for template, _ in customary]
        targets = [self.target] if self.target else [target for _, target in customary]
        return tuple((template, target) for template in templates for target in targets)


def reading_of(experiment: Experiment) -> Reading:
    """Returns how the records of an experiment are read."""
    return Reading(
        task=experiment.task,
        template=experiment.prompt.template,
        target=experiment.prompt.target,
        group=experiment.data.group,
        policies={name: experiment.data.policy.get(name, rule.policies[0]) for name, rule in RULES.items()},
        max_tokens=catalog().max_example_tokens(experiment.base_model),
        instruction=experiment.prompt.system_instruction,
        tokenizer=experiment.evaluation.tokenizer if experiment.task in BY_WORDS else None,
        slices=tuple(experiment.data.slices),
    )
