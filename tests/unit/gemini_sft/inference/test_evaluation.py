from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.errors import EvaluationError
from gemini_sft.experiment import Task
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.inference.evaluation import EvaluationResult, evaluate
from gemini_sft.metrics import metrics_of
from gemini_sft.metrics.own import OwnMetric
from gemini_sft.metrics.rouge import NAMES

TARGET = "boil the kettle"


def example_of(id_: str, *references: str) -> Example:
    return Example(id_, {"contents": [turn("user", "?"), turn("model", references[0])]}, "f", 1, references)


def score(predictions: list[Prediction], max_failure_rate: float = 1.0) -> EvaluationResult:
    examples = [example_of(one.example_id, TARGET) for one in predictions]
    return evaluate(
        metrics_of(Task.SUMMARIZATION), "models/m", examples, predictions, max_failure_rate=max_failure_rate
    )


def prediction(position: int, outcome: Outcome, text: str = TARGET, **fields: str) -> Prediction:
    return Prediction(example_id=f"e{position}", outcome=outcome, text=text, **fields)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(Outcome), min_size=1, max_size=8))
@settings(deadline=None, max_examples=20)
def test_every_example_is_in_the_denominator(outcomes: list[Outcome]) -> None:
    """Every text is the target itself, so an answer scores 1; what is no answer scores 0 whatever text it has."""
    result = score([prediction(position, outcome) for position, outcome in enumerate(outcomes)])
    answers = sum(outcome.has_answer for outcome in outcomes)
    assert result.n == len(outcomes) == len(result.scores) == sum(result.outcomes.values())
    assert result.metrics == pytest.approx(dict.fromkeys(NAMES, answers / len(outcomes)))
    assert result.failures == len(outcomes) - answers
    assert result.failed == [f"e{n}" for n, outcome in enumerate(outcomes) if not outcome.has_answer]
    assert result.outcomes == {outcome: outcomes.count(outcome) for outcome in {*outcomes}}
    for position, outcome in enumerate(outcomes):
        assert result.scores[f"e{position}"] == dict.fromkeys(NAMES, float(outcome.has_answer))


@given(st.integers(1, 100), st.integers(0, 100))
@settings(deadline=None, max_examples=15)
@example(100, 29)
def test_the_share_that_may_fail_is_exact(n: int, failures: int) -> None:
    """Also where floats are not: 0.29 of 100 are 29, though 0.29 * 100 is less than 29."""
    failures = min(failures, n)
    outcomes = [Outcome.EMPTY] * failures + [Outcome.ANSWERED] * (n - failures)
    predictions = [prediction(position, outcome, "") for position, outcome in enumerate(outcomes)]
    assert score(predictions, failures / n).failures == failures
    if failures:
        with pytest.raises(EvaluationError):
            score(predictions, (failures - 0.5) / n)


def test_too_many_failures_are_explained_by_their_most_frequent_reasons() -> None:
    predictions = [
        prediction(0, Outcome.ANSWERED),
        *(
            prediction(1 + position, Outcome.ERROR, "", error="ClientError: 403 PERMISSION_DENIED. no")
            for position in range(3)
        ),
        *(prediction(4 + position, Outcome.BLOCKED, "", finish_reason="SAFETY") for position in range(2)),
        *(prediction(6 + position, Outcome.EMPTY, "", finish_reason="MAX_TOKENS") for position in range(2)),
        prediction(8, Outcome.EMPTY, ""),
        *(prediction(9 + position, Outcome.ANSWERED, "日本語") for position in range(4)),
    ]
    with pytest.raises(EvaluationError) as caught:
        score(predictions, 0.5)
    assert str(caught.value) == (
        "12 of 13 examples have no answer from models/m that could be scored, more than the 50% that"
        " evaluation.max_failure_rate allows: 4 x unreadable: no word for evaluation.tokenizer: ascii, or most"
        " letters not ASCII (other scripts need evaluation.tokenizer: unicode);"
        " 3 x ClientError 403 PERMISSION_DENIED; 2 x blocked SAFETY"
    )


def test_failures_are_named_in_the_order_of_the_split() -> None:
    """Also those that answered, but nothing that could be read."""
    kinds = [(Outcome.ANSWERED, "日本語"), (Outcome.ANSWERED, TARGET), (Outcome.EMPTY, ""), (Outcome.TRUNCATED, "boil")]
    result = score([prediction(9 - n, outcome, text) for n, (outcome, text) in enumerate(kinds)])
    assert (result.failed, result.failures, result.unreadable) == (["e9", "e7"], 2, 1)


def test_a_failure_scores_what_the_experiment_says_where_less_is_better() -> None:
    own = OwnMetric("edits", "own.py", lambda answer, references: len(answer), takes_prompt=False)
    metrics = replace(metrics_of(Task.CLASSIFICATION, own=(own,)), of_failure={"edits": 100})
    texts = ("yes", "", "no")
    predictions = [prediction(n, Outcome.ANSWERED if text else Outcome.BLOCKED, text) for n, text in enumerate(texts)]
    examples = [example_of(one.example_id, "yes") for one in predictions]
    result = evaluate(metrics, "m", examples, predictions, max_failure_rate=1, prompt="0f")
    assert [one["edits"] for one in result.scores.values()] == [3, 100, 2]
    assert result.metrics == {"accuracy": pytest.approx(1 / 3), "edits": 35}
    assert metrics.lower_is_better == {"edits"} and result.prompt == "0f"


def test_no_failure_at_all_may_be_asked_for() -> None:
    assert score([prediction(0, Outcome.ANSWERED)], 0.0).failures == 0
    with pytest.raises(EvaluationError):
        score([prediction(0, Outcome.ANSWERED), prediction(1, Outcome.EMPTY)], 0.0)


def test_what_answered_is_the_first_version_that_is_stated() -> None:
    predictions = [
        prediction(0, Outcome.ERROR, ""),
        prediction(1, Outcome.ANSWERED, model_version="gemini-x"),
        prediction(2, Outcome.ANSWERED, model_version="gemini-y"),
    ]
    assert score(predictions).served_by == "gemini-x"
    assert score(predictions[:1]).served_by == ""


def test_a_prediction_for_every_example_or_none() -> None:
    with pytest.raises(ValueError, match="shorter"):
        evaluate(metrics_of(Task.SUMMARIZATION), "m", [example_of("e0", TARGET)], [], max_failure_rate=1)


@pytest.mark.parametrize(
    ("task", "metrics"),
    [
        (
            Task.QUESTION_ANSWERING,
            dict.fromkeys(("exact_match", "exact_match_tutorial"), 0.5)
            | dict.fromkeys(("token_f1", "token_f1_tutorial"), (1 + 1 + 2 / 5) / 4),
        ),
        (Task.CLASSIFICATION, {"accuracy": 0.25}),
    ],
)
def test_every_reference_counts_and_the_task_names_the_metrics(task: Task, metrics: dict[str, float]) -> None:
    """Four answers: the second reference, the first but for its case, half of the first, none."""
    examples = [example_of(f"e{position}", "black tea", "kettle") for position in range(4)]
    texts = ("kettle", "Black tea", "tea and milk", "")
    predictions = [
        prediction(position, Outcome.ANSWERED if text else Outcome.EMPTY, text) for position, text in enumerate(texts)
    ]
    result = evaluate(metrics_of(task), "m", examples, predictions, max_failure_rate=1)
    assert result.metrics == pytest.approx(metrics)
    assert [*result.scores["e0"].values()] == [1.0] * len(metrics)


def test_an_evaluation_survives_its_json() -> None:
    result = score([prediction(0, Outcome.ANSWERED), prediction(1, Outcome.EMPTY)])
    assert EvaluationResult.model_validate(result.model_dump(mode="json")) == result
