"""Was it worth it: the models side by side, what tuning cost, and what it brings."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gemini_sft.cost.words import usd
from gemini_sft.decision import worth
from gemini_sft.experiment.schema import Backend
from gemini_sft.metrics.words import metric_words
from gemini_sft.report import numbers
from gemini_sft.report.arms import ArmNumbers
from gemini_sft.report.input import ReportInput
from gemini_sft.report.words import title

_THOUSAND = 1000


@dataclass(frozen=True)
class Quantity:
    """A row of the table: one quantity of each model."""

    label: str
    meaning: str
    cells: list[str]


@dataclass(frozen=True)
class WorthView:
    """What the section shows.

    Attributes:
        names: Of the models.
        rows: What is told of each.
        said: What follows, in sentences.
        batch: Whether prices are those of batch jobs.
        priced: The day on which the prices were last seen; empty if there are none.
    """

    names: list[str]
    rows: list[Quantity]
    said: list[str]
    batch: bool
    priced: str


def worth_view(data: ReportInput, arms: Mapping[str, ArmNumbers]) -> WorthView:
    """Returns the models side by side, and what tuning cost and brought.

    Args:
        data: Of the run.
        arms: The models that were asked.
    """
    paid = f"{tuning_cost(data)} {gain_per_dollar(data)}".strip()
    said = [paid, worth(data.comparison), payback(data, arms)]
    return WorthView(
        names=[one.name for one in arms.values()],
        rows=_rows(data, arms),
        said=[one for one in said if one],
        batch=data.experiment.evaluation.backend is Backend.BATCH,
        priced=f"{data.quote.price_date or ''}",
    )


def tuning_usd(data: ReportInput) -> float | None:
    """Returns what tuning cost, whoever paid: as billed, else as quoted; None if its price is not known."""
    return data.cost.quoted_usd if data.cost.billed_usd is None else data.cost.billed_usd


def tuning_cost(data: ReportInput) -> str:
    """Returns what tuning cost and who paid, in a sentence."""
    amount = tuning_usd(data)
    if amount is None:
        return "What tuning cost is not known: the price list has no price for it."
    how = "was quoted at" if data.cost.billed_usd is None else "cost"
    said = f"Tuning {how} {usd(amount)}"
    if data.cost.new_usd == 0 and data.tuning.adopted:
        return f"{said}. An earlier run paid for it, this one did not."
    if data.cost.new_usd is not None and data.cost.new_usd < amount:
        return f"{said}, of which this run paid {usd(data.cost.new_usd)}; earlier runs paid the rest."
    return f"{said}."


def gain_per_dollar(data: ReportInput) -> str:
    """Returns what a dollar of tuning brought, in a sentence; empty unless something was gained for a known price."""
    amount, gain = tuning_usd(data), data.comparison.decisive.gain[0]
    if not amount or not math.isfinite(gain) or gain <= 0:
        return ""
    metric = metric_words(data.comparison.primary_metric).label
    over = " over the champion" if data.comparison.champion else ""
    return f"That is a gain of {gain / amount:.2g} in {metric}{over} for each dollar."


def payback(data: ReportInput, arms: Mapping[str, ArmNumbers]) -> str:
    """Returns after how many requests tuning has paid for itself; empty where that cannot be said.

    Held against the base model with examples in its prompt, whose longer prompts are what tuning saves.
    """
    shots, tuned, amount = arms.get("few_shot"), arms["candidate"], tuning_usd(data)
    if shots is None or shots.usd is None or tuned.usd is None or amount is None:
        return ""
    saved = shots.usd - tuned.usd
    if saved <= 0:
        return (
            "Requests to the tuned model are no cheaper than those with examples in the prompt: tuning saves no money."
        )
    return (
        f"1,000 requests to the tuned model cost {usd(saved * _THOUSAND)} less than with examples in the prompt: tuning"
        f" has paid for itself after about {_rounded_up(amount / saved)} requests."
    )


def _rows(data: ReportInput, arms: Mapping[str, ArmNumbers]) -> list[Quantity]:
    metric = data.comparison.primary_metric
    less = "; less is better" if data.comparison.difference.lower_is_better else ""
    per_1000 = f"mean of {numbers.count(data.comparison.candidate.n, 'test example')}, times 1,000"

    def row(label: str, meaning: str, cell: Callable[[ArmNumbers], str]) -> Quantity:
        return Quantity(label, meaning, [cell(one) for one in arms.values()])

    return [
        row(title(metric_words(metric).label), f"decides{less}", lambda one: numbers.score(one.side.metrics[metric])),
        row(
            "Without an answer",
            "that could be scored",
            lambda one: f"{numbers.count(one.side.failures)} of {numbers.count(one.side.n)}",
        ),
        row("Tokens of 1,000 prompts", per_1000, lambda one: _thousand(one.prompt)),
        row("Tokens of 1,000 answers", "thoughts included", lambda one: _thousand(one.answer)),
        row(
            "Price of 1,000 requests", "", lambda one: numbers.NOTHING if one.usd is None else usd(one.usd * _THOUSAND)
        ),
        row("Latency", "half of the answers came within", lambda one: _seconds(one.median)),
        row("Latency, slow ones", "95% came within", lambda one: _seconds(one.p95)),
        row("Words of an answer", "mean", lambda one: numbers.NOTHING if one.words is None else f"{one.words:,.1f}"),
    ]


def _thousand(mean: float | None) -> str:
    return numbers.NOTHING if mean is None else numbers.count(round(mean * _THOUSAND))


def _seconds(value: float | None) -> str:
    return numbers.NOTHING if value is None else f"{value:.2f} s"


def _rounded_up(requests: float) -> str:
    """Returns a number of requests with two digits that count; more would claim too much."""
    digits = 10 ** max(0, math.floor(math.log10(max(requests, 1))) - 1)
    return numbers.count(math.ceil(requests / digits) * digits)
