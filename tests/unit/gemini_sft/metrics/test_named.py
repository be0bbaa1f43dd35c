from typing import Any

import pytest

from gemini_sft.errors import ExperimentError
from gemini_sft.experiment import Experiment
from gemini_sft.metrics.named import check_names

OWN = {"metrics": ["own.py:edits", "gs://b/own.py:polite"]}
ALL = "accuracy, edits, polite"


def experiment(**sections: Any) -> Experiment:
    head = {
        "name": "x",
        "task": "classification",
        "base_model": "m",
        "data": {"train": "t.csv", "slices": ["language"]},
    }
    return Experiment.model_validate(head | {"evaluation": OWN} | sections)


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"gate": {"metric": "accuracy"}},
        {"gate": {"metric": "polite", "guards": [{"metric": "edits", "slice": "language"}]}},
        {"gate": {"guards": [{"metric": "failure_rate", "max_drop": 0.01}, {"slice": "language=de=x"}]}},
        {"gate": {"min_win_rate": 0.5}, "evaluation": {"judge": {"model": "gemini-2.5-pro"}}},
        {"evaluation": OWN | {"lower_is_better": {"edits": 9, "polite": 1}}},
    ],
)
def test_what_is_there_may_be_named(sections: dict[str, Any]) -> None:
    check_names(experiment(**sections))


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        (
            {"gate": {"metric": "acuracy"}},
            "gate.metric: acuracy is no metric of this experiment: did you mean accuracy?",
        ),
        (
            {"gate": {"metric": "rougeL_f"}},
            f"gate.metric: rougeL_f is no metric of this experiment (there are: {ALL})",
        ),
        (
            {"gate": {"metric": "macro_f1"}},
            "gate.metric: macro_f1 is of the whole split and has no value for an example, so it can neither decide nor"
            f" guard (there are: {ALL})",
        ),
        (
            {"gate": {"metric": "failure_rate"}},
            f"gate.metric: failure_rate can guard, in gate.guards, but not decide (there are: {ALL})",
        ),
        (
            {"gate": {"guards": [{"metric": "edits"}, {"metric": "failurerate"}]}},
            "gate.guards.1.metric: failurerate is no metric of this experiment: did you mean failure_rate?",
        ),
        (
            {"gate": {"guards": [{"metric": "micro_f1"}]}},
            "gate.guards.0.metric: micro_f1 is of the whole split and has no value for an example, so it can neither"
            f" decide nor guard (there are: {ALL}, failure_rate)",
        ),
        (
            {"gate": {"guards": [{"slice": "langauge=de"}]}},
            "gate.guards.0.slice: langauge is no column of data.slices: did you mean language?",
        ),
        (
            {"gate": {"guards": [{"slice": "topic"}]}},
            "gate.guards.0.slice: topic is no column of data.slices (there are: language)",
        ),
        (
            {"data": {"train": "t.csv"}, "gate": {"guards": [{"slice": "topic=a"}]}},
            "gate.guards.0.slice: topic is no column of data.slices: write data.slices: [topic]",
        ),
        (
            {"gate": {"min_win_rate": 0.5}},
            "gate.min_win_rate: is for a judge: name one in evaluation.judge.model, or leave it out",
        ),
        (
            {"evaluation": OWN | {"lower_is_better": {"edit": 9}}},
            "evaluation.lower_is_better: edit is no metric of your own: did you mean edits?",
        ),
        (
            {"evaluation": {"lower_is_better": {"accuracy": 0}}},
            "evaluation.lower_is_better: accuracy is no metric of your own: evaluation.metrics names none",
        ),
    ],
)
def test_what_is_not_there_is_told_with_what_is(sections: dict[str, Any], said: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        check_names(experiment(**sections))
    assert str(caught.value) == said


def test_all_at_once() -> None:
    gate = {"metric": "x", "guards": [{"metric": "y", "slice": "z"}], "min_win_rate": 0.5}
    with pytest.raises(ExperimentError) as caught:
        check_names(experiment(gate=gate, evaluation={"lower_is_better": {"w": 0}}))
    assert [one.where for one in caught.value.problems] == [
        "evaluation.lower_is_better",
        "gate.metric",
        "gate.guards.0.metric",
        "gate.guards.0.slice",
        "gate.min_win_rate",
    ]
