"""The shipped experiments of the other tasks, each run once."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import ROOT, gemini_sft

# Summarization is run by the fixture `finished`, question answering by test_predict.py.
ELSEWHERE = ("summarization", "question_answering")
TASKS = sorted(file.stem for file in (ROOT / "experiments").glob("*.yaml") if file.stem not in ELSEWHERE)
PRIMARY = {
    "question_answering": "token_f1",
    "classification": "accuracy",
    "chat": "rougeL_f",
    "generation": "rougeL_f",
    "extraction": "field_f1",
    "sweep": "field_f1",
}


@pytest.mark.parametrize("task", TASKS)
def test_experiment_runs_to_a_verdict(task: str, tmp_path: Path) -> None:
    file = ROOT / "experiments" / f"{task}.yaml"
    ended = gemini_sft("run", file, "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert_verdict(task, json.loads(ended.out), tmp_path)


def assert_verdict(task: str, summary: dict[str, Any], folder: Path) -> None:
    """Of a shipped experiment that was run in a folder: it has reached a verdict on all that its test split has."""
    assert (summary["state"], summary["primary_metric"]) == ("SUCCEEDED", PRIMARY[task])
    assert summary["verdict"] in ("promote", "reject", "inconclusive")
    assert summary["base"]["n"] == summary["candidate"]["n"] >= 60
    assert summary["candidate"]["outcomes"] == {"answered": summary["candidate"]["n"]}
    left = folder / summary["artifacts"]
    assert "The data can be used" in (left / "data.html").read_text("utf-8")
    quote = json.loads((left / "quote.json").read_text("utf-8"))
    assert quote["usd"] == pytest.approx(sum(line["usd"] for line in quote["lines"]))
