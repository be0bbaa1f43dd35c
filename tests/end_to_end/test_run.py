"""`gemini-sft run` on the shipped experiment: what it says must be what it did."""

import contextlib
import csv
import json
import sqlite3
import statistics
from pathlib import Path
from typing import Any

import pytest

Finished = tuple[dict[str, Any], Path]

METRICS = [f"rouge{kind}_{part}" for kind in ("1", "2", "L", "Lsum") for part in ("precision", "recall", "f")]


def predictions(finished: Finished, side: str) -> list[dict[str, Any]]:
    summary, folder = finished
    text = (folder / summary["artifacts"] / f"{side}-predictions.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_object_has_exactly_the_promised_keys(finished: Finished) -> None:
    summary, _ = finished
    assert list(summary) == [
        "run_id",
        "state",
        "verdict",
        "reasons",
        "primary_metric",
        "base",
        "candidate",
        "difference",
        "champion",
        "guards",
        "tries",
        "few_shot",
        "judge",
        "tuned_model",
        "endpoint",
        "selection",
        "report",
        "artifacts",
        "seconds",
    ]
    assert summary["state"] == "SUCCEEDED"
    assert summary["primary_metric"] == "rougeL_f"
    assert summary["few_shot"] is summary["judge"] is summary["champion"] is None
    assert (summary["guards"], summary["tries"]) == ([], 1)
    assert list(summary["base"]["metrics"]) == METRICS
    assert set(summary["difference"]) == {"mean", "low", "high", "confidence", "won", "wins", "ties", "losses"}


def test_the_prompts_fingerprint_is_stored_with_the_model(finished: Finished) -> None:
    summary, folder = finished
    with contextlib.closing(sqlite3.connect(folder / ".local" / "vertex.db")) as database:
        (body,) = database.execute("SELECT body FROM documents WHERE name = ?", (summary["endpoint"],)).fetchone()
    fingerprint = json.loads(body)["labels"]["prompt"]
    check = folder / ".local" / "checks" / "summarization" / "test" / "prompt.json"
    assert fingerprint == json.loads(check.read_text())["fingerprint"]


def test_the_quote_is_held_against_the_bill(finished: Finished) -> None:
    summary, folder = finished
    report = (folder / summary["report"]).read_text("utf-8")
    quoted = json.loads((folder / summary["artifacts"] / "quote.json").read_text("utf-8"))["train"]["tokens"]
    assert f"{quoted:,} tokens an epoch were quoted and {quoted:,} billed (+0.0%)" in report


def test_tuning_helps_and_the_gate_sees_it(finished: Finished) -> None:
    summary, _ = finished
    assert summary["base"]["n"] == summary["candidate"]["n"] == 64
    assert summary["difference"]["low"] > 0.01
    assert summary["verdict"] == "promote"


@pytest.mark.parametrize("side", ["base", "candidate"])
def test_metrics_are_those_of_rouge_score(finished: Finished, side: str, repository: Path) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    with (repository / "samples/summarization/test.csv").open(encoding="utf-8", newline="") as file:
        references = [row["output_text"] for row in csv.DictReader(file)]
    scorer = RougeScorer(["rouge2", "rougeL"], use_stemmer=True)
    scores = [
        scorer.score(reference, one["text"])
        for reference, one in zip(references, predictions(finished, side), strict=True)
    ]
    stated = finished[0][side]["metrics"]
    assert stated["rougeL_f"] == pytest.approx(statistics.fmean(score["rougeL"].fmeasure for score in scores))
    assert stated["rouge2_recall"] == pytest.approx(statistics.fmean(score["rouge2"].recall for score in scores))


def test_difference_is_the_difference(finished: Finished) -> None:
    summary, _ = finished
    gain = summary["candidate"]["metrics"]["rougeL_f"] - summary["base"]["metrics"]["rougeL_f"]
    assert summary["difference"]["mean"] == pytest.approx(gain)
    assert summary["difference"]["low"] < gain < summary["difference"]["high"]


def test_every_example_has_its_prediction(finished: Finished) -> None:
    base, candidate = predictions(finished, "base"), predictions(finished, "candidate")
    assert [one["example_id"] for one in base] == [one["example_id"] for one in candidate]
    assert len({one["example_id"] for one in base}) == 64
    assert sum(finished[0]["base"]["outcomes"].values()) == 64


def test_tuned_gemini_3_is_served_from_the_multi_region(finished: Finished) -> None:
    summary, _ = finished
    assert "/locations/us-central1/models/" in summary["tuned_model"]
    assert "/locations/us/endpoints/" in summary["endpoint"]


def test_answers_say_that_no_gemini_gave_them(finished: Finished) -> None:
    summary, folder = finished
    comparison = json.loads((folder / summary["artifacts"] / "comparison.json").read_text("utf-8"))
    assert comparison["base"]["served_by"] == "stand-in for gemini-3.1-flash-lite"
    assert comparison["candidate"]["served_by"].startswith("stand-in tuned as projects/")


def test_curves_have_every_series(finished: Finished) -> None:
    summary, folder = finished
    curves = json.loads((folder / summary["artifacts"] / "curves.json").read_text("utf-8"))
    tuning = json.loads((folder / summary["artifacts"] / "tuning.json").read_text("utf-8"))
    assert curves.pop("absent") is None and all(curves.values())
    assert len(curves["train_loss"]["values"]) == tuning["steps"]
    assert len(tuning["checkpoints"]) == tuning["epochs"]
    assert curves["train_loss"]["values"][-1] < curves["train_loss"]["values"][0]


def test_report_stands_where_it_is_said_to(finished: Finished) -> None:
    summary, folder = finished
    page = (folder / summary["report"]).read_text("utf-8")
    assert summary["run_id"] in page
    assert "stand-in" in page


def test_model_and_endpoint_enter_the_lineage_and_every_task_shows_metrics(finished: Finished) -> None:
    summary, folder = finished
    with contextlib.closing(sqlite3.connect(folder / ".local" / "vertex.db")) as database:
        query = "SELECT body FROM documents WHERE kind = 'pipelineJobs'"
        (body,) = database.execute(query).fetchone()
    details = {detail["taskName"]: detail for detail in json.loads(body)["jobDetail"]["taskDetails"]}
    for task, schema, name in (
        ("register tuned model", "google.VertexModel", summary["tuned_model"]),
        ("register tuned endpoint", "google.VertexEndpoint", summary["endpoint"]),
    ):
        (artifact,) = details[task]["outputs"]["artifact"]["artifacts"]
        assert artifact["schemaTitle"] == schema
        assert artifact["metadata"] == {"resourceName": name}
        assert artifact["uri"].endswith(f"/v1/{name}")
    shown = {
        name: artifact["metadata"]
        for name, detail in details.items()
        for output in detail.get("outputs", {}).values()
        for artifact in output["artifacts"]
        if artifact["schemaTitle"] == "system.Metrics"
    }
    assert set(shown) == {
        "prepare data",
        "quote cost",
        "evaluate base model",
        "evaluate tuned model",
        "extract metrics",
        "select checkpoint",
        "compare models",
        "evaluate base with examples",
        "evaluate champion",
        "judge answers",
    }
    assert shown["evaluate base with examples"] == shown["judge answers"] == {}, "nobody asked for them"
    assert shown["evaluate champion"] == {}, "nothing has been promoted"
    assert shown["compare models"]["verdict"] == summary["verdict"]
    assert shown["evaluate tuned model"]["rougeL_f"] == summary["candidate"]["metrics"]["rougeL_f"]


def test_artifacts_went_through_cloud_storage(finished: Finished) -> None:
    summary, folder = finished
    bucket = folder / ".local" / "storage" / "local-project-gemini-sft" / "pipelines"
    (run,) = bucket.glob(f"*/{summary['run_id']}")
    train = (run / "prepare-data" / "train" / "examples.jsonl").read_text("utf-8").splitlines()
    assert len(train) == 170
    assert set(json.loads(train[0])) == {"contents"}
