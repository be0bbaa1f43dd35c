"""`gemini-sft predict`: what is refused before anything is started, and what is printed."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from launcher import main as entry
from launcher import predicting

EXPERIMENT = (
    "name: demo\ntask: summarization\nbase_model: gemini-2.5-flash\ndata: {train: t.csv, test: t.csv}\n"
    "prompt: {template: '{title}: {body}', target: summary}\n"
)
KEYS = ["model", "endpoint", "examples", "failures", "outcomes", "out", "answers", "problems"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "x.yaml").write_text(EXPERIMENT)
    (tmp_path / "asked.csv").write_text("title,body\na,b\n")
    (tmp_path / "bad.csv").write_text("title\na\n")
    for age, name in enumerate(("demo-2", "demo-1")):
        run = tmp_path / "runs" / "runs" / name
        run.mkdir(parents=True)
        (run / "report.html").write_text("")
        os.utime(run / "report.html", (1000 - age, 1000 - age))
    return tmp_path


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to ask: give a TEXT, or --file with a file of prompts"),
        (["x", "--file", "asked.csv"], "TEXT and --file are both given: give one of them"),
        (["words"], "TEXT must be title=... body=..., each once: one of what was given is for no column"),
        (["title=a"], "TEXT must be title=... body=..., each once: body not given"),
        (
            ["title=a", "body=b", "--out", "o.jsonl"],
            "--out is for the answers to a --file: the answer to a TEXT goes to standard output",
        ),
        (["--file", "nowhere.csv"], "nowhere.csv: there is no such file"),
        (["--file", "x.yaml"], "x.yaml: must end in .jsonl, .csv, .tsv, .parquet, or in .gz after one of the first"),
        (["--file", "bad.csv"], "bad.csv:2: has the columns title: expected title, body: fill or rename it, or set"),
        (["--file", "asked.csv", "--out", "."], "--out .: is a directory, not a file"),
        (["--file", "asked.csv", "--out", "x.yaml/o"], "--out x.yaml/o: "),
        (
            ["--file", "asked.csv", "--run", "demo-9", "--data-dir", "runs"],
            "demo-9: no finished run of that name in runs/runs, nor is it the folder of one: the nearest are demo-2,",
        ),
        (
            ["--file", "asked.csv", "--run", "demo-9"],
            "demo-9: no finished run of that name in .local/runs, nor is it the folder of one: there are none;",
        ),
        (["--file", "asked.csv", "--set", "task=x"], "--set task: task is 'x'"),
    ],
)
def test_a_mistake_is_told_before_anything_is_started(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
    as_json: bool,
) -> None:
    before = sorted(folder.rglob("*"))
    monkeypatch.setattr(
        sys, "argv", ["gemini-sft", "predict", "x.yaml", *arguments, *["--json"][: 1 if as_json else 0]]
    )
    with pytest.raises(SystemExit) as caught:
        entry.main()
    out, err = capsys.readouterr()
    assert caught.value.code == 2
    assert err.startswith(message)
    assert sorted(folder.rglob("*")) == before
    if as_json:
        found = json.loads(out)
        assert list(found) == KEYS
        assert found["problems"] == err.splitlines()
    else:
        assert out == ""


def answer(**changes: Any) -> dict[str, Any]:
    whole = {"source": "a.csv", "line": 2, "outcome": "answered", "text": "[bold]ü[/bold]", "tokens": {}, "error": None}
    return whole | changes


def found(*answers: dict[str, Any], out: str | None = None) -> dict[str, Any]:
    failures = sum(one["error"] is not None for one in answers)
    return {"examples": len(answers), "failures": failures, "out": out, "answers": None if out else list(answers)}


@pytest.mark.parametrize(
    ("question", "result", "out", "err"),
    [
        (predicting.Question(texts=["x"]), found(answer()), "[bold]ü[/bold]\n", ""),
        (
            predicting.Question(texts=["x"]),
            found(answer(outcome="blocked", text="", error="blocked SAFETY")),
            "",
            "No answer: blocked: blocked SAFETY\n",
        ),
        (
            predicting.Question(file=Path("a.csv")),
            found(answer(tokens={"prompt": 1}), answer(error="e")),
            '{"source":"a.csv","line":2,"outcome":"answered","text":"[bold]ü[/bold]","tokens":{"prompt":1},"error":null}\n'
            '{"source":"a.csv","line":2,"outcome":"answered","text":"[bold]ü[/bold]","tokens":{},"error":"e"}\n',
            "2 prompts, 1 without an answer\n",
        ),
        (
            predicting.Question(file=Path("a.csv"), out=Path("o.jsonl")),
            found(answer(), out="o.jsonl"),
            "",
            "1 prompt, 0 without an answer, in o.jsonl\n",
        ),
    ],
)
def test_standard_output_has_answers_and_nothing_else(
    capsys: pytest.CaptureFixture[str], question: predicting.Question, result: dict[str, Any], out: str, err: str
) -> None:
    predicting.show(question, result, Console(stderr=True, highlight=False))
    assert capsys.readouterr() == (out, err)
