"""The step that compares and reports, on files."""

from pathlib import Path

import pytest

from gemini_sft import storage
from gemini_sft.data.dataset import examples_uri, sources_uri
from gemini_sft.decision import Comparison, Verdict
from gemini_sft.steps.compare_models import compare_models
from gemini_sft.tuning.job import DroppedExamples
from tests.unit.gemini_sft.report.sample import sample_curves, sample_input, sample_quote, sample_record

TRAIN = [{"id": f"t{n}", "source": "a.jsonl" if n < 3 else "b.csv", "line": 10 * n} for n in range(1, 5)]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """All that the step reads; of the training split only where its lines came from."""
    data = sample_input()
    names = (
        "experiment", "train", "test", "base_predictions", "base_evaluation", "candidate_predictions",
        "candidate_evaluation", "few_shot_predictions", "few_shot_evaluation", "judgement", "tuning", "curves", "quote",
        "comparison", "report",
    )  # fmt: skip
    uris = {f"{name}_uri": str(tmp_path / name) for name in names}
    dropped = DroppedExamples(count=3, indices=[4, 1, 0, 5], reasons=["too long", "no picture", "?", "?"])
    storage.write_json(uris["experiment_uri"], data.experiment.model_dump(mode="json", exclude_none=True))
    for name, document in {
        "base_evaluation": data.base,
        "candidate_evaluation": data.candidate,
        "tuning": sample_record(dropped=dropped),
        "curves": sample_curves(),
        "quote": sample_quote(),
    }.items():
        storage.write_json(uris[f"{name}_uri"], document.model_dump(mode="json"))
    for side, predictions in (("base", data.base_predictions), ("candidate", data.candidate_predictions)):
        storage.write_jsonl(uris[f"{side}_predictions_uri"], (one.model_dump(mode="json") for one in predictions))
    storage.write_jsonl(sources_uri(uris["train_uri"]), TRAIN)
    storage.write_jsonl(examples_uri(uris["test_uri"]), (one.record for one in data.test))
    places = ({"id": one.id, "source": one.source, "line": one.line} for one in data.test)
    storage.write_jsonl(sources_uri(uris["test_uri"]), places)
    return uris


def test_writes_the_comparison_and_the_report(files: dict[str, str]) -> None:
    comparison = compare_models(run_id="demo-1", **files)
    assert comparison.verdict is Verdict.PROMOTE
    assert Comparison.model_validate(storage.read_json(files["comparison_uri"])) == comparison
    report = storage.read_text(files["report_uri"])
    assert "demo-1" in report and "Promote the tuned model" in report


def test_dropped_examples_are_named_by_file_and_line(files: dict[str, str]) -> None:
    """The service counts from 1; what it counts beyond the split is nobody's."""
    compare_models(run_id="demo-1", **files)
    report = storage.read_text(files["report_uri"])
    rows = report.partition('id="dropped"')[2].split("<tr ")[2:]
    places = [row.partition("<code>")[2].partition("</code>")[0] for row in rows]
    nobodys = "no such example: the split has 4"
    assert places == ["b.csv:40", "a.jsonl:10", nobodys, nobodys]
    assert "4 from samples/tickets/train.jsonl" in report
