"""An exit handler around everything, with a loop and a branch inside it: as a pipeline that promotes and notifies."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def"

from typing import Any

import pytest
from google.auth.compute_engine import _metadata
from google.cloud.aiplatform import initializer
from kfp import compiler, dsl

from components.image import component
from launcher.submission import Run
from launcher.target import Target
from tests.contract.pipelines.conftest import BUCKET
from tests.promoting import notify, plan, promoting, tune
from vertex_emulator.environment import LOCATION, PROJECT

BODY = "exit-handler-1"
LOOP = f"{BODY}.for-loop-2"
BRANCH = f"{BODY}.condition-3"


def states(emulator: Any, job: dict[str, Any]) -> dict[str, str]:
    return {name: detail["state"] for name, detail in emulator.tasks(job).items()}


def said(emulator: Any, job: dict[str, Any], task: str) -> str:
    return str(emulator.tasks(job)[task]["execution"]["metadata"]["output:Output"])


@pytest.fixture(scope="module")
def run(emulator: Any, compiled: Any) -> Any:
    spec = compiled(promoting)

    def run(job_id: str, **parameters: str) -> Any:
        return emulator.wait(emulator.submit(spec, f"promoting-{job_id}", parameterValues=parameters))

    return run


def test_a_branch_that_is_taken_runs_in_its_place(emulator: Any, run: Any) -> None:
    job = run("taken")
    assert job["state"] == "PIPELINE_STATE_SUCCEEDED" and set(states(emulator, job).values()) == {"SUCCEEDED"}
    tasks = emulator.tasks(job)
    assert tasks[f"{BRANCH}.promote"]["parentTaskId"] == tasks[BRANCH]["taskId"]
    assert tasks[BRANCH]["parentTaskId"] == tasks[BODY]["taskId"]
    assert (tasks[BRANCH]["taskName"], tasks["notify"]["taskName"]) == ("if it is better", "tell the team")
    assert said(emulator, job, f"{BRANCH}.announce") == "champion is served"
    assert emulator.file("root/*/promoting-taken/promote/receipt").read_text() == "trial-0 and trial-1 as champion"
    assert said(emulator, job, "notify") == f"{BODY} of {job['name']} SUCCEEDED None: None"
    assert tasks["notify"]["startTime"] >= tasks[BODY]["endTime"]


@pytest.mark.parametrize("verdict", ["reject", "promot", "promote "])
def test_of_a_branch_that_is_not_taken_nothing_runs_and_the_job_is_well(emulator: Any, run: Any, verdict: str) -> None:
    job = run(f"not-{verdict.replace(' ', '-more')}", verdict=verdict)
    assert job["state"] == "PIPELINE_STATE_SUCCEEDED"
    found = states(emulator, job)
    assert found.pop(BRANCH) == "NOT_TRIGGERED" and set(found.values()) == {"SUCCEEDED"}
    assert not any(name.startswith(f"{BRANCH}.") for name in found)
    assert said(emulator, job, "notify").endswith("SUCCEEDED None: None")


@pytest.mark.parametrize(
    ("fate", "failed", "cause"),
    [
        ("trial-1 breaks", "for-loop-2-iteration-1.tune", "trial-1 cannot be tuned"),
        ("promotion breaks", "promote", "no such alias"),
    ],
)
def test_whatever_breaks_the_exit_task_runs_and_is_told(
    emulator: Any, run: Any, fate: str, failed: str, cause: str
) -> None:
    job = run(fate.replace(" ", "-"), fate=fate)
    assert job["state"] == "PIPELINE_STATE_FAILED"
    found = states(emulator, job)
    (broken,) = (name for name, state in found.items() if state == "FAILED" and name.endswith(f".{failed}"))
    above = {broken.rsplit(".", steps)[0] for steps in range(broken.count(".") + 1)}
    assert {name for name, state in found.items() if state == "FAILED"} == above
    assert found["notify"] == "SUCCEEDED"
    told = said(emulator, job, "notify")
    assert told.startswith(f"{BODY} of {job['name']} FAILED 9: The DAG failed because some tasks failed.")
    assert f"The failed tasks are: [{failed}].; {failed}: ValueError: {cause}" in told
    assert job["error"]["message"] in told


def test_an_exit_task_that_breaks_fails_the_job(emulator: Any, run: Any) -> None:
    job = run("note", fate="notification breaks", verdict="reject")
    assert (
        job["state"] == "PIPELINE_STATE_FAILED" and "[notify].; notify: ValueError: nobody" in job["error"]["message"]
    )
    assert states(emulator, job)[BODY] == "SUCCEEDED"


@component
def stay(stubborn: bool, mark: dsl.Output[dsl.Artifact]) -> None:
    import signal
    import time
    from pathlib import Path

    if stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(f"{mark.path}-begun").touch()
    time.sleep(120)


@dsl.pipeline(name="staying")
def staying(stubborn: bool, fate: str = ""):
    with dsl.ExitHandler(notify(whom="the team", fate=fate)):
        with dsl.ParallelFor(plan(count=2).output, parallelism=1) as trial:
            tune(trial=trial, fate="").after(stay(stubborn=stubborn))
        plan(count=1)


def begun(emulator: Any, job_id: str) -> None:
    """Returns when a task is at work."""
    emulator.wait(
        job_id, until=lambda _: bool(list(emulator.data_dir.glob(f"storage/*/root/*/{job_id}/**/mark-begun")))
    )


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_cancelled_job_runs_its_exit_task_when_all_else_has_ended(
    emulator: Any, compiled: Any, stubborn: bool
) -> None:
    job_id = emulator.submit(compiled(staying), f"staying-{stubborn}".lower(), parameterValues={"stubborn": stubborn})
    begun(emulator, job_id)
    emulator.http.post(f"/pipelineJobs/{job_id}:cancel", json={})
    job = emulator.wait(job_id)
    assert (job["state"], job["error"]["code"]) == ("PIPELINE_STATE_CANCELLED", 1)
    found = states(emulator, job)
    assert found.pop("notify") == "SUCCEEDED"
    ended = {name for name, state in found.items() if state == "SUCCEEDED"}
    assert ended <= {f"{BODY}.plan", f"{BODY}.plan-2"} and {found[name] for name in found.keys() - ended} == {
        "CANCELLED"
    }
    told = said(emulator, job, "notify")
    assert told == f"{BODY} of {job['name']} CANCELLED 1: The job was cancelled."
    tasks = emulator.tasks(job)
    assert tasks["notify"]["startTime"] >= tasks[BODY]["endTime"]
    emulator.wait_until_clean()


def test_an_exit_task_that_breaks_leaves_the_job_cancelled(emulator: Any, compiled: Any) -> None:
    parameters = {"stubborn": False, "fate": "notification breaks"}
    job_id = emulator.submit(compiled(staying), "staying-note", parameterValues=parameters)
    begun(emulator, job_id)
    emulator.http.post(f"/pipelineJobs/{job_id}:cancel", json={})
    job = emulator.wait(job_id)
    notified = emulator.tasks(job)["notify"]
    assert (job["state"], notified["state"]) == ("PIPELINE_STATE_CANCELLED", "FAILED")
    assert "nobody there" in notified["error"]["message"]


@component
def linger(status: dsl.PipelineTaskFinalStatus, mark: dsl.Output[dsl.Artifact]) -> None:
    import time
    from pathlib import Path

    Path(f"{mark.path}-begun").touch()
    time.sleep(120)


@dsl.pipeline(name="lingering")
def lingering():
    with dsl.ExitHandler(linger()):
        plan(count=1)


def test_an_exit_task_that_is_cancelled_does_not_run_again(emulator: Any, compiled: Any) -> None:
    job_id = emulator.submit(compiled(lingering), "lingering-1")
    begun(emulator, job_id)
    emulator.http.post(f"/pipelineJobs/{job_id}:cancel", json={})
    job = emulator.wait(job_id)
    assert job["state"] == "PIPELINE_STATE_CANCELLED"
    assert states(emulator, job) == {BODY: "SUCCEEDED", f"{BODY}.plan": "SUCCEEDED", "linger": "CANCELLED"}
    begins = emulator.file(f"root/*/{job_id}/pipeline.log").read_text().count("Executing task 'linger'")
    assert begins == 1


@pytest.fixture
def launched(emulator: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """Runs the pipeline as the launcher does, to its end."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    # google-auth reads this variable when it is imported, which may have been long ago.
    monkeypatch.setattr(_metadata, "_GCE_METADATA_HOST", emulator.environment["GCE_METADATA_HOST"])
    compiler.Compiler().compile(promoting, str(tmp_path / "promoting.yaml"))

    def launched(run_id: str, **parameters: str) -> Run:
        run = Run(tmp_path / "promoting.yaml", run_id, Target(PROJECT, LOCATION, BUCKET), parameters)
        run.submit()
        emulator.wait(run_id)
        return run

    yield launched
    initializer.global_config.__init__()


def test_the_launcher_shows_the_tasks_that_do_something(emulator: Any, launched: Any) -> None:
    run = launched("launched-taken")
    names = ["plan", "tune", "tune (2)", "compare", "promote the model", "announce", "tell the team"]
    view = run.view()
    assert view.succeeded and [(task.name, task.state) for task in view.tasks] == [
        (name, "SUCCEEDED") for name in names
    ]
    found = {task: [*outputs] for task, outputs in run.artifacts().items() if outputs}
    assert found == {
        "tune": ["model"],
        "tune (2)": ["model"],
        "compare": ["report"],
        "promote the model": ["receipt"],
        "tell the team": ["note"],
    }
    assert run.artifacts()["promote the model"]["receipt"].startswith(f"gs://{BUCKET}/")


def test_the_launcher_lists_what_was_not_needed(launched: Any) -> None:
    run = launched("launched-not-taken", verdict="reject")
    states = {task.name: task.state for task in run.view().tasks}
    untaken = {"promote the model", "announce"}
    assert {name for name, state in states.items() if state == "NOT_TRIGGERED"} == untaken
    assert run.view().succeeded and not untaken & run.artifacts().keys()


def test_the_launcher_names_the_task_that_failed(launched: Any) -> None:
    view = launched("launched-failed", fate="promotion breaks").view()
    states = {task.name: task.state for task in view.tasks}
    assert view.state == "FAILED" and states["tell the team"] == "SUCCEEDED" and states["announce"] == "NOT_TRIGGERED"
    assert [(task.name, task.error.partition(" (log")[0]) for task in view.tasks if task.state == "FAILED"] == [
        ("promote the model", "ValueError: no such alias")
    ]
