from pathlib import Path

import pytest

from gemini_sft.errors import ExperimentError
from gemini_sft.experiment import Data, Evaluation, Experiment, Gate, Task
from gemini_sft.experiment.schema import FAILURE_RATE, Tokenizer
from gemini_sft.metrics import metrics_for, metrics_of
from gemini_sft.metrics.table import own_metrics
from gemini_sft.metrics.words import metric_words

PRIMARY = {
    Task.SUMMARIZATION: "rougeL_f",
    Task.QUESTION_ANSWERING: "token_f1",
    Task.CLASSIFICATION: "accuracy",
    Task.CHAT: "rougeL_f",
    Task.GENERATION: "rougeL_f",
    Task.EXTRACTION: "field_f1",
}


@pytest.mark.parametrize("task", Task)
def test_every_task_has_metrics_of_which_one_decides(task: Task) -> None:
    metrics = metrics_of(task)
    assert metrics.primary == PRIMARY[task]
    assert metrics.primary in metrics.names and len({*metrics.names}) == len(metrics.names)
    answer = '{"an": "answer"}'
    assert metrics.score(answer, ("something else", answer)) == dict.fromkeys(metrics.names, 1.0)
    assert metrics.score("", (answer,)) == dict.fromkeys(metrics.names, 0.0)


@pytest.mark.parametrize("task", Task)
def test_every_metric_is_called_something_and_what_it_means_is_said(task: Task) -> None:
    metrics = metrics_of(task, labels=("a", "b"))
    names = (*metrics.names, *metrics.whole_names)
    assert len({metric_words(name).label for name in names}) == len(names)
    assert all(metric_words(name).meaning for name in names)


def test_an_experiments_metrics(tmp_path: Path) -> None:
    """Tokenizer, label set and metrics of the user's own come from the experiment, and what it lacks from the split."""
    (tmp_path / "own.py").write_text("def mine(answer, references): return 1\n")
    (tmp_path / "labels.json").write_text('["learnt", "from train"]')
    evaluation = Evaluation(tokenizer=Tokenizer.UNICODE, metrics=[str(tmp_path / "own.py:mine")])
    experiment = Experiment(
        name="x", task=Task.CLASSIFICATION, base_model="m", data=Data(train="t.csv"), evaluation=evaluation
    )
    metrics = metrics_for(experiment, str(tmp_path))
    assert (metrics.names, metrics.primary, metrics.tokenizer) == (("accuracy", "mine"), "accuracy", "unicode")
    assert list(metrics.whole(["learnt"], [("learnt",)]).classes) == ["learnt", "from train"]
    declared = experiment.model_copy(update={"data": Data(train="t.csv", labels=["a", "b"])})
    assert list(metrics_for(declared, "nowhere").whole(["a"], [("a",)]).classes) == ["a", "b"]
    chat = metrics_for(experiment.model_copy(update={"task": Task.CHAT}), "nowhere")
    assert chat.whole(["a"], [("a",)]).signatures["bleu"].endswith("words:unicode")
    assert chat.score("東京", ("東京",))["rougeL_f"] == chat.score("東京", ("東京",))["mine"] == 1


def test_the_gate_says_which_metric_decides_and_the_evaluation_of_which_less_is_better(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def edits(answer, references): return len(answer)\n")
    experiment = Experiment(
        name="x",
        task=Task.EXTRACTION,
        base_model="m",
        data=Data(train="t.csv"),
        evaluation=Evaluation(metrics=[str(tmp_path / "own.py:edits")], lower_is_better={"edits": 50}),
        gate=Gate(metric="edits"),
    )
    metrics = metrics_for(experiment, "nowhere")
    assert metrics.primary == "edits" and metrics.lower_is_better == frozenset({"edits"})
    assert metrics.failure() == dict.fromkeys(metrics.task_names, 0.0) | {"edits": 50}
    exact = metrics_for(experiment.model_copy(update={"gate": Gate(metric="exact_object")}), "nowhere")
    assert exact.primary == "exact_object"


@pytest.mark.parametrize("task", Task)
def test_a_metric_of_ones_own_cannot_take_the_name_of_another(task: Task, tmp_path: Path) -> None:
    metrics = metrics_of(task, labels=("a", "b"))
    for name in (*metrics.names, *metrics.whole_names, FAILURE_RATE):
        evaluation = Evaluation(metrics=[f"own.py:{name}"])
        experiment = Experiment(name="x", task=task, base_model="m", data=Data(train="t.csv"), evaluation=evaluation)
        with pytest.raises(ExperimentError, match=f"another metric has the name {name}"):
            own_metrics(experiment)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("rougeL_f", "ROUGE-L F"),
        ("rouge1_precision", "ROUGE-1 precision"),
        ("exact_match", "exact match"),
        ("token_f1", "token F1"),
        ("rougeLsum_f", "ROUGE-Lsum F"),
        ("bleu", "BLEU (0–100)"),
        ("macro_f1", "macro F1"),
        ("accuracy", "accuracy"),
        ("valid_json", "valid JSON"),
        ("field_f1", "field F1"),
    ],
)
def test_labels(name: str, label: str) -> None:
    assert metric_words(name).label == label


def test_an_unknown_metric_keeps_its_name() -> None:
    assert (metric_words("human_score").label, metric_words("human_score").meaning) == ("human score", "")
