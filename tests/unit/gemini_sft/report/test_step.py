"""The step that compares and reports, on files."""

from pathlib import Path

import pytest

from gemini_sft import storage
from gemini_sft.decision import Comparison, Verdict
from gemini_sft.errors import EvaluationError
from gemini_sft.inference import Service
from gemini_sft.judging import judge
from gemini_sft.report.input import Arm
from tests.unit.gemini_sft.report.sample import sample_input
from tests.unit.gemini_sft.report.step_files import arm_uris, compared, write_arm, written


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    return written(tmp_path, sample_input())


def test_writes_the_comparison_and_the_report(files: dict[str, str]) -> None:
    comparison = compared(files)
    assert comparison.verdict is Verdict.PROMOTE
    assert Comparison.model_validate(storage.read_json(files["comparison_uri"])) == comparison
    report = storage.read_text(files["report_uri"])
    assert "demo-1" in report and "Promote the tuned model" in report
    assert storage.read_text(files["summary_uri"]).startswith("# Promote the tuned model")


def test_what_was_not_asked_for_is_not_read(files: dict[str, str]) -> None:
    missing = [*arm_uris(files, "few_shot"), *arm_uris(files, "champion"), files["judgement_uri"]]
    assert not any(Path(one).exists() for one in missing)
    comparison = compared(files)
    assert comparison.few_shot is None and comparison.judge is None and comparison.champion is None


def test_control_arm_and_judge_are_reported_and_leave_the_verdict_alone(files: dict[str, str]) -> None:
    plain = compared(files)
    with_extras(files)
    comparison = compared(files)
    assert comparison.model_copy(update={"few_shot": None, "judge": None}) == plain
    assert Comparison.model_validate(storage.read_json(files["comparison_uri"])) == comparison
    assert comparison.few_shot and comparison.judge
    assert comparison.few_shot.base.metrics == comparison.candidate.metrics
    assert comparison.few_shot.differences["rougeL_f"].mean == 0
    assert comparison.judge.tally.ties == 60 and comparison.judge.tally.win_rate == 0.5
    report = storage.read_text(files["report_uri"])
    assert "these 60 test examples cannot tell which is better" in report and 'id="judge"' in report


def test_a_control_arm_on_other_examples_is_refused(files: dict[str, str]) -> None:
    with_extras(files)
    uri = arm_uris(files, "few_shot").evaluation
    evaluation = storage.read_json(uri)
    evaluation["scores"].popitem()
    storage.write_json(uri, evaluation)
    with pytest.raises(
        EvaluationError, match=r"^with few-shot examples: .* not asked the same examples: 1 stand on one"
    ):
        compared(files)


def with_extras(files: dict[str, str]) -> None:
    """With examples in its prompt the base model is as good as the tuned one, and the judge finds that too."""
    experiment = storage.read_json(files["experiment_uri"])
    experiment["evaluation"] |= {"few_shot": 2, "judge": {"model": "gemini-2.5-pro"}}
    storage.write_json(files["experiment_uri"], experiment)
    data = sample_input()
    predictions = [one.model_copy(update={"prompt_tokens": 900}) for one in data.candidate.predictions]
    write_arm(files, "few_shot", Arm(data.candidate.result, predictions))
    service = Service("p", "us-central1", "gemini-2.5-pro")
    made = judge(service, data.experiment, data.test, data.candidate.predictions, data.candidate.predictions)
    storage.write_json(files["judgement_uri"], made.model_dump(mode="json"))


def test_dropped_examples_are_named_by_file_and_line(files: dict[str, str]) -> None:
    """The service counts from 1; what it counts beyond the split is nobody's."""
    compared(files)
    report = storage.read_text(files["report_uri"])
    rows = report.partition('id="dropped"')[2].partition("</section>")[0].split("<tr ")[2:]
    places = [row.partition("<code>")[2].partition("</code>")[0] for row in rows]
    nobodys = "no such example: the split has 4"
    assert places == ["b.csv:40", "a.jsonl:10", nobodys, nobodys]
    assert "4 from samples/tickets/train.jsonl" in report


def test_the_command_that_started_the_run_is_on_the_page(files: dict[str, str]) -> None:
    storage.write_text(
        str(Path(files["experiment_uri"]).parents[1] / "commands" / "demo-1.txt"), "gemini-sft run a.yaml"
    )
    compared(files)
    assert "gemini-sft run a.yaml" in storage.read_text(files["report_uri"])
