"""Where the result comes from, what it cost, and how to do it again."""

from dataclasses import replace

import yaml

from gemini_sft.experiment import Experiment
from gemini_sft.experiment.rules import Policy
from gemini_sft.report.cost_section import cost_view
from gemini_sft.report.lineage import lineage_view
from tests.unit.gemini_sft.report.data_sample import broken, summary
from tests.unit.gemini_sft.report.sample import CHAMPION, sample_input
from tests.unit.gemini_sft.report.test_page import page_of
from tests.unit.gemini_sft.report.whole_sample import COMMAND, promoted


def test_the_command_that_started_the_run_can_be_copied() -> None:
    page = page_of(promoted(60))
    assert COMMAND in page.text and "The run was started with this command." in page.text
    assert "pre" in [tag for tag, _ in page.elements]


def test_a_run_that_no_command_has_started_says_which_one_would() -> None:
    text = page_of(sample_input()).text
    assert "save the experiment below as experiment.yaml" in text
    assert "gemini-sft run experiment.yaml --on vertex" in text


def test_the_experiment_on_the_page_is_the_whole_one() -> None:
    data = promoted(60)
    said = lineage_view(data).experiment
    assert Experiment.model_validate(yaml.safe_load(said)) == data.experiment
    assert "max_failure_rate: 0.1" in said


def test_names_hashes_and_champion_are_there() -> None:
    data = promoted(60)
    text = page_of(data).text
    assert data.selection
    for said in (*data.origins.values(), CHAMPION, data.tuning.job, data.selection.taken.endpoint):
        assert said in text


def test_the_quote_is_shown_line_by_line_with_the_budget_and_the_bill() -> None:
    data = promoted(60)
    view = cost_view(data)
    assert [one.what for one in view.lines][:2] == ["Tuning", "Evaluation of the base model"]
    assert (view.total, view.budget) == ("0.9312 USD", "at most 5.00 USD")
    text = page_of(data).text
    assert data.cost.words in text and "Vertex AI chooses the epochs: 4 are a guess." in text
    assert cost_view(sample_input()).budget == "none was set"


def test_a_price_that_nobody_knows_is_unknown_and_not_in_the_total() -> None:
    data = sample_input()
    lines = [
        *data.quote.lines,
        data.quote.lines[0].model_copy(update={"what": "comparisons by the judge", "usd": None}),
    ]
    view = cost_view(replace(data, quote=data.quote.model_copy(update={"lines": lines, "usd": None})))
    assert view.lines[-1].usd == "unknown"
    assert view.total == "0.9000 USD, without what has no known price"


def test_broken_rules_are_counted_and_the_first_places_named() -> None:
    found = summary(broken("personal_data", Policy.WARN, 2), broken("duplicate", Policy.DROP, 33))
    text = page_of(replace(sample_input(), data=found)).text
    assert "duplicate 33 left out tickets/train.jsonl:7 , tickets/train.jsonl:38" in text and "and 28 more" in text
    assert "personal_data 2 kept tickets/train.jsonl:7" in text
    assert "all are in findings.jsonl, beside this page in the run's folder" in text.replace(" ,", ",")
    assert "240 from samples/tickets/train.jsonl; 1,019 records left out by the checks" in text
    assert "Nothing: no rule was broken." in page_of(replace(sample_input(), data=summary())).text
