"""Every test example as all models answered it, in the order of its change."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from gemini_sft.data import Example
from gemini_sft.data.example import text_of
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.report import numbers
from gemini_sft.report.input import Arm, ReportInput
from gemini_sft.report.text import Passage, passage

SHOWN_REFERENCES = 5
"""Right answers per example."""

PROMPT_LIMIT = 6000
_ANSWER_LIMIT = 4000
_SPEAKERS = {"user": "User", "model": "Model", "function": "Function"}


class Kind(StrEnum):
    """How the tuned model's answer compares with that of what is in use, in the order in which examples are shown."""

    WORSE = "worse"
    BETTER = "better"
    SAME = "same"
    UNSCORED = "unscored"


@dataclass(frozen=True)
class Answer:
    """What a model said to an example; `missing` says why it said nothing."""

    model: str
    score: str
    passage: Passage
    missing: str
    truncated: bool


@dataclass(frozen=True)
class Card:
    """One example as it is shown.

    Attributes:
        place: File and line.
        id: Of the example.
        at: Its number in the test split, from 0.
        kind: Whether the tuned model answers it better or worse than what is in use.
        change: The same in words, with how much.
        wrong: Whether the tuned model's answer is wrong; False where the primary metric says more than right or wrong.
        instruction: Its system instruction, if most examples have another one.
        prompt: What was asked.
        references: Of its right answers the first ones.
        more_references: How many more there are.
        answers: Of the base, the tuned model and, if there is one, the champion.
        slices: Its value in each column of `data.slices`.
    """

    place: str
    id: str
    at: int
    kind: Kind
    change: str
    wrong: bool
    instruction: Passage | None
    prompt: Passage
    references: list[Passage]
    more_references: int
    answers: list[Answer]
    slices: dict[str, str]


def cards(data: ReportInput) -> list[Card]:
    """Returns all test examples: those that lost most in the primary metric first, then those that won most.

    Equal changes keep the order of the test split. More is a gain unless less of the metric is better.
    """
    gains = _gains(data)
    kinds = [_kind(gain) for gain in gains]
    ranks = {kind: rank for rank, kind in enumerate(Kind)}
    # What could not be scored is not a number, which has no place in an order.
    sizes = [0.0 if kind is Kind.UNSCORED else abs(gain) for gain, kind in zip(gains, kinds, strict=True)]
    order = sorted(range(len(gains)), key=lambda at: (ranks[kinds[at]], -sizes[at]))
    flips, wrong, arms = right_or_wrong(data), _wrong(data), list(_arms(data))
    return [
        _card(data, at, kinds[at], _words(gains[at], kinds[at], flips=flips), arms, wrong=data.test[at].id in wrong)
        for at in order
    ]


def right_or_wrong(data: ReportInput) -> bool:
    """Returns whether the primary metric says only right or wrong of an example, so that a change turns it over."""
    metric = data.comparison.primary_metric
    sides = (data.in_use.result.scores, data.candidate.result.scores)
    return all(scores[metric] in (0, 1) for side in sides for scores in side.values())


def _wrong(data: ReportInput) -> set[str]:
    """Returns the examples that the tuned model answers wrong; none where that is a matter of degree."""
    if not right_or_wrong(data):
        return set()
    metric, worst = data.comparison.primary_metric, int(data.comparison.difference.lower_is_better)
    return {one for one, scores in data.candidate.result.scores.items() if scores[metric] == worst}


def _gains(data: ReportInput) -> list[float]:
    metric, sign = data.comparison.primary_metric, -1 if data.comparison.difference.lower_is_better else 1
    before, tuned = data.in_use.result.scores, data.candidate.result.scores
    return [sign * (tuned[one.id][metric] - before[one.id][metric]) for one in data.test]


def _kind(gain: float) -> Kind:
    if not math.isfinite(gain):
        return Kind.UNSCORED
    return Kind.WORSE if gain < 0 else Kind.BETTER if gain > 0 else Kind.SAME


def _words(gain: float, kind: Kind, *, flips: bool) -> str:
    match kind:
        case Kind.UNSCORED:
            return "not scored"
        case Kind.SAME:
            return "the same"
        case Kind.WORSE if flips:
            return "right before, wrong now"
        case Kind.BETTER if flips:
            return "wrong before, right now"
    return f"{numbers.score(abs(gain))} {kind.value}"


@dataclass(frozen=True)
class _Asked:
    """A model's answers by example."""

    name: str
    result: EvaluationResult
    predictions: Mapping[str, Prediction]


def _arms(data: ReportInput) -> Iterator[_Asked]:
    arms: list[tuple[str, Arm | None]] = [("Base", data.base), ("Tuned", data.candidate), ("Champion", data.champion)]
    for name, arm in arms:
        if arm:
            yield _Asked(name, arm.result, {one.example_id: one for one in arm.predictions})


def _card(data: ReportInput, at: int, kind: Kind, change: str, arms: list[_Asked], *, wrong: bool) -> Card:
    example = data.test[at]
    own = example.system_instruction
    shared = own == data.system_instruction
    metric = data.comparison.primary_metric
    return Card(
        place=f"{example.source}:{example.line}",
        id=example.id,
        at=at,
        kind=kind,
        change=change,
        wrong=wrong,
        instruction=None if shared or not own else passage(own, PROMPT_LIMIT),
        prompt=passage(_conversation(example), PROMPT_LIMIT),
        references=[passage(one, _ANSWER_LIMIT) for one in example.references[:SHOWN_REFERENCES]],
        more_references=max(0, len(example.references) - SHOWN_REFERENCES),
        answers=[_answer(arm, example.id, metric) for arm in arms],
        slices=example.slices,
    )


def _answer(arm: _Asked, example_id: str, metric: str) -> Answer:
    value = arm.result.scores.get(example_id, {}).get(metric)
    score = numbers.NOTHING if value is None else numbers.score(value)
    prediction = arm.predictions.get(example_id)
    if prediction is None:
        return Answer(arm.name, score, passage("", 0), "the answer was not kept", truncated=False)
    missing = ""
    if not prediction.outcome.has_answer:
        missing = f"{prediction.outcome.value} {prediction.finish_reason}".strip()
    truncated = prediction.outcome is Outcome.TRUNCATED
    return Answer(arm.name, score, passage(prediction.text, _ANSWER_LIMIT), missing, truncated)


def _conversation(example: Example) -> str:
    """Returns the prompt, and who says what if there is more than one turn."""
    turns = example.prompt
    if len(turns) == 1:
        return example.prompt_text
    return "\n\n".join(f"{_SPEAKERS.get(one['role'], one['role'])}: {text_of(one)}" for one in turns)
