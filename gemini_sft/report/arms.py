"""What each model that was asked scored, used, took and costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from gemini_sft.catalog import catalog
from gemini_sft.cost.line import Asked
from gemini_sft.decision import per_request
from gemini_sft.decision.comparison import Side
from gemini_sft.experiment.schema import Backend
from gemini_sft.inference import Prediction
from gemini_sft.report.input import Arm, ReportInput
from gemini_sft.vertex import location_of

_MILLION = 1_000_000
_CHAMPIONS_LINE = "evaluation of the champion"


@dataclass(frozen=True)
class ArmNumbers:
    """One model in numbers, which are None where nobody counted, measured or knows.

    Attributes:
        name: What it is called here.
        side: What it scored.
        prompt: Mean tokens of a prompt.
        answer: Mean tokens of an answer, thoughts included.
        usd: What one such request costs.
        median: Seconds from a request to its answer, half of them no more.
        p95: Likewise, 95 % of them no more.
        words: Mean words of an answer, as white space parts them.
    """

    name: str
    side: Side
    prompt: float | None
    answer: float | None
    usd: float | None
    median: float | None
    p95: float | None
    words: float | None


def arm_numbers(data: ReportInput) -> dict[str, ArmNumbers]:
    """Returns the models that were asked: `base`, `few_shot` and `champion` if there are any, and `candidate`."""
    comparison, root = data.comparison, data.tuning.base_model
    place = location_of(data.candidate.result.model, location_of(data.tuning.job, ""))
    found = {"base": _numbers("Base", comparison.base, data.base, root, place, data)}
    if comparison.few_shot and data.few_shot:
        shots = comparison.few_shot.examples
        name = f"Base with {shots} example{'s' * (shots > 1)}"
        found["few_shot"] = _numbers(name, comparison.few_shot.base, data.few_shot, root, place, data)
    if comparison.champion and data.champion:
        model = next((one.model for one in data.quote.lines if one.what == _CHAMPIONS_LINE), "")
        where = location_of(data.champion.result.model, place)
        found["champion"] = _numbers("Champion", comparison.champion.side, data.champion, model, where, data)
    found["candidate"] = _numbers("Tuned", comparison.candidate, data.candidate, root, place, data)
    return found


def _numbers(name: str, side: Side, arm: Arm, model: str, place: str, data: ReportInput) -> ArmNumbers:
    tokens = per_request(arm.predictions)
    usd = None
    # One kind of price for all: which of them a batch job takes says nothing about the models.
    batch = data.experiment.evaluation.backend is Backend.BATCH
    if tokens and model in catalog().models:
        sent, got = Asked(place, batch).rates(model)
        if sent is not None and got is not None:
            usd = (tokens.prompt * sent + tokens.answer * got) / _MILLION
    return ArmNumbers(
        name=name,
        side=side,
        prompt=tokens.prompt if tokens else None,
        answer=tokens.answer if tokens else None,
        usd=usd,
        median=arm.traffic.latency_median if arm.traffic else None,
        p95=arm.traffic.latency_p95 if arm.traffic else None,
        words=_words(arm.predictions),
    )


def _words(predictions: Sequence[Prediction]) -> float | None:
    lengths = [len(one.text.split()) for one in predictions if one.outcome.has_answer]
    return sum(lengths) / len(lengths) if lengths else None
