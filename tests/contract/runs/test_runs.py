"""`gemini-sft status`, `logs` and `cancel`, on small pipelines that were really submitted."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg"

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from google.cloud.aiplatform import initializer
from kfp import compiler, dsl
from rich.console import Console

from launcher import main
from launcher.found import resolve
from launcher.status import print_runs, table
from launcher.submission import Run
from launcher.target import Target
from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT

TARGET = Target(PROJECT, LOCATION, "runs-bucket")
URI = "gs://runs-bucket/staging/replies/0123/experiment.yaml"
component = partial(dsl.component, install_kfp_package=False, base_image="python:3.11")


@component()
def prepare() -> str:
    import sys

    print("  two examples\n\x1b[31mof ten\x1b[0m")
    print("a warning", file=sys.stderr)
    return "done"


@component()
def tune(after: str, mode: str) -> None:
    import time

    if mode == "fails":
        raise ValueError("no quota for tuning")
    time.sleep(60 if mode == "sleeps" else 0.2)
    print("tuned")


@dsl.pipeline(name="small-tuning")
def ours(experiment_uri: str, mode: str = "well"):
    tune(after=prepare().output, mode=mode).set_display_name("tune model")


@dsl.pipeline(name="of-others")
def others():
    prepare()


@pytest.fixture(scope="module", autouse=True)
def submit(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Run]]:
    """Submits a pipeline under an id."""
    folder = tmp_path_factory.mktemp("compiled")
    server.http.post(f"/storage/v1/b?project={PROJECT}", json={"name": TARGET.bucket})
    for pipeline in (ours, others):
        compiler.Compiler().compile(pipeline, str(folder / f"{pipeline.name}.yaml"))

    def submitted(run_id: str, pipeline: Any = ours, **parameters: str) -> Run:
        run = Run(folder / f"{pipeline.name}.yaml", run_id, TARGET, parameters)
        run.submit()
        return run

    yield submitted
    initializer.global_config.__init__()


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Calls the command line as on Vertex AI; returns exit code and what it wrote."""
    monkeypatch.setenv("COLUMNS", "120")

    def call(*arguments: str) -> tuple[int, str, str]:
        where = ["--on", "vertex", "--project", PROJECT, "--location", LOCATION, "--data-dir", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", ["gemini-sft", *arguments, *where])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(ended.value.code or 0), out, err

    return call


@pytest.fixture(scope="module")
def three(submit: Callable[..., Run]) -> None:
    """A run of ours that succeeds, one that fails, and one of another's pipeline."""
    runs = [submit("alpha-1", experiment_uri=URI), submit("alpha-2", experiment_uri=URI, mode="fails")]
    runs.append(submit("stranger-1", others))
    deadline = time.monotonic() + 60
    while not all(run.view().ended for run in runs):
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_the_last_runs_are_listed_and_one_is_shown(three: None, call: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = call("status")
    heading, *rows = out.splitlines()
    assert code == 0 and heading.split() == ["run", "pipeline", "state", "submitted", "took", "experiment"]
    rows = [row for row in rows if row.startswith("alpha")]  # other tests may have left theirs
    assert [row.split()[:3] for row in rows] == [
        ["alpha-2", "small-tuning", "failed"],
        ["alpha-1", "small-tuning", "succeeded"],
    ]
    assert all(row.split()[-1] == "replies" for row in rows)
    code, out, _ = call("status", "--json")
    ids = [one["run_id"] for one in json.loads(out)["runs"]]
    assert [one for one in ids if one.startswith("alpha")] == ["alpha-2", "alpha-1"]
    code, out, _ = call("status", "latest")
    assert code == 1
    assert "Run alpha-2: small-tuning of replies" in out and "task 'tune model' failed: ValueError: no quota" in out
    assert f"/locations/{LOCATION}/pipelines/runs/alpha-2?project={PROJECT}" in out
    shown = [line.split()[1:] for line in out.splitlines() if line.strip().startswith(("✓", "✗"))]
    assert [line[:-2] for line in shown] == [["prepare", "succeeded"], ["tune", "model", "failed"]]
    code, out, err = call("status", "alpha-1", "--wait", "--json")
    found = json.loads(out)
    assert code == 0 and "✓ tune model succeeded" in err
    assert (found["state"], found["experiment"], found["experiment_uri"]) == ("SUCCEEDED", "replies", URI)
    assert [task["state"] for task in found["tasks"]] == ["SUCCEEDED", "SUCCEEDED"]
    assert found["verdict"] is found["report"] is found["schedule"] is found["error"] is None
    assert found["seconds"] > 0 and found["tasks"][1]["started"] > found["created"]


def test_which_run_is_meant(three: None, call: Callable[..., tuple[int, str, str]]) -> None:
    assert resolve(TARGET, "latest").id == "alpha-2"
    assert resolve(TARGET, "alpha-1").experiment == "replies"
    assert resolve(TARGET, "stranger-1").experiment_uri == "", "by its whole id, also what is not ours"
    for given, said in (
        ("alpha", "several runs in project local-project, region us-central1 begin so: alpha-2, alpha-1"),
        ("alfa-1", "the nearest are alpha-1"),
        ("stranger", "no run of that name"),
        ("../up", "there are alpha-2, alpha-1"),
    ):
        code, _, err = call("logs", given)
        assert code == 2 and said in err.replace("\n", " "), err


def test_logs_name_the_task_of_each_line(three: None, call: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = call("logs", "alpha-1")
    lines = [line for line in out.splitlines() if "tuned" in line or "of ten" in line or "two ex" in line]
    assert code == 0 and lines == [
        "prepare    |   two examples",
        "prepare    | of ten",
        "tune model | tuned",
    ]
    assert "prepare    | a warning" in out.splitlines()
    code, out, _ = call("logs", "alpha-2", "--task", "tune model")
    assert code == 0 and "tune model | ValueError: no quota for tuning" in out and "prepare" not in out
    code, _, err = call("logs", "alpha-1", "--task", "tune")
    assert code == 2 and "--task tune: the run alpha-1 has prepare, tune model" in err


def test_who_may_not_read_the_logs_is_told_the_role(
    three: None, call: Callable[..., tuple[int, str, str]], server: Server
) -> None:
    rule = {"path": "entries:list", "status": 403, "message": "Permission denied for all log views."}
    server.http.put("/emulator/faults", json=[rule])
    try:
        code, _, err = call("logs", "alpha-1")
    finally:
        server.http.put("/emulator/faults", json=[])
    assert code == 2
    assert "roles/logging.viewer" in err and "pipelines/runs/alpha-1?project=local-project" in err
    assert "Permission denied for all log views." in err
    # What passes is waited for.
    server.http.put("/emulator/faults", json=[rule | {"status": 503, "times": 1}])
    assert call("logs", "alpha-1")[0] == 0


def test_a_run_is_cancelled_once(submit: Callable[..., Run], call: Callable[..., tuple[int, str, str]]) -> None:
    run = submit("beta-1", experiment_uri=URI, mode="sleeps")
    deadline = time.monotonic() + 60
    while not any((task.name, task.state) == ("tune model", "RUNNING") for task in run.view().tasks):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "RUNNING" in call("status", "beta-1", "--json")[1]
    code, out, _ = call("cancel", "beta")
    assert code == 0 and out.startswith("The run beta-1 is cancelled.\n")
    assert "A tuning job that it has made and that was under way is cancelled" in out
    assert run.view().state == "CANCELLED"
    code, out, _ = call("status", "beta-1")
    assert code == 1 and "Cancelled after" in out
    code, _, err = call("cancel", "beta-1")
    assert code == 2 and "has ended already, as CANCELLED" in err


def test_what_the_list_says_of_a_run(three: None) -> None:
    from dataclasses import replace

    one = replace(resolve(TARGET, "alpha-1"), id="replies-1", pipeline="gemini-retrain")
    for schedule, by in (("", "retrain"), ("4711", "retrain, scheduled")):
        file = io.StringIO()
        Console(file=file, width=80).print(table([replace(one, schedule=schedule)]))
        heading, row = file.getvalue().splitlines()
        assert heading.split() == ["run", "pipeline", "state", "submitted", "took"], "each id begins with the name"
        assert " ".join(row.split()).startswith(f"replies-1 {by} succeeded ")
    # An id can be copied whole, and what reads a pipe gets a run in a line.
    long = [replace(one, id="n" * 61, schedule="4711"), replace(one, id="4711")]
    for terminal in (False, True):
        file = io.StringIO()
        print_runs(long, Console(file=file, width=80, force_terminal=terminal, color_system=None))
        heading, first, second = file.getvalue().splitlines()
        assert first.split()[0] == "n" * 61 and first.split()[-1] == "replies" and second.split()[0] == "4711"
