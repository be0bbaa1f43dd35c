"""Examples that are not in the result: those without an answer and those that training left out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from gemini_sft.data import Example
from gemini_sft.inference import Prediction
from gemini_sft.report.arms import ArmNumbers
from gemini_sft.report.input import Arm, ReportInput
from gemini_sft.report.text import Passage, passage

SHOWN = 50
"""Rows per table."""

_REASON_LIMIT = 500


@dataclass(frozen=True)
class Failure:
    """A request that brought no answer."""

    place: str
    id: str
    model: str
    outcome: str
    reason: Passage


@dataclass(frozen=True)
class Failures:
    """Requests that brought no answer: the first `SHOWN` of `total`, of `asked` that were sent."""

    shown: list[Failure]
    total: int
    asked: int


@dataclass(frozen=True)
class Dropped:
    """A training example that the service left out."""

    place: str
    number: str
    reason: Passage


@dataclass(frozen=True)
class DroppedView:
    """Training examples that the service left out: `total` of `of`, of which it names `named` and `shown` are here."""

    shown: list[Dropped]
    named: int
    total: int
    of: int


def failures(data: ReportInput, arms: Mapping[str, ArmNumbers]) -> Failures:
    """Returns the requests without an answer, of every model that was asked, in the order of the test split."""
    asked: dict[str, Arm | None] = {
        "base": data.base,
        "few_shot": data.few_shot,
        "champion": data.champion,
        "candidate": data.candidate,
    }
    sides = {one.name: arm.predictions for key, one in arms.items() if (arm := asked[key])}
    found = list(_failures(data.test, sides))
    return Failures(found[:SHOWN], len(found), sum(map(len, sides.values())))


def dropped(data: ReportInput) -> DroppedView:
    """Returns the training examples that the service left out; it counts them from 1 and names only some."""
    found = data.tuning.dropped
    pairs = list(zip_longest(found.indices, found.reasons))
    shown = [
        Dropped(
            place=_place(index, data),
            number="" if index is None else f"{index:,}",
            reason=passage(reason or "no reason was given", _REASON_LIMIT),
        )
        for index, reason in pairs[:SHOWN]
    ]
    return DroppedView(shown, len(pairs), max(found.count, len(found.indices)), data.train_examples)


def _failures(test: Sequence[Example], sides: Mapping[str, Sequence[Prediction]]) -> Iterator[Failure]:
    by_id = {model: {one.example_id: one for one in predictions} for model, predictions in sides.items()}
    for example in test:
        for model, predictions in by_id.items():
            prediction = predictions.get(example.id)
            if prediction is not None and not prediction.outcome.has_answer:
                yield _failure(example, model, prediction)


def _failure(example: Example, model: str, prediction: Prediction) -> Failure:
    reason = prediction.error or prediction.finish_reason or "no reason was given"
    return Failure(
        place=f"{example.source}:{example.line}",
        id=example.id,
        model=model,
        outcome=prediction.outcome.value,
        reason=passage(reason, _REASON_LIMIT),
    )


def _place(index: int | None, data: ReportInput) -> str:
    if index is None:
        return "not named"
    if index not in data.dropped_sources:
        return f"no such example: the split has {data.train_examples:,}"
    source, line = data.dropped_sources[index]
    return f"{source}:{line}"
