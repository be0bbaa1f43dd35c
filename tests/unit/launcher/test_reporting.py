"""`gemini-sft report`: which run is meant, what is printed, and what is opened."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from gemini_sft import storage
from gemini_sft.report.between import FinishedRun
from launcher import main as entry
from tests.unit.gemini_sft.report.sample import sample_examples
from tests.unit.gemini_sft.report.two_sample import finished_run

WORSE, BETTER = finished_run("worse", 0.4), finished_run("better", 0.9, seed=2)
FILES = {
    "experiment.yaml": "experiment",
    "comparison.json": "comparison",
    "candidate-evaluation.json": "result",
    "candidate-traffic.json": "traffic",
    "tuning.json": "tuning",
    "selection.json": "selection",
    "curves.json": "curves",
    "quote.json": "quote",
    "data.json": "data",
}


def write(run: FinishedRun, folder: Path, age: int = 0) -> None:
    """Writes what a fetched run leaves."""
    for name, part in FILES.items():
        document: BaseModel = getattr(run, part)
        storage.write_json(str(folder / name), document.model_dump(mode="json"))
    storage.write_jsonl(
        str(folder / "candidate-predictions.jsonl"), (one.model_dump(mode="json") for one in run.predictions)
    )
    report = folder / "report.html"
    report.write_text(run.run_id)
    os.utime(report, (10**9 - age, 10**9 - age))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs, the better one older; a browser that writes down what it is given, and no other."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "TERM"):
        monkeypatch.delenv(name, raising=False)
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho \"$1\" >> '{tmp_path}/opened'\n")
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setattr("webbrowser._tryorder", None)  # browsers are looked for once in a process
    monkeypatch.setattr("webbrowser._browsers", {})
    for age, run in enumerate((WORSE, BETTER)):
        write(run, tmp_path / ".local" / "runs" / run.run_id, age)
    (tmp_path / ".local" / "runs" / ".half-fetched").mkdir()
    return tmp_path


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gemini-sft", "report", *arguments])
    with pytest.raises(SystemExit) as caught:
        entry.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


def reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code = called(monkeypatch, *arguments, "--json")
    out, err = capsys.readouterr()
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def opened(folder: Path) -> list[str]:
    file = folder / "opened"
    return file.read_text().splitlines() if file.exists() else []


def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert called(monkeypatch, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


@pytest.mark.parametrize(
    ("given", "run"),
    [
        (BETTER.run_id, BETTER),
        ("tickets-20261122-141502", BETTER),
        ("latest", WORSE),
        (f".local/runs/{BETTER.run_id}", BETTER),
        (f".local/runs/{BETTER.run_id}/", BETTER),
    ],
)
def test_a_run_is_found_and_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str, run: FinishedRun
) -> None:
    assert called(monkeypatch, given) == 0
    said = capsys.readouterr().out
    page = Path(".local", "runs", run.run_id, "report.html")
    assert run.run_id in said and f"Verdict: {run.comparison.verdict.value}." in said
    assert f"Report:  {page}\n" in said
    assert opened(folder) == [(folder / page).as_uri()]


def test_the_folder_one_stands_in_is_a_run_by_its_own_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder / ".local" / "runs" / BETTER.run_id)
    assert reported(monkeypatch, capsys, ".")["run_id"] == BETTER.run_id


def test_a_whole_id_is_not_taken_for_the_beginning_of_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(WORSE, folder / ".local" / "runs" / f"{BETTER.run_id}-2")
    assert reported(monkeypatch, capsys, BETTER.run_id)["run_id"] == BETTER.run_id


@pytest.mark.parametrize("option", ["--no-open", "--json"])
def test_nothing_is_opened_when_nobody_looks(folder: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    assert called(monkeypatch, "latest", option) == 0
    assert opened(folder) == []


@pytest.mark.parametrize("browser", ["", "/nowhere/browser", "false", "firefox"])
def test_that_no_browser_opens_is_no_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], browser: str
) -> None:
    (folder / "firefox").write_bytes(b"\0")  # cannot be executed
    (folder / "firefox").chmod(0o755)
    (folder / "false").symlink_to("/bin/false")
    monkeypatch.setenv("BROWSER", browser)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("DISPLAY", ":0")
    assert called(monkeypatch, "latest") == 0
    out, err = capsys.readouterr()
    assert "report.html" in out and err == ""


def test_an_unknown_run_is_told_of_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(monkeypatch, capsys, "ticket-20261122-141502-better")
    assert said.startswith("ticket-20261122-141502-better: no finished run of that name in .local/runs")
    assert f"the nearest are {BETTER.run_id}, {WORSE.run_id};" in said
    assert f"there are {WORSE.run_id}, {BETTER.run_id};" in refused(monkeypatch, capsys, "x")
    assert "there are none;" in refused(monkeypatch, capsys, "latest", "--data-dir", "elsewhere")
    assert "several runs in .local/runs begin so" in refused(monkeypatch, capsys, "tickets-")
    assert "no finished run of that name" in refused(monkeypatch, capsys, "")


def test_two_runs_are_compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, WORSE.run_id, BETTER.run_id) == 0
    said = capsys.readouterr().out
    page = folder / ".local" / "reports" / f"{WORSE.run_id}-vs-{BETTER.run_id}.html"
    assert "B is better." in said and f"A: {WORSE.run_id}: {WORSE.comparison.verdict.value}" in said
    assert opened(folder) == [page.as_uri()]
    assert '<h1 id="verdict">B is better</h1>' in page.read_text("utf-8")
    found = reported(monkeypatch, capsys, WORSE.run_id, BETTER.run_id)
    assert found["better"] == BETTER.run_id and found["paired"] and found["settings"] == {}
    assert found["said"][0] == "B is better"
    change = BETTER.result.metrics["rougeL_f"] - WORSE.result.metrics["rougeL_f"]
    difference = found["differences"]["rougeL_f"]
    assert difference["mean"] == pytest.approx(change) and difference["low"] < change < difference["high"]
    assert found["a"]["metrics"] == WORSE.result.metrics and found["b"]["run_id"] == BETTER.run_id
    assert Path(found["report"]).resolve() == page


def test_runs_that_cannot_be_paired_have_no_differences(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = replace(finished_run("others", 0.9, test=sample_examples(30)), run_id="other")
    write(other, folder / "elsewhere" / "other")
    found = reported(monkeypatch, capsys, "latest", "elsewhere/other")
    assert found["better"] is None and not found["paired"] and found["differences"] == {}
    assert "They were not asked the same test examples" in found["said"][1]


def test_a_run_is_not_compared_with_itself(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert "are the same run" in refused(monkeypatch, capsys, "latest", WORSE.run_id)


@pytest.mark.parametrize("name", [*FILES, "candidate-predictions.jsonl"])
@pytest.mark.parametrize("content", [None, '{"secret": "of another version"}'])
def test_what_a_run_did_not_leave_so_is_named_with_the_remedy(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: str | None,
) -> None:
    file = folder / ".local" / "runs" / BETTER.run_id / name
    file.unlink()
    if content:
        file.write_text(content)
    said = refused(monkeypatch, capsys, WORSE.run_id, BETTER.run_id)
    assert said.startswith(str(file.relative_to(folder))) and "run the experiment again" in said
    assert "of another version" not in said and not (folder / ".local" / "reports").exists()
