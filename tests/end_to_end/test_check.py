"""`gemini-sft check`, and money that is capped before it is spent."""

import contextlib
import json
import sqlite3
from pathlib import Path

from tests.end_to_end.conftest import ROOT, gemini_sft, processes_of, write_experiment

SHIPPED = ROOT / "experiments" / "summarization.yaml"


def tuning_jobs(folder: Path) -> int:
    """How many tuning jobs the emulator of that folder has ever had."""
    with contextlib.closing(sqlite3.connect(folder / ".local" / "vertex.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM documents WHERE kind = 'tuningJobs'").fetchone()
        return int(count)


def test_good_data_are_described_and_priced(tmp_path: Path) -> None:
    ended = gemini_sft("check", SHIPPED, cwd=tmp_path)
    assert ended.code == 0, ended.err
    for text in ("train", "no findings", "tuning", "evaluation of the base model", "together", "Data report: "):
        assert text in ended.out
    report, findings = ended.out.rpartition("Data report: ")[2].strip().split(", all findings: ")
    assert (tmp_path / report).is_file() and (tmp_path / findings).is_file()
    assert not processes_of(tmp_path)


def test_all_of_it_as_one_object(tmp_path: Path) -> None:
    ended = gemini_sft("check", SHIPPED, "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert set(found) == {"ok", "problems", "data", "quote", "report", "findings"}
    assert (found["ok"], found["problems"]) == (True, [])
    assert found["data"]["splits"]["train"]["examples"] == 170
    quote = found["quote"]
    assert quote["train"]["counted"] == quote["train"]["examples"] == 170 and quote["train"]["error"] == 0
    assert 0 < quote["usd"] < 100
    assert (tmp_path / found["findings"]).read_text() == ""


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path)
    lines = (tmp_path / "train.jsonl").read_text("utf-8").splitlines(keepends=True)
    lines[2] = '{"messages": [}\n'
    lines[5] = lines[5].replace('"user"', '"usr"', 1)
    (tmp_path / "train.jsonl").write_text("".join(lines), "utf-8")
    ended = gemini_sft("check", experiment, "--json", cwd=tmp_path)
    assert ended.code == 2
    found = json.loads(ended.out)
    assert not found["ok"] and found["quote"] is None
    assert [problem.partition(": ")[0] for problem in found["problems"]] == ["train.jsonl:3", "train.jsonl:6"]
    assert "train.jsonl:3" in (tmp_path / found["report"]).read_text("utf-8")
    rules = [json.loads(line)["rule"] for line in (tmp_path / found["findings"]).read_text().splitlines()]
    assert {"json", "role"} <= {*rules}


def test_training_data_as_test_data_are_refused(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, data={"train": "train.jsonl", "test": "train.jsonl"})
    ended = gemini_sft("run", experiment, cwd=tmp_path)
    assert ended.code == 2
    assert "train.jsonl:1: has the prompt of train.jsonl:1 in test" in ended.err


def test_a_quote_above_the_budget_stops_the_run_before_a_tuning_job_exists(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, budget={"max_usd": 0.001})
    ended = gemini_sft("run", experiment, "--json", cwd=tmp_path)
    assert ended.code == 2, ended.err
    summary = json.loads(ended.out)
    assert summary["state"] == "REFUSED" and summary["run_id"] is None
    (reason,) = summary["reasons"]
    assert "more than the 0.001 USD of budget.max_usd" in reason
    assert "Cost on Vertex AI" in ended.err
    assert tuning_jobs(tmp_path) == 0


def test_a_model_without_a_known_price_needs_a_word(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, base_model="gemini-3.5-flash-lite")
    ended = gemini_sft("check", experiment, "--json", cwd=tmp_path)
    assert ended.code == 2
    found = json.loads(ended.out)
    assert "budget.allow_unknown_price" in found["problems"][0] and found["quote"]["usd"] is None
    ended = gemini_sft("check", experiment, "--json", "--set", "budget.allow_unknown_price=true", cwd=tmp_path)
    assert ended.code == 0 and json.loads(ended.out)["quote"]["usd"] is None
