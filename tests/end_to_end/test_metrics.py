"""Metrics on their whole way: labels learnt from train, a metric of the user's own, and the confusion matrix."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.conftest import ROOT, gemini_sft

OWN = """
def brief(answer: str, references: list[str], prompt: str) -> float:
    return float(len(answer) < len(prompt))
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("metrics")
    (folder / "own.py").write_text(OWN, "utf-8")
    shutil.copy(ROOT / "samples" / "classification" / "tickets.tsv", folder)
    document = {
        "name": "labels",
        "task": "classification",
        "base_model": "gemini-3.1-flash-lite",
        "data": {"train": "tickets.tsv", "split": {"test": 0.25}},
        "evaluation": {"metrics": ["own.py:brief"]},
        "tuning": {"epochs": 1},
    }
    (folder / "labels.yaml").write_text(yaml.safe_dump(document), "utf-8")
    ended = gemini_sft("run", "labels.yaml", "--json", cwd=folder)
    assert ended.code == 0, ended.err
    return json.loads(ended.out), folder


def test_all_metrics_are_in_the_result(run: tuple[dict[str, Any], Path]) -> None:
    summary, _ = run
    for side in (summary["base"], summary["candidate"]):
        assert list(side["metrics"]) == ["accuracy", "brief"]
        assert list(side["corpus"]) == ["micro_f1", "macro_f1"]
        assert side["unreadable"] == 0
    assert summary["primary_metric"] == "accuracy"


def test_the_confusion_matrix_is_an_artifact(run: tuple[dict[str, Any], Path]) -> None:
    summary, folder = run
    places = folder.rglob("evaluate-model*/executor_output.json")
    logged = [json.loads(place.read_text("utf-8"))["artifacts"]["confusion"]["artifacts"][0] for place in places]
    with_labels = [one for one in logged if "confusionMatrix" in one["metadata"]]
    assert len(with_labels) == 2, "of base and tuned model; the control arm was not asked for"
    for artifact in with_labels:
        matrix = artifact["metadata"]["confusionMatrix"]
        names = [one["displayName"] for one in matrix["annotationSpecs"]]
        assert len(names) == 7 and names[-1] == "(other)"
        rows = [row["row"] for row in matrix["rows"]]
        assert sum(map(sum, rows)) == summary["base"]["n"] and all(len(row) == 7 for row in rows)


def test_the_metric_was_staged_by_its_content(run: tuple[dict[str, Any], Path]) -> None:
    _, folder = run
    (staged,) = folder.rglob("staging/**/own.py")
    assert staged.read_text("utf-8") == OWN
