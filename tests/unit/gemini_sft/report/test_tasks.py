"""The report of tasks that are not summaries."""

from dataclasses import replace

import pytest

from gemini_sft.decision.comparison import CorpusInterval
from gemini_sft.experiment import Data, Evaluation, Task
from gemini_sft.experiment.schema import Split
from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.report import ReportInput, report_page
from gemini_sft.report.arms import arm_numbers
from gemini_sft.report.classes import class_rows
from gemini_sft.report.data_section import data_view
from gemini_sft.report.lineage import lineage_view
from gemini_sft.report.scores import MetricTable, metric_table, outcome_rows
from tests.unit.gemini_sft.report.data_sample import split, summary
from tests.unit.gemini_sft.report.sample import answered, example, made_of, sample_input
from tests.unit.gemini_sft.report.selection_sample import one_job

RIGHT, WRONG = '{"a": "yes"}', '{"a": "no"}'
LABELS = {
    Task.SUMMARIZATION: ["ROUGE-L F", "ROUGE-1 precision"],
    Task.CHAT: ["ROUGE-L F", "ROUGE-1 precision"],
    Task.GENERATION: ["ROUGE-L F", "ROUGE-1 precision"],
    Task.QUESTION_ANSWERING: ["Token F1", "Exact match"],
    Task.CLASSIFICATION: ["Accuracy", "Micro F1", "Macro F1"],
    Task.EXTRACTION: ["Field F1", "Valid JSON", "Exact object", "Field precision", "Field recall"],
}


def report_of(task: Task) -> ReportInput:
    """Twenty examples, of which the base model gets the first five right and the tuned one all but the first."""
    test = [example(n, f"question {n}", RIGHT, RIGHT + " ") for n in range(20)]
    base = [answered(one, RIGHT if n < 5 else WRONG) for n, one in enumerate(test)]
    tuned = [answered(one, WRONG if n == 0 else RIGHT) for n, one in enumerate(test)]
    return made_of(test, base, tuned, task=task, labels=(RIGHT, WRONG, "never"))


def metrics_of(data: ReportInput) -> MetricTable:
    return metric_table(data, arm_numbers(data))


@pytest.mark.parametrize("task", Task)
def test_the_metrics_are_those_of_the_task_and_the_one_that_decides_stands_first(task: Task) -> None:
    rows = metrics_of(report_of(task)).rows
    assert [row.label for row in rows][: len(LABELS[task])] == LABELS[task]
    assert [row.decides for row in rows] == [True] + [False] * (len(rows) - 1)
    assert all(row.meaning for row in rows)


@pytest.mark.parametrize("task", Task)
def test_the_page_says_what_decides_and_what_it_means(task: Task) -> None:
    data = report_of(task)
    html = report_page(data)
    label = LABELS[task][0]
    label = label if label.startswith("ROUGE") else label[0].lower() + label[1:]
    name = data.comparison.primary_metric
    assert " ".join(html.split()).count(f"{label} (<code>{name}</code>) decides:") == (label != name)
    assert " ".join(html.split()).count(f"; {label} decides:") == (label == name)
    assert "References, each of them right" in html
    assert f"Task</dt><dd>{task.value.replace('_', ' ')}</dd>" in html


def test_accuracy_is_a_share() -> None:
    row, *_ = metrics_of(report_of(Task.CLASSIFICATION)).rows
    assert (row.scores, row.gains[0].gain) == (["0.2500", "0.9500"], "+0.7000")


def test_metrics_of_the_whole_split_have_no_interval() -> None:
    rows = {row.label: row for row in metrics_of(report_of(Task.GENERATION)).rows}
    bleu = rows["BLEU (0–100)"]
    (gain,) = bleu.gains
    assert (bleu.scores[1] > bleu.scores[0], gain.span, gain.plot, bleu.decides) == (True, "", None, False)
    assert "tok:13a" in bleu.meaning and "version:" in bleu.meaning
    assert "chrF (0–100)" in rows


def test_metrics_of_the_whole_split_share_the_scale_of_the_others_if_they_are_shares_too() -> None:
    for task, scales in {Task.CLASSIFICATION: {"Micro F1": "", "Macro F1": ""}, Task.GENERATION: {}}.items():
        data = report_of(task)
        found = {
            name: CorpusInterval(low=change - 0.9, high=change + 0.1, confidence=0.95, won=0.5)
            for name, change in data.comparison.corpus_differences().items()
            if change is not None
        }
        changed = replace(data, comparison=data.comparison.model_copy(update={"corpus_intervals": found}))
        rows = {row.label: row for row in metrics_of(changed).rows}
        assert {label: rows[label].scale for label in scales} == scales
        places = [one.plot for row in rows.values() for one in row.gains if one.plot and not row.scale]
        assert len({one.zero for one in places}) == 1 and all(one.low > 0 and one.high < 100 for one in places)
        assert ("on a scale of its own" in report_page(changed)) == (task is Task.GENERATION)


def test_labels_are_shown_one_by_one_and_a_dash_where_there_is_nothing() -> None:
    """Of twenty the base model gets five right and calls the others `no`, which none is."""
    data = report_of(Task.CLASSIFICATION)
    right, wrong, never = class_rows(data)
    assert (right.label, right.support, right.base) == (RIGHT, 20, ["1.0000", "0.2500", "0.4000"])
    assert (wrong.support, wrong.base, wrong.tuned) == (0, ["0.0000", "–", "0.0000"], ["0.0000", "–", "0.0000"])
    assert never.base == never.tuned == ["–", "–", "–"]
    assert '<h2 id="classes">' in report_page(data)
    assert '<h2 id="classes">' not in report_page(report_of(Task.CHAT))


def test_answers_that_no_metric_could_read_are_counted() -> None:
    test = [example(n, f"question {n}", "yes") for n in range(20)]
    base = [answered(one, "はい" if n < 3 else "yes") for n, one in enumerate(test)]
    rows = outcome_rows(arm_numbers(made_of(test, base, [answered(one, "yes") for one in test])))
    assert [(row.name, row.cells) for row in rows] == [
        ("answered", [("20", "100%"), ("20", "100%")]),
        ("of these unreadable", [("3", "15%"), ("0", "0%")]),
    ]


@pytest.mark.parametrize(
    ("data", "validation", "test"),
    [
        (Data(train="a.jsonl", validation="b.jsonl", test="c.jsonl"), "from b.jsonl", "20 from c.jsonl"),
        (Data(train="a.jsonl", test=["c.csv", "d.csv"]), "none were given", "20 from c.csv, d.csv"),
        (Data(train="a.jsonl"), "held back from a.jsonl", "20 held back from a.jsonl"),
        (Data(train="a.jsonl", split=Split(validation=0)), "none were given", "20 held back from a.jsonl"),
        (Data(train="a.jsonl", validation="b.jsonl"), "from b.jsonl", "20 held back from a.jsonl"),
    ],
)
def test_where_the_examples_came_from(data: Data, validation: str, test: str) -> None:
    sample = report_of(Task.CLASSIFICATION)
    asked = replace(sample, experiment=sample.experiment.model_copy(update={"data": data}))
    facts = {fact.name: fact.value for fact in data_view(asked).facts}
    assert facts["Training examples"] == "240 from a.jsonl"
    given = validation != "none were given"
    unknown = f"{validation}; their number is not recorded" if given else validation
    assert (facts["Validation examples"], facts["Test examples"]) == (unknown, test)
    counted = replace(asked, data=summary(splits={"validation": split(1234)}), selection=one_job())
    known = {fact.name: fact.value for fact in data_view(counted).facts}
    assert known["Validation examples"] == (f"1,234 {validation}" if given else validation)


def evaluation_of(task: Task, **settings: object) -> dict[str, str]:
    sample = report_of(task)
    evaluation = Evaluation.model_validate(settings)
    asked = replace(sample, experiment=sample.experiment.model_copy(update={"evaluation": evaluation}))
    return {fact.name: fact.value for fact in lineage_view(asked).groups["Evaluation"]}


def test_what_the_evaluation_was_asked_for() -> None:
    plain = evaluation_of(Task.CHAT)
    assert plain["Tokenizer"].startswith("ascii: ")
    assert (plain["Asked"], plain["Failures allowed"]) == (
        "online, one request an example",
        "at most 10% of the examples",
    )
    assert not {"Own metrics", "Base model asked again", "Judge", "Judge's criteria"} & plain.keys()
    own = ["own.py:brevity", f"gs://bucket/staging/chat/{'0' * 16}/more.py:grounded"]
    judge = {"model": "gemini-2.5-pro", "criteria": "Short replies."}
    whole = evaluation_of(
        Task.CHAT, tokenizer="unicode", backend="batch", max_failure_rate=0.25, metrics=own, few_shot=4, judge=judge
    )
    assert whole["Tokenizer"].startswith("unicode: ")
    assert (whole["Asked"], whole["Failures allowed"]) == ("in a batch job", "at most 25% of the examples")
    assert whole["Own metrics"] == "own.py:brevity, more.py:grounded"
    assert whole["Base model asked again"] == "with 4 examples in its prompt"
    assert (whole["Judge"], whole["Judge's criteria"]) == ("gemini-2.5-pro", "Short replies.")


def test_criteria_that_the_task_suggests_are_named_too() -> None:
    facts = evaluation_of(Task.CLASSIFICATION, judge={"model": "gemini-2.5-pro"})
    assert facts["Judge's criteria"].startswith("those for classification: The answer is the label")


@pytest.mark.parametrize("task", Task)
def test_a_tokenizer_is_named_where_metrics_use_words(task: Task) -> None:
    assert ("Tokenizer" in evaluation_of(task)) == (task not in (Task.CLASSIFICATION, Task.EXTRACTION))


def test_without_a_count_of_the_validation_examples_those_asked_of_a_checkpoint_are_it() -> None:
    for selection, number in ((one_job(), "30 from"), (one_job(CheckpointChoice.LOSS), "from")):
        found = data_view(replace(sample_input(), selection=selection)).facts
        facts = {fact.name: fact.value for fact in found}
        assert facts["Validation examples"].startswith(f"{number} samples/tickets/validation.jsonl")
