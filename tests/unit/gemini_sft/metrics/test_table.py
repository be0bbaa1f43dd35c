import pytest

from gemini_sft.experiment import Task
from gemini_sft.metrics import metrics_of
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
    names = metrics_of(task).names
    assert len({metric_words(name).label for name in names}) == len(names)
    assert all(metric_words(name).meaning for name in names)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("rougeL_f", "ROUGE-L F"),
        ("rouge1_precision", "ROUGE-1 precision"),
        ("exact_match", "exact match"),
        ("token_f1", "token F1"),
        ("accuracy", "accuracy"),
        ("valid_json", "valid JSON"),
        ("field_f1", "field F1"),
    ],
)
def test_labels(name: str, label: str) -> None:
    assert metric_words(name).label == label


def test_an_unknown_metric_keeps_its_name() -> None:
    assert (metric_words("human_score").label, metric_words("human_score").meaning) == ("human score", "")
