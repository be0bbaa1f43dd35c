"""Jobs that fail, are cancelled, or lose their processes."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def,type-arg"

import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl

component = partial(dsl.component, install_kfp_package=False, base_image="python:3.11")


@component()
def fail() -> None:
    raise ValueError("quota exceeded\n\x1b[31mask for more\x1b[0m")


@component()
def go_on(text: str) -> str:
    return text


@component()
def late() -> None:
    pass


@component()
def flaky(marker: dsl.Output[dsl.Artifact]) -> str:
    from pathlib import Path

    if not Path(marker.path).exists():
        Path(marker.path).touch()
        raise RuntimeError("only once")
    return "well"


@component()
def sleep(polite: bool, data: dsl.Output[dsl.Artifact]) -> None:
    import signal
    import sys
    import time
    from pathlib import Path

    def stop(*_: object) -> None:
        Path(data.path + "-stopped").touch()
        sys.exit(1)

    signal.signal(signal.SIGTERM, stop if polite else signal.SIG_IGN)
    Path(data.path + "-started").touch()
    time.sleep(120)


@component()
def notify(status: dsl.PipelineTaskFinalStatus) -> str:
    return f"{status.state} {status.error_code} {status.error_message}"


@dsl.pipeline(name="failing")
def failing():
    with dsl.ExitHandler(notify()):
        broken = fail()
        go_on(text="after").after(broken)
        go_on(text="beside")
        flaky().set_retry(num_retries=1, backoff_duration="0s")


@dsl.pipeline(name="sleeping")
def sleeping(polite: bool = True):
    first = sleep(polite=polite)
    go_on(text="never").after(first)


@dsl.pipeline(name="simple")
def simple():
    broken = fail()
    go_on(text="after").after(broken)
    late()  # tasks that do not depend on each other run in the order of the alphabet


def started(emulator: Any, job_id: str) -> None:
    """Returns when the job's sleeping task sleeps."""
    emulator.wait(
        job_id, until=lambda _: bool(list(emulator.data_dir.glob(f"storage/*/root/*/{job_id}/sleep/*-started")))
    )


def test_run_raises_with_the_cause_of_the_failed_task(emulator: Any, sdk: Any, compiled: Any, tmp_path: Path) -> None:
    import json

    path = tmp_path / "failing.json"
    path.write_text(json.dumps(compiled(failing)))
    job = sdk.PipelineJob(
        "failing", str(path), job_id="failing-1", pipeline_root="gs://pipeline-bucket/root", labels={"team": "x"}
    )
    with pytest.raises(RuntimeError, match=r"(?s)Job failed with:.*The failed tasks are: \[fail\]") as raised:
        job.run()
    assert "ValueError: quota exceeded" in str(raised.value)
    document = emulator.job("failing-1")
    log = emulator.file("root/*/failing-1/fail/task.log")
    cause = f"ValueError: quota exceeded\nask for more (log: {log})"
    message = f"The DAG failed because some tasks failed. The failed tasks are: [fail].; fail: {cause}"
    assert document["error"] == {"code": 9, "message": message}
    assert document["labels"] == {"team": "x"} and document["displayName"] == "failing"
    tasks = emulator.tasks(document)
    assert tasks["exit-handler-1.fail"]["error"] == {"code": 9, "message": cause}
    assert tasks["exit-handler-1.fail"]["state"] == tasks["exit-handler-1"]["state"] == "FAILED"
    assert tasks["exit-handler-1.go-on"]["state"] == "NOT_TRIGGERED"
    assert tasks["exit-handler-1.go-on-2"]["state"] == "SUCCEEDED"
    assert tasks["exit-handler-1.flaky"]["state"] == "SUCCEEDED"
    assert tasks["notify"]["execution"]["metadata"]["output:Output"] == f"FAILED 9 {message}"
    assert "RuntimeError: only once" in emulator.file("root/*/failing-1/flaky/task.log").read_text()


@pytest.mark.parametrize(
    ("policy", "state"),
    [("PIPELINE_FAILURE_POLICY_FAIL_SLOW", "SUCCEEDED"), ("PIPELINE_FAILURE_POLICY_FAIL_FAST", "NOT_TRIGGERED")],
)
def test_the_failure_policy_decides_about_independent_tasks(
    emulator: Any, compiled: Any, policy: str, state: str
) -> None:
    job_id = emulator.submit(compiled(simple), f"simple-{state[:3].lower()}", failurePolicy=policy)
    tasks = emulator.tasks(emulator.wait(job_id))
    assert tasks["fail"]["state"] == "FAILED"
    assert tasks["go-on"]["state"] == "NOT_TRIGGERED"
    assert tasks["late"]["state"] == state


def test_cancel_lets_a_task_clean_up_and_kills_one_that_will_not(emulator: Any, sdk: Any, compiled: Any) -> None:
    spec = compiled(sleeping)
    polite = emulator.submit(spec, "cancel-polite")
    stubborn = emulator.submit(spec, "cancel-stubborn", parameterValues={"polite": False})
    early = emulator.submit(spec, "cancel-early")
    emulator.http.post(f"/pipelineJobs/{early}:cancel", json={})
    started(emulator, polite)
    started(emulator, stubborn)
    assert emulator.job(polite)["state"] == emulator.job(stubborn)["state"] == "PIPELINE_STATE_RUNNING"
    refused = emulator.http.delete(f"/pipelineJobs/{polite}")
    assert (refused.status_code, refused.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
    for job_id in (polite, stubborn):
        sdk.PipelineJob.get(job_id).cancel()
        assert emulator.job(job_id)["state"] in ("PIPELINE_STATE_CANCELLING", "PIPELINE_STATE_CANCELLED")
    for job_id in (polite, stubborn, early):
        job = emulator.wait(job_id)
        assert job["state"] == "PIPELINE_STATE_CANCELLED"
        assert job["error"] == {"code": 1, "message": "The job was cancelled."}
        assert {task["state"] for task in job["jobDetail"]["taskDetails"]} <= {"CANCELLED"}
    assert emulator.file(f"root/*/{polite}/sleep/data-stopped")
    emulator.wait_for_no_process()
    again = emulator.http.post(f"/pipelineJobs/{polite}:cancel", json={})
    assert (again.status_code, again.json()["error"]["status"]) == (400, "FAILED_PRECONDITION")
    sdk.PipelineJob.get(polite).delete()
    assert emulator.http.get(f"/pipelineJobs/{polite}").status_code == 404


def test_a_runner_that_dies_without_a_word_fails_its_job(emulator: Any, compiled: Any) -> None:
    job_id = emulator.submit(compiled(sleeping), "orphan")
    started(emulator, job_id)
    (runner,) = (pid for pid, command in emulator.processes().items() if "pipelines.runner" in command)
    os.kill(runner, signal.SIGKILL)
    job = emulator.wait(job_id)
    assert job["state"] == "PIPELINE_STATE_FAILED"
    assert job["error"]["code"] == 13 and "without a word: the process was killed by SIGKILL" in job["error"]["message"]
    assert emulator.tasks(job)["sleep"]["state"] == "FAILED"
    emulator.wait_for_no_process()
