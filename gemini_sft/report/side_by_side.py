"""What two finished runs are made of, quantity by quantity and setting by setting."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gemini_sft.cost import reconcile
from gemini_sft.cost.words import usd
from gemini_sft.data.example import digest_of
from gemini_sft.decision import per_request
from gemini_sft.experiment.schema import Sources, listed
from gemini_sft.report import numbers
from gemini_sft.report.between import FinishedRun
from gemini_sft.report.cost_section import quoted_total
from gemini_sft.report.facts import told_apart
from gemini_sft.report.lineage import adapter_size, further
from gemini_sft.report.selection import taken_words
from gemini_sft.report.text import Passage, passage

NOT_SET = "not set"
_LONGEST_SETTING = 6000
_CURVES = {
    "final_train_loss": "Training loss at the end",
    "final_validation_loss": "Validation loss at the end",
    "best_validation_loss": "Validation loss at its lowest",
    "final_validation_accuracy": "Validation accuracy at the end",
}


@dataclass(frozen=True)
class Row:
    """One quantity of both runs."""

    label: str
    a: str
    b: str


@dataclass(frozen=True)
class SettingRow:
    """One key of the experiments; what is not set, or left to its default of nothing, says so."""

    key: str
    a: Passage
    b: Passage


def side_by_side(a: FinishedRun, b: FinishedRun) -> dict[str, list[Row]]:
    """Returns the quantities of both runs, by their headings."""
    first, second = _quantities(a), _quantities(b)
    return {
        heading: [Row(name, value, second[heading][name]) for name, value in named.items()]
        for heading, named in first.items()
    }


def _quantities(run: FinishedRun) -> dict[str, dict[str, str]]:
    return {"Data": _data(run), "Tuning": _tuning(run), "Cost": _cost(run), "Answers": _answers(run)}


def _data(run: FinishedRun) -> dict[str, str]:
    names = {"train": "Training", "validation": "Validation", "test": "Test"}
    splits = [(names[key], run.data.splits[key]) for key in names]
    return {
        **{f"{name} examples": numbers.count(one.examples) for name, one in splits},
        **{f"{names[key]} files": _files(getattr(run.experiment.data, key)) for key in names},
        "Hash of the test examples": digest_of(run.result.scores),
        "Fingerprint of the prompt": run.data.fingerprint,
    }


def _files(sources: Sources | None) -> str:
    """Returns the files of a split; none if it is a part of the training files, or empty."""
    return ", ".join(map(told_apart, listed(sources))) or numbers.NOTHING


def _tuning(run: FinishedRun) -> dict[str, str]:
    record, taken, curves = run.tuning, run.selection.taken, run.curves.summary()
    scored = f"{numbers.score(taken.score)} in {run.selection.metric}" if taken.score is not None else numbers.NOTHING
    return {
        "Base model": further(record) or record.base_model,
        "Epochs": _or_nothing(record.epochs, numbers.plain),
        "Adapter size": adapter_size(record) or numbers.NOTHING,
        "Learning rate multiplier": _or_nothing(record.learning_rate_multiplier, numbers.plain),
        "Optimizer steps": numbers.count(record.steps),
        "Time from start to end": numbers.duration(record.seconds),
        "Taken": taken_words(run.selection),
        "Score on validation": scored,
        **{label: _or_nothing(curves.get(key), numbers.plain) for key, label in _CURVES.items()},
        "Tuned model": taken.model,
    }


def _cost(run: FinishedRun) -> dict[str, str]:
    bill = reconcile(run.quote, run.selection.bills)
    return {
        "Quoted for the run": quoted_total(run.quote),
        "Tuning, as quoted": _or_nothing(bill.quoted_usd, usd),
        "Tuning, as billed": _or_nothing(bill.billed_usd, usd),
        "Of that paid by this run": _or_nothing(bill.new_usd, usd),
    }


def _answers(run: FinishedRun) -> dict[str, str]:
    tokens, traffic = per_request(run.predictions), run.traffic
    return {
        "Came from": run.result.served_by or numbers.NOTHING,
        "Without an answer": f"{numbers.count(run.result.failures)} of {numbers.count(run.result.n)}",
        "Latency, half came within": _or_nothing(traffic.latency_median, _seconds),
        "Latency, 95% came within": _or_nothing(traffic.latency_p95, _seconds),
        "Tokens of a prompt, mean": _or_nothing(tokens.prompt if tokens else None, _tokens),
        "Tokens of an answer, mean": _or_nothing(tokens.answer if tokens else None, _tokens),
    }


def settings(a: FinishedRun, b: FinishedRun) -> tuple[list[SettingRow], list[SettingRow]]:
    """Returns the keys of the experiments in which the runs differ, and those in which they do not."""
    first, second = (dict(_flat(one.experiment.model_dump(mode="json"))) for one in (a, b))
    rows = [SettingRow(key, _setting(first.get(key)), _setting(second.get(key))) for key in {**first, **second}]
    return [one for one in rows if one.a != one.b], [one for one in rows if one.a == one.b]


def _flat(section: dict[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """Yields what is set, under its whole key."""
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{place}{key}.")
        elif value not in (None, "", []):
            yield f"{place}{key}", value


def _setting(value: Any) -> Passage:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = ", ".join(map(told_apart, value))
    elif isinstance(value, str):
        text = told_apart(value)
    else:
        text = NOT_SET if value is None else json.dumps(value, ensure_ascii=False)
    return passage(text, _LONGEST_SETTING)


def _or_nothing(value: float | None, words: Callable[[float], str]) -> str:
    return numbers.NOTHING if value is None else words(value)


def _seconds(value: float) -> str:
    return f"{value:.2f} s"


def _tokens(mean: float) -> str:
    return f"{mean:,.1f}"
