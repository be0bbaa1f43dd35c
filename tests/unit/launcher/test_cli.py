import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from gemini_sft.errors import ServiceError, TuningError, UserError
from launcher import cli, cli_retraining
from launcher import main as entry
from launcher.emulator import enter
from launcher.place import Request
from launcher.running import Progress

VALID = "name: demo\ntask: summarization\nbase_model: gemini-2.5-flash\ndata: {train: t.csv, test: t.csv}\n"


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gemini-sft", *arguments])
    with pytest.raises(SystemExit) as caught:
        entry.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.mark.parametrize(
    ("experiment", "data", "options", "message"),
    [
        (None, None, [], "x.yaml: there is no such file"),
        (
            "name: Demo\n" + VALID.partition("\n")[2],
            None,
            [],
            "x.yaml:1: name is 'Demo': Names the runs: lower case, digits and hyphens.",
        ),
        (
            VALID,
            None,
            [],
            "data.test: t.csv: there is no such file\ndata.train: t.csv: there is no such file",
        ),
        (
            VALID,
            "input_text,output_text\na,[bold]\nb,\n",
            [],
            "t.csv:3: turn 2 (the target) is empty: fill it, or leave the record out\n" * 2
            + "t.csv:2: has the prompt of t.csv:2 in test: keep it in one, or set the policy to drop",
        ),
        (VALID, None, ["--set", "task"], "--set task: expected KEY=VALUE, such as tuning.epochs=3"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_mistake_is_told_without_a_traceback_and_before_anything_starts(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    experiment: str | None,
    data: str | None,
    options: list[str],
    message: str,
    as_json: bool,
) -> None:
    if experiment:
        (folder / "x.yaml").write_text(experiment)
    if data:
        (folder / "t.csv").write_text(data)
    before = {one.name for one in folder.iterdir()}
    code = called(monkeypatch, "run", "x.yaml", *options, *(["--json"] if as_json else []))
    out, err = capsys.readouterr()
    assert code == 2 and err.strip() == message.strip()
    assert {one.name for one in folder.iterdir()} - {".local"} == before
    assert not (folder / ".local" / "runs").exists()
    if as_json:
        document = json.loads(out)
        assert (document["state"], document["run_id"], document["verdict"]) == ("REFUSED", None, None)
        assert document["reasons"] == message.strip().splitlines()
    else:
        assert out == ""


@pytest.mark.parametrize(
    ("error", "code", "message", "state"),
    [
        (KeyboardInterrupt(), 130, "Interrupted.", "INTERRUPTED"),
        (TuningError("task 'tune' failed: [red]"), 1, "The run failed: task 'tune' failed: [red]", "FAILED"),
        (
            ServiceError("Google did not answer (the run goes on)"),
            1,
            "Google did not answer (the run goes on)",
            "FAILED",
        ),
        (UserError("the bucket is taken"), 2, "the bucket is taken", "REFUSED"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_how_a_run_may_end(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    message: str,
    state: str,
    as_json: bool,
) -> None:
    def end(request: Request, console: Console, progress: Progress) -> None:
        progress.run_id = "demo-1"
        raise error

    monkeypatch.setattr(cli_retraining, "run", end)
    assert called(monkeypatch, "run", "x.yaml", *(["--json"] if as_json else [])) == code
    out, err = capsys.readouterr()
    assert err == f"{message}\n"
    if as_json:
        document = json.loads(out)
        assert (document["state"], document["run_id"]) == (state, "demo-1") and document["reasons"]
    else:
        assert out == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["run"], "EXPERIMENT"),
        (["run", "x.yaml", "--on", "moon"], "moon"),
        (["walk"], "walk"),
        (["emulator", "--port", "70000"], "65535"),
    ],
)
def test_a_command_that_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    assert called(monkeypatch, *arguments) == 2
    assert text in capsys.readouterr().err


def every_command(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from every_command(below, *path, name)


@pytest.mark.parametrize(("path", "command"), list(every_command(typer.main.get_command(cli.app))))
def test_help_says_all_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: tuple[str, ...], command: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert called(monkeypatch, *path, "--help") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80 and "…" not in "".join(lines)
    # A text of several lines stands in a column of its own: its words follow one another down the page.
    words = [word for line in lines for word in re.split(r"[\s│]+", line) if word]
    texts = [command.help, *(one.get_short_help_str(300) for one in getattr(command, "commands", {}).values())]
    for text in [*texts, *(one.help for one in command.params)]:
        rest = iter(words)
        assert all(word in rest for word in text.split()), text


def test_help_has_the_commands_in_the_order_of_their_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, "--help") == 0
    out = capsys.readouterr().out
    assert re.findall(r"─ (\w+) ─", out) == ["Options", "Run", "Watch", "Release", "Tools"]
    places = [
        out.index(f"│ {one} ") for one in ("check", "run", "schedule", "status", "report", "rollback", "emulator")
    ]
    assert places == sorted(places)


def test_the_shells_own_credentials_do_not_reach_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.setenv(name, "of the shell")
    monkeypatch.setenv("VERTEX_API_ENDPOINT", "")
    enter({"GOOGLE_CLOUD_PROJECT": "local-project", "VERTEX_API_ENDPOINT": "http://127.0.0.1:1"})
    assert os.environ["GOOGLE_CLOUD_PROJECT"] == "local-project"
    assert os.environ["VERTEX_API_ENDPOINT"] == "http://127.0.0.1:1"
    assert not {"GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_API_KEY", "GEMINI_API_KEY"} & os.environ.keys()


@pytest.mark.parametrize(
    ("error", "code", "problem"),
    [(KeyboardInterrupt(), 130, "interrupted"), (TuningError("no answer"), 1, "no answer")],
)
def test_a_check_that_breaks_off_says_so_in_one_object_too(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    problem: str,
) -> None:
    def end(request: Request, console: Console) -> None:
        raise error

    monkeypatch.setattr(cli, "check", end)
    assert called(monkeypatch, "check", "x.yaml", "--json") == code
    found = json.loads(capsys.readouterr().out)
    assert found == {"ok": False, "problems": [problem]} | dict.fromkeys(("data", "quote", "report", "findings"))


@pytest.mark.parametrize(("state", "code"), [("PLANNED", 0), ("DELETED", 0), ("INCOMPLETE", 1)])
def test_a_cleanup_that_could_not_delete_everything_exits_1(
    state: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[object] = []

    def clean(request: Request, days: int, delete: bool, console: Console) -> dict[str, str]:
        asked.extend([request.bucket, days, delete])
        return {"state": state}

    monkeypatch.setattr(cli, "clean", clean)
    options = ["--older-than", "7", "--yes", "--bucket", "mine"]
    assert called(monkeypatch, "cleanup", "x.yaml", "--json", *options) == code
    assert json.loads(capsys.readouterr().out) == {"state": state}
    assert asked == ["mine", 7, True]
