"""What counts as a failure, and that a message about failures says nothing of the data."""

import pytest

from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import Task
from gemini_sft.experiment.schema import Tokenizer
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.inference.evaluation import EvaluationResult, evaluate
from gemini_sft.metrics import metrics_of

JAPANESE = "東京は日本の首都です。"


def result_of(task: Task, tokenizer: Tokenizer, target: str, *answers: str, rate: float = 1.0) -> EvaluationResult:
    contents = [turn("user", "?"), turn("model", target)]
    examples = [Example(f"{n}", {"contents": contents}, "f", n, (target,)) for n in range(len(answers))]
    predictions = [
        Prediction(example_id=f"{n}", outcome=Outcome.ANSWERED if text else Outcome.EMPTY, text=text)
        for n, text in enumerate(answers)
    ]
    return evaluate(metrics_of(task, tokenizer), "m", examples, predictions, max_failure_rate=rate)


@pytest.mark.parametrize("task", [Task.SUMMARIZATION, Task.CHAT, Task.GENERATION])
def test_an_answer_that_no_metric_can_read_is_a_failure(task: Task) -> None:
    result = result_of(task, Tokenizer.ASCII, "Tokyo", "Tokyo", JAPANESE, "…", "")
    assert (result.unreadable, result.failures, result.n) == (2, 3, 4)
    assert result.outcomes == {Outcome.ANSWERED: 3, Outcome.EMPTY: 1}
    assert result.metrics["rougeL_f"] == 0.25
    assert result.numbers()["failures"] == 3


@pytest.mark.parametrize(
    ("target", "answer"),
    [("AIは安全だ", "AIは危険だ"), ("Париж 1", "Москва 1"), ("2024年", "2024月"), ("GPT 좋습니다", "GPT 나쁩니다")],
)
def test_what_is_mostly_in_another_script_is_not_scored_by_the_rest(target: str, answer: str) -> None:
    """To `ascii` the two would be the same, and score 1."""
    assert metrics_of(Task.CHAT).score(answer, (target,))["rougeL_f"] == 1
    result = result_of(Task.CHAT, Tokenizer.ASCII, target, answer)
    assert (result.unreadable, result.failures, result.metrics["rougeL_f"]) == (1, 1, 0)
    result = result_of(Task.CHAT, Tokenizer.UNICODE, target, answer)
    assert result.unreadable == 0 and result.metrics["rougeL_f"] < 1


def test_unicode_reads_it() -> None:
    result = result_of(Task.SUMMARIZATION, Tokenizer.UNICODE, JAPANESE, JAPANESE, "東京")
    assert (result.unreadable, result.failures) == (0, 0)
    assert result.scores["0"]["rougeL_f"] == 1 and 0 < result.scores["1"]["rougeL_f"] < 1


@pytest.mark.parametrize("task", [Task.QUESTION_ANSWERING, Task.CLASSIFICATION, Task.EXTRACTION])
def test_what_is_not_compared_by_words_can_be_read(task: Task) -> None:
    result = result_of(task, Tokenizer.ASCII, JAPANESE, JAPANESE, "…")
    assert result.unreadable == result.failures == 0


def test_the_remedy_is_named_where_it_is_one() -> None:
    with pytest.raises(EvaluationError, match=r"1 x unreadable: .* need evaluation\.tokenizer: unicode\)$"):
        result_of(Task.CHAT, Tokenizer.ASCII, "Tokyo", JAPANESE, rate=0)
    with pytest.raises(EvaluationError, match=r"1 x unreadable: no word for evaluation\.tokenizer: unicode$"):
        result_of(Task.CHAT, Tokenizer.UNICODE, "Tokyo", "…", rate=0)


@pytest.mark.parametrize("task", Task)
def test_nothing_to_evaluate_on_is_an_error(task: Task) -> None:
    with pytest.raises(EvaluationError, match="no examples to evaluate on"):
        evaluate(metrics_of(task), "m", [], [], max_failure_rate=1)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("ClientError: 400 INVALID_ARGUMENT. {'message': 'SECRET is not allowed'}", "ClientError 400 INVALID_ARGUMENT"),
        ("ServerError: 503 UNAVAILABLE: SECRET", "ServerError 503 UNAVAILABLE"),
        ("ClientError: 403 SECRET", "ClientError 403"),
        ("TimeoutError: ", "TimeoutError"),
        ("TimeoutError", "TimeoutError"),
        ("503 UNAVAILABLE: SECRET", "503 UNAVAILABLE"),
        ("ValueError: SECRET", "ValueError"),
        ("SECRET: 403", "error"),
        ("secret", "error"),
    ],
)
def test_of_an_error_only_class_and_status_are_told(error: str, told: str) -> None:
    example = Example("0", {"contents": [turn("user", "?"), turn("model", "a")]}, "f", 1, ("a",))
    failed = Prediction(example_id="0", outcome=Outcome.ERROR, error=error)
    with pytest.raises(EvaluationError) as caught:
        evaluate(metrics_of(Task.CHAT), "m", [example], [failed], max_failure_rate=0)
    assert str(caught.value).endswith(f": 1 x {told}")


def test_what_is_no_answer_is_none_to_the_whole_split_either() -> None:
    """Whatever text a prediction without an answer may have."""
    examples = [
        Example(f"{n}", {"contents": [turn("user", "?"), turn("model", "a")]}, "f", n, ("a",)) for n in range(2)
    ]
    predictions = [
        Prediction(example_id="0", outcome=Outcome.ANSWERED, text="a"),
        Prediction(example_id="1", outcome=Outcome.BLOCKED, text="a"),
    ]
    result = evaluate(
        metrics_of(Task.CLASSIFICATION, labels=("a", "b")), "m", examples, predictions, max_failure_rate=1
    )
    assert result.confusion is not None and result.confusion.counts == [[1, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert result.corpus["micro_f1"] == pytest.approx(2 / 3)


def test_what_cannot_be_computed_is_no_number_among_the_metrics() -> None:
    example = Example("0", {"contents": [turn("user", "?"), turn("model", "c")]}, "f", 1, ("c",))
    blocked = Prediction(example_id="0", outcome=Outcome.BLOCKED)
    result = evaluate(metrics_of(Task.CLASSIFICATION, labels=("a", "b")), "m", [example], [blocked], max_failure_rate=1)
    assert result.corpus == {"micro_f1": None, "macro_f1": None}
    assert result.numbers() == {"examples": 1, "failures": 1, "accuracy": 0}
    assert EvaluationResult.model_validate(result.model_dump(mode="json")) == result
