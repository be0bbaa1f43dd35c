"""The test examples whose score changed most."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from gemini_sft.data import Example
from gemini_sft.data.example import text_of
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.report import numbers
from gemini_sft.report.input import ReportInput
from gemini_sft.report.text import Passage, passage

SHOWN = 10
"""Examples per direction."""

SHOWN_REFERENCES = 5
"""Right answers per example."""

_PROMPT_LIMIT = 6000
_ANSWER_LIMIT = 4000
_SPEAKERS = {"user": "User", "model": "Model", "function": "Function"}


@dataclass(frozen=True)
class Answer:
    """What a model said to an example; `missing` says why it said nothing."""

    score: str
    passage: Passage
    missing: str
    truncated: bool


@dataclass(frozen=True)
class Change:
    """One example, answered by both models; of its right answers the first ones are here."""

    place: str
    id: str
    worse: bool
    difference: str
    instruction: Passage | None
    prompt: Passage
    references: list[Passage]
    more_references: int
    base: Answer
    tuned: Answer


@dataclass(frozen=True)
class Changes:
    """The examples that changed most.

    Attributes:
        losses: Of those that got worse the worst, at most `SHOWN`.
        wins: Of those that got better the best, likewise.
        worse: How many got worse.
        better: How many got better.
        n: How many were asked.
        unscored: How many of them have no difference.
    """

    losses: list[Change]
    wins: list[Change]
    worse: int
    better: int
    n: int
    unscored: int


def changes(data: ReportInput) -> Changes:
    """Returns the examples that changed most in the primary metric; equal changes keep the order of the test split."""
    metric = data.comparison.primary_metric
    differences = [
        (data.candidate.result.scores[one.id][metric] - data.base.result.scores[one.id][metric], one)
        for one in data.test
    ]
    losses = sorted(((gain, one) for gain, one in differences if gain < 0), key=lambda pair: pair[0])
    wins = sorted(((gain, one) for gain, one in differences if gain > 0), key=lambda pair: -pair[0])
    base = {one.example_id: one for one in data.base.predictions}
    tuned = {one.example_id: one for one in data.candidate.predictions}
    shown_losses, shown_wins = (
        [_change(data, gain, one, base, tuned) for gain, one in some[:SHOWN]] for some in (losses, wins)
    )
    return Changes(
        losses=shown_losses,
        wins=shown_wins,
        worse=len(losses),
        better=len(wins),
        n=len(differences),
        unscored=sum(1 for gain, _ in differences if math.isnan(gain)),
    )


def _change(
    data: ReportInput,
    gain: float,
    example: Example,
    base: Mapping[str, Prediction],
    tuned: Mapping[str, Prediction],
) -> Change:
    own = example.system_instruction
    shared = own == data.system_instruction
    metric = data.comparison.primary_metric
    return Change(
        place=f"{example.source}:{example.line}",
        id=example.id,
        worse=gain < 0,
        difference=numbers.signed(gain),
        instruction=None if shared or not own else passage(own, _PROMPT_LIMIT),
        prompt=passage(_conversation(example), _PROMPT_LIMIT),
        references=[passage(one, _ANSWER_LIMIT) for one in example.references[:SHOWN_REFERENCES]],
        more_references=max(0, len(example.references) - SHOWN_REFERENCES),
        base=_answer(base.get(example.id), data.base.result, example.id, metric),
        tuned=_answer(tuned.get(example.id), data.candidate.result, example.id, metric),
    )


def _answer(prediction: Prediction | None, result: EvaluationResult, example_id: str, metric: str) -> Answer:
    score = numbers.score(result.scores[example_id][metric])
    if prediction is None:
        return Answer(score, passage("", 0), "the answer was not kept", truncated=False)
    missing = ""
    if not prediction.outcome.has_answer:
        missing = f"{prediction.outcome.value} {prediction.finish_reason}".strip()
    truncated = prediction.outcome is Outcome.TRUNCATED
    return Answer(score, passage(prediction.text, _ANSWER_LIMIT), missing, truncated)


def _conversation(example: Example) -> str:
    """Returns the prompt, and who says what if there is more than one turn."""
    turns = example.prompt
    if len(turns) == 1:
        return example.prompt_text
    return "\n\n".join(f"{_SPEAKERS.get(one['role'], one['role'])}: {text_of(one)}" for one in turns)
