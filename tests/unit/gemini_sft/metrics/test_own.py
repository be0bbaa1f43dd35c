import math
from pathlib import Path

import pytest

from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.errors import EvaluationError, ExperimentError
from gemini_sft.experiment import Experiment, Task
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.inference.evaluation import EvaluationResult, evaluate
from gemini_sft.metrics import metrics_of
from gemini_sft.metrics.own import OwnMetric, load_own, rehearse
from gemini_sft.metrics.table import own_metrics

SECRET = "the secret row"


def written(folder: Path, text: str) -> str:
    path = folder / "own.py"
    path.write_text(text, "utf-8")
    return str(path)


def loaded(folder: Path, text: str, name: str = "mine") -> OwnMetric:
    (metric,) = load_own([f"{written(folder, text)}:{name}"], ())
    return metric


def evaluated(metric: OwnMetric, *answers: str) -> EvaluationResult:
    examples = [
        Example(
            f"{n}", {"contents": [turn("user", SECRET), turn("model", "yes")]}, "test.jsonl", n + 1, ("yes", "yeah")
        )
        for n in range(len(answers))
    ]
    predictions = [
        Prediction(example_id=f"{n}", outcome=Outcome.ANSWERED if text else Outcome.EMPTY, text=text)
        for n, text in enumerate(answers)
    ]
    return evaluate(metrics_of(Task.CLASSIFICATION, own=(metric,)), "m", examples, predictions, max_failure_rate=1)


def test_a_metric_of_ones_own_is_a_metric_like_others_but_does_not_decide_by_itself(tmp_path: Path) -> None:
    metric = loaded(tmp_path, "def mine(answer, references):\n    return len(answer) / len(references)\n")
    result = evaluated(metric, "yes", "no", "")
    assert result.metrics == pytest.approx({"accuracy": 1 / 3, "mine": (3 / 2 + 1) / 3})
    assert result.scores["2"] == {"accuracy": 0, "mine": 0}
    assert metrics_of(Task.CLASSIFICATION, own=(metric,)).primary == "accuracy"


@pytest.mark.parametrize(
    "head",
    [
        "def mine(answer: str, references: list[str], prompt: str) -> float:",
        "def mine(answer, references, *, prompt):",
        "def mine(answer, references, prompt='', more=1):",
    ],
)
def test_it_may_take_the_prompt(tmp_path: Path, head: str) -> None:
    metric = loaded(tmp_path, f"{head}\n    assert type(references) is list\n    return prompt == {SECRET!r}\n")
    assert evaluated(metric, "yes").metrics["mine"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "import numpy\ndef mine(answer, references): return numpy.float32(1)\n",
        "mine = lambda answer, references: 1\n",
        "from fractions import Fraction\ndef mine(a, r): return Fraction(2, 2)\n",
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
        "def mine(answer, references): return A(1).x\n",
        "class Mine:\n    def __call__(self, answer, references): return True\nmine = Mine()\n",
    ],
)
def test_whatever_can_be_called_and_returns_a_number(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text).score("a", ("b",), "p") == 1


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("def mine(answer, references)\n    return 1\n", ":1: is not Python: expected ':'"),
        ("x = 1\n\0", ": is not Python: source code string cannot contain null bytes"),
        ("\n\nimport there_is_no_such_package\n", ": cannot be loaded: ModuleNotFoundError: No module named"),
        ("def f():\n    raise SystemExit(3)\nf()\n", ": cannot be loaded: SystemExit: 3 in line 2"),
        ("def min(answer, references): ...\ndef _no(): ...\n", ": there is no function mine (there are: min)"),
        ("", ": there is no function mine"),
        ("mine = 1\n", ": mine is not an ordinary function: expected FUNCTION(answer, references) or"),
        ("async def mine(answer, references): return 1\n", ": mine is not an ordinary function"),
        ("def mine(answer): return 1\n", ": mine takes other arguments: expected FUNCTION(answer, references)"),
        ("def mine(answer, references, more): return 1\n", ": mine takes other arguments"),
        ("def mine(answer, *, references): return 1\n", ": mine takes other arguments"),
        ("def mine(prompt, answer, references): return 1\n", ": mine takes other arguments"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_scored(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        loaded(tmp_path, text)
    assert str(caught.value).startswith(f"evaluation.metrics: {tmp_path / 'own.py'}{what}")


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    file = written(tmp_path, "def mine(answer, references): return 1\ndef accuracy(answer, references): return 1\n")
    specs = [f"{file}:mine", f"{file}:accuracy", f"{tmp_path}/no.py:f", f"{file}:mine"]
    with pytest.raises(ExperimentError) as caught:
        load_own(specs, ("accuracy",))
    assert str(caught.value).splitlines() == [
        f"evaluation.metrics: {file}:accuracy: another metric has the name accuracy: give the function another",
        f"evaluation.metrics: {tmp_path}/no.py: there is no such file",
        f"evaluation.metrics: {file}:mine: another metric has the name mine: give the function another",
    ]


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("raise ValueError(answer + prompt)", "raised ValueError in line 2"),
        ("return {}[prompt]", "raised KeyError in line 2"),
        ("import sys; sys.exit()", "raised SystemExit in line 2"),
        ("import sys; sys.exit(prompt)", "raised SystemExit in line 2"),
        ("import json; json.loads(prompt)", "raised JSONDecodeError in line 2"),
        ("return prompt", "returned str: expected a number"),
        ("return None", "returned NoneType: expected a number"),
        ("return 1j", "returned complex: expected a number"),
        ("return float('nan')", "returned nan: expected a finite number"),
        ("return float('-inf')", "returned -inf: expected a finite number"),
        ("return 10 ** 400", "returned inf: expected a finite number"),
        ("return -1e300", "returned -1e+300: expected a finite number"),
    ],
)
def test_what_goes_wrong_is_told_without_the_data(tmp_path: Path, body: str, what: str) -> None:
    metric = loaded(tmp_path, f"def mine(answer, references, prompt):\n    {body}\n")
    with pytest.raises(EvaluationError) as caught:
        evaluated(metric, "yes")
    assert str(caught.value) == f"test.jsonl:1: the metric mine of {tmp_path / 'own.py'} {what}"
    assert caught.value.__suppress_context__ and caught.value.__cause__ is None


def test_what_the_file_prints_goes_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded(tmp_path, "print('hello')\ndef mine(answer, references): return 1\n")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "hello\n")


def test_what_the_function_prints_is_not_in_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """On standard error it may say what it likes: that is how one finds a mistake."""
    body = "    print(prompt, chr(0xd800), flush=True)\n    print('here', file=sys.stderr)\n    return 1\n"
    metric = loaded(tmp_path, f"import sys\ndef mine(answer, references, prompt):\n{body}")
    assert evaluated(metric, "yes").metrics["mine"] == 1
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "here\n")
    print("still here")
    assert capfd.readouterr().out == "still here\n"


def test_a_cancelled_task_is_no_mistake_of_the_metric(tmp_path: Path) -> None:
    metric = loaded(tmp_path, "def mine(answer, references):\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        metric.score("yes", ["yes"], "p")


def test_a_file_is_run_once_for_all_its_metrics(tmp_path: Path) -> None:
    file = written(tmp_path, "seen = []\ndef one(a, r): seen.append(1); return 1\ndef two(a, r): return len(seen)\n")
    one, two = load_own([f"{file}:one", f"{file}:two"], ())
    assert one.score("", ("",), "") == two.score("", ("",), "") == 1
    assert math.isclose(two.score("", ("",), ""), 1)


def test_what_the_function_said_does_not_hang_on_the_error(tmp_path: Path) -> None:
    metric = loaded(tmp_path, "def mine(answer, references):\n    raise ValueError(answer)\n")
    with pytest.raises(EvaluationError) as caught:
        metric.score(SECRET, ["yes"], "p")
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_a_mistake_that_shows_only_in_use_is_found_in_a_rehearsal(tmp_path: Path) -> None:
    text = (
        "def good(answer, references): return 1\n"
        "def words(answer, references): return 'many'\n"
        "def raises(answer, references, prompt): raise ValueError(prompt)\n"
    )
    file = written(tmp_path, text)
    metrics = load_own([f"{file}:good", f"{file}:words", f"{file}:raises"], ())
    record = {"contents": [turn("user", "a secret"), turn("model", "another")]}
    examples = [Example(f"e{n}", record, "f.jsonl", n, ("another",)) for n in (1, 2)]
    rehearse(metrics[:1], examples)
    with pytest.raises(ExperimentError) as caught:
        rehearse(metrics, examples)
    where = "with the target of f.jsonl:1 as answer"
    assert str(caught.value).splitlines() == [
        f"evaluation.metrics: the metric words of {file} returned str: expected a number, {where}",
        f"evaluation.metrics: the metric raises of {file} raised ValueError in line 3, {where}",
    ]


def test_no_metric_has_the_name_of_another_tasks(tmp_path: Path) -> None:
    spec = f"{written(tmp_path, 'def rouge1_f(answer, references): return 1')}:rouge1_f"
    experiment = Experiment.model_validate(
        {
            "name": "demo",
            "task": "question_answering",
            "base_model": "gemini-2.5-flash",
            "data": {"train": "t.jsonl", "test": "t.jsonl"},
            "evaluation": {"metrics": [spec]},
        }
    )
    with pytest.raises(ExperimentError, match="another metric has the name rouge1_f"):
        own_metrics(experiment)
