import csv
import json
import re
import runpy
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_origin

import pytest
from pydantic import BaseModel, Field

from gemini_sft.catalog import catalog
from gemini_sft.data.findings import Fault
from gemini_sft.data.reading import reading_of
from gemini_sft.data.records import read_record, shape_of
from gemini_sft.experiment import Experiment, Task, reference
from gemini_sft.experiment.rules import RULES
from gemini_sft.experiment.section import section_in
from gemini_sft.metrics import metrics_of

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
DATA = (DOCS / "data.md").read_text("utf-8")
BASE = {"name": "demo", "task": "chat", "base_model": "gemini-2.5-flash", "data": {"train": "train.jsonl"}}


def experiment(**changes: Any) -> Experiment:
    return Experiment.model_validate(BASE | changes)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def row_of(table: str, key: str) -> list[str]:
    (line,) = (line for line in table.splitlines() if line.startswith(f"| `{key}` |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_page_on_data_holds_the_table_of_rules() -> None:
    (shown,) = re.findall(r"^<!-- rules: .* -->\n(.*?)^<!-- end of rules -->$", DATA, re.MULTILINE | re.DOTALL)
    assert shown == reference.rules(), "renew it: python -m gemini_sft.experiment.reference rules"


@pytest.mark.parametrize("name", RULES)
def test_table_says_everything_about_a_rule(name: str) -> None:
    rule = RULES[name]
    first, *others = (f"`{policy}`" for policy in rule.policies)
    assert row_of(reference.rules(), name) == [f"`{name}`", rule.title, first, ", ".join(others), rule.remedy]


@pytest.mark.parametrize(
    ("key", "kind", "default"),
    [
        ("name", "text", "required"),
        ("task", "word", "required"),
        ("data.train", "text or list of texts", "required"),
        ("data.test", "text or list of texts", "none"),
        ("data.split.test", "number, > 0, ≤ 0.8", "`0.2`"),
        ("data.labels", "list of texts, at least 2", "none"),
        ("data.policy", "mapping of names to words", "none"),
        ("prompt.template", "text", "none"),
        ("tuning.epochs", "whole number, ≥ 1, ≤ 100", "none"),
        ("gate.confidence", "number, > 0.5, < 1", "`0.95`"),
        ("budget.allow_unknown_price", "true or false", "`false`"),
    ],
)
def test_types_are_shown_in_words(key: str, kind: str, default: str) -> None:
    assert row_of(reference.reference(), key)[1:3] == [kind, default]


def test_every_key_stands_in_the_page_once() -> None:
    def keys(section: type[BaseModel], prefix: str = "") -> list[str]:
        found = []
        for name, field in section.model_fields.items():
            inner, several = section_in(field.annotation), get_origin(field.annotation) is list
            found += [] if inner and not several else [prefix + name]
            found += keys(inner, f"{prefix}{name}{'[]' if several else ''}.") if inner else []
        return found

    assert {"gate.guards", "gate.guards[].slice", "sweep.trials[].epochs"} <= {*keys(Experiment)}
    for key in keys(Experiment):
        assert len(row_of(reference.reference(), key)) == 4 and row_of(reference.reference(), key)[3]


def test_type_without_a_word_is_an_error() -> None:
    class Strange(BaseModel):
        when: complex = Field(description="Never.")

    with pytest.raises(KeyError):
        list(reference._rows(Strange))


def test_page_shows_every_model_with_its_prices_and_every_retired_one() -> None:
    page = reference.reference()
    for name, model in catalog().models.items():
        row = row_of(page, name)
        assert row[2] == ", ".join(map(str, model.adapter_sizes))
        assert row[3] == ", ".join(model.tuning_regions)
        assert model.price is not None
        rates = (model.price.training, model.price.input, model.price.output)
        assert row[5:8] == ["unknown" if rate is None else f"{rate:.2f}" for rate in rates]
        assert row[9] == str(model.price.date)
    for name, gone in catalog().retired.items():
        assert row_of(page, name) == [f"`{name}`", str(gone.since), f"`{gone.replacement}`"]
    assert f"on {catalog().checked}" in page


@pytest.mark.parametrize("name", catalog().models)
def test_page_says_of_which_day_on_a_model_is_refused(name: str) -> None:
    going = catalog().models[name].retires
    shown = row_of(reference.reference(), name)[1]
    assert going and str(going.date) in shown
    refused = re.search(r"refused from (\d{4}-\d\d-\d\d)", shown)
    if refused:
        day = date.fromisoformat(refused[1])
        assert catalog().retirement_objection(name, day) and f"use `{going.replacement}`" in shown
        assert catalog().retirement_objection(name, day - timedelta(days=1)) is None
    else:
        assert catalog().retirement_objection(name, date(2090, 1, 1)) is None


def test_model_without_any_price_is_shown_as_unknown() -> None:
    table = catalog()
    model = table.models["gemini-2.5-pro"].model_copy(update={"price": None})
    page = reference._models(table.model_copy(update={"models": {"gemini-x": model}}))
    assert row_of(page, "gemini-x")[5:] == ["unknown", "unknown", "unknown", "", ""]


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize(
    ("arguments", "printed"), [([], reference.reference()), (["rules"], reference.rules())], ids=["page", "rules"]
)
def test_command_prints_it(
    arguments: list[str], printed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["reference", *arguments])
    runpy.run_module("gemini_sft.experiment.reference", run_name="__main__")
    assert capsys.readouterr().out == printed


def test_examples_of_records_in_the_page_can_be_read() -> None:
    (table,) = blocks(DATA, "csv")
    records = [*map(json.loads, blocks(DATA, "json")), *csv.DictReader(table.splitlines())]
    assert len(records) == 6

    def refuse(rule: str, what: str, excerpt: str) -> None:
        raise Fault(rule, what, excerpt)

    for record in records:
        task = Task.CLASSIFICATION if "label" in record else Task.CHAT
        draft = read_record(record, shape_of(record), reading_of(experiment(task=task)), refuse)
        assert draft.contents[-1]["role"] == "model"


@pytest.mark.parametrize("task", Task)
def test_page_names_the_customary_columns_and_the_deciding_metric_of_a_task(task: Task) -> None:
    _, *cells, decides = row_of(DATA, task)
    in_every_task = DATA.split("## Tasks")[1].split("| task |")[0]
    columns = reading_of(experiment(task=task)).expected_columns()
    for column in re.findall(r"\w+", columns):
        if column not in ("and", "or"):
            assert f"`{column}`" in in_every_task + " ".join(cells), column
    assert decides.lower().replace("-", "").split()[0] in metrics_of(task).primary.lower().replace("_", " ")
