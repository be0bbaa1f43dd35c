"""`gemini-sft report` on what two real runs have left."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import gemini_sft

Ran = tuple[dict[str, Any], Path]


@pytest.fixture(scope="module")
def first(ran_small: Ran, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    summary, ran_in = ran_small
    folder = tmp_path_factory.mktemp("report") / "small"
    shutil.copytree(ran_in, folder)
    return summary, folder


@pytest.fixture(scope="module")
def second(first: Ran) -> Ran:
    """Another run of the experiment, tuned longer."""
    _, folder = first
    ended = gemini_sft("run", "small.yaml", "--set", "tuning.epochs=8", "--json", cwd=folder)
    assert ended.code == 0, ended.err
    return json.loads(ended.out), folder


def test_one_run_is_told_of(first: Ran) -> None:
    summary, folder = first
    ended = gemini_sft("report", "latest", "--no-open", cwd=folder)
    assert ended.code == 0, ended.err
    assert f"Verdict: {summary['verdict']}." in ended.out and f"Report:  {summary['report']}" in ended.out


def test_two_runs_are_held_against_each_other(first: Ran, second: Ran) -> None:
    (one, folder), (other, _) = first, second
    ended = gemini_sft("report", one["run_id"], "latest", "--json", cwd=folder)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["a"]["run_id"], found["b"]["run_id"]) == (one["run_id"], other["run_id"])
    assert found["paired"] and found["settings"] == {"tuning.epochs": ["2", "8"]}
    change = other["candidate"]["metrics"]["rougeL_f"] - one["candidate"]["metrics"]["rougeL_f"]
    assert found["differences"]["rougeL_f"]["mean"] == pytest.approx(change)
    page = (folder / found["report"]).read_text("utf-8")
    assert "The answers of A and B did not come from Gemini." in page
    assert one["run_id"] in page and other["tuned_model"] in page
    ended = gemini_sft("report", other["artifacts"], one["run_id"], "--no-open", cwd=folder)
    assert ended.code == 0 and "-vs-" in ended.out


def test_the_experiment_of_a_run_can_be_read_again(first: Ran) -> None:
    summary, folder = first
    ended = gemini_sft("check", Path(summary["artifacts"]) / "experiment.yaml", "--json", cwd=folder)
    assert ended.code == 0, ended.err
