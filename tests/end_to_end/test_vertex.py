"""`--on vertex`, at an emulator that stands by itself."""

import fcntl
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gemini_sft.vertex import console_link
from tests.end_to_end.conftest import GEMINI_SFT, environment, wait_until, write_experiment

PROJECT, REGION = "team-project", "europe-west4"
IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/images/gemini-sft@sha256:{'0' * 64}"
ROBOT = f"robot@{PROJECT}.iam.gserviceaccount.com"


class Vertex:
    """An emulator in a process of its own, and a shell in which Google's SDKs find it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        command = [*GEMINI_SFT, "emulator", "--port", "0", "--data-dir", str(folder / "emulator")]
        self.process = subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        exported: dict[str, str] = {}
        while "no_proxy" not in exported:
            line = self.process.stdout.readline()
            assert line
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                exported[name] = value
        gcloud = {"GOOGLE_CLOUD_PROJECT": PROJECT, "GOOGLE_CLOUD_LOCATION": REGION, "GEMINI_SFT_IMAGE": IMAGE}
        self.environment = environment(folder) | exported | gcloud
        self.http = httpx.Client(base_url=exported["VERTEX_API_ENDPOINT"], trust_env=False, timeout=30)

    def start(self, *arguments: str | Path) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*GEMINI_SFT, *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *arguments: str | Path) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=180)
        assert "Traceback" not in out + err
        return process.returncode, out, err

    def jobs(self) -> list[dict[str, Any]]:
        found = self.http.get(f"/v1/projects/{PROJECT}/locations/{REGION}/pipelineJobs").json()
        jobs: list[dict[str, Any]] = found.get("pipelineJobs", [])
        return jobs

    def state(self, run_id: str) -> str:
        path = f"/v1/projects/{PROJECT}/locations/{REGION}/pipelineJobs/{run_id}"
        return str(self.http.get(path).json()["state"])

    def close(self) -> None:
        self.http.close()
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)


@pytest.fixture(scope="module")
def vertex(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vertex]:
    running = Vertex(tmp_path_factory.mktemp("vertex"))
    yield running
    running.close()


def command(vertex: Vertex, name: str) -> tuple[str | Path, ...]:
    return (name, write_experiment(vertex.folder), "--on", "vertex", "--service-account", ROBOT)


def test_what_is_missing_is_said_at_once_and_nothing_is_made(vertex: Vertex) -> None:
    denied = {"denied_permissions": ["iam.serviceAccounts.actAs"], "disabled_apis": ["logging.googleapis.com"]}
    vertex.http.put("/emulator/project", json=denied).raise_for_status()
    code, out, err = vertex.call(*command(vertex, "run"), "--json", "--set", "budget.max_usd=0.0001")
    reasons = json.loads(out)["reasons"]
    assert code == 2 and [one.partition(":")[0] for one in reasons] == ["APIs", "permissions", "budget"]
    assert all(one in err for one in reasons)
    code, out, _ = vertex.call(*command(vertex, "check"), "--json")
    found = json.loads(out)
    assert code == 2 and found["problems"] == reasons[:2] and found["quote"]["usd"] > 0
    vertex.http.put("/emulator/project", json={}).raise_for_status()
    assert vertex.jobs() == []
    assert vertex.http.get("/storage/v1/b", params={"project": PROJECT}).json()["items"] == []


def test_a_run_that_is_left_goes_on_and_one_that_is_interrupted_does_not(vertex: Vertex) -> None:
    code, out, _ = vertex.call(*command(vertex, "check"))
    assert code == 0 and "Vertex AI is ready for it." in out
    # From now on, tokens are what was counted for the check.
    vertex.http.put("/emulator/faults", json=[{"path": "countTokens", "status": 400}]).raise_for_status()
    code, out, err = vertex.call(*command(vertex, "run"), "--no-wait", "--json")
    assert code == 0, err
    left = json.loads(out)
    run_id = left["run_id"]
    assert (left["state"], left["link"]) == ("SUBMITTED", console_link(PROJECT, REGION, run_id))
    assert f"Run {run_id} on Vertex AI: {left['link']}\n" in err
    assert f"gemini-sft status {run_id} --on vertex --project {PROJECT} --location {REGION}\n" in err
    where = f": project {PROJECT} (GOOGLE_CLOUD_PROJECT), region {REGION} (GOOGLE_CLOUD_LOCATION), bucket "
    assert where in err and "Vertex AI at http://127.0.0.1:" in err, "an emulator is not taken for Google"
    (job,) = vertex.jobs()
    assert job["name"].endswith(f"/{run_id}") and job["serviceAccount"] == ROBOT
    labels = {key: value for key, value in job["labels"].items() if key in ("experiment", "pipeline")}
    assert labels == {"experiment": "small", "pipeline": "finetune"}
    assert job["labels"]["version"] and "@" not in job["labels"].get("user", "")
    assert job["runtimeConfig"]["failurePolicy"] == "PIPELINE_FAILURE_POLICY_FAIL_SLOW"
    executors = job["pipelineSpec"]["deploymentSpec"]["executors"].values()
    assert {one["container"]["image"] for one in executors if "container" in one} == {IMAGE}
    (bucket,) = vertex.http.get("/storage/v1/b", params={"project": PROJECT}).json()["items"]
    assert (bucket["name"], bucket["location"]) == (f"{PROJECT}-gemini-sft", REGION.upper())
    assert bucket["iamConfiguration"]["publicAccessPrevention"] == "enforced"

    # One that is interrupted is cancelled, and how to leave it is said.
    process = vertex.start(*command(vertex, "run"))
    assert process.stdout is not None
    said = ""
    while "on Vertex AI: https://" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    other = said.rpartition("Run ")[2].partition(" ")[0]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert f"The run {other} " in out and "start it with --no-wait" in out
    wait_until(lambda: vertex.state(other) == "PIPELINE_STATE_CANCELLED", 60, "the second run is cancelled")

    wait_until(lambda: vertex.state(run_id) not in ("PIPELINE_STATE_PENDING", "PIPELINE_STATE_RUNNING"), 150, "its end")
    assert vertex.state(run_id) == "PIPELINE_STATE_SUCCEEDED"


def test_commands_that_prepare_the_same_experiment_do_so_one_after_the_other(vertex: Vertex) -> None:
    lock = vertex.folder / ".local" / "checks" / "small" / ".lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        schedule = ("schedule", *command(vertex, "create"), "--cron", "0 6 1 1 *")
        started = [vertex.start(*command(vertex, "check")), vertex.start(*command(vertex, "run"), "--no-wait")]
        started.append(vertex.start(*schedule))
        for process in started:
            assert process.stdout is not None
            assert "Waiting for another command that prepares small in .local" in process.stdout.readline()
    ended = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], ended
    assert vertex.call("cancel", "latest", "--on", "vertex")[0] in (0, 2), "unless it has ended by itself"
    assert vertex.call("schedule", "delete", "small", "--on", "vertex")[0] == 0


def test_a_run_whose_submission_brings_no_answer_is_cancelled_by_an_interrupt_and_found_after_an_error(
    vertex: Vertex,
) -> None:
    lost = {"path": "pipelineJobs$", "method": "POST", "served": True}
    vertex.http.put("/emulator/faults", json=[lost | {"hang": True}]).raise_for_status()
    known = {one["name"] for one in vertex.jobs()}
    process = vertex.start(*command(vertex, "run"))
    wait_until(lambda: len(vertex.jobs()) > len(known), 60, "the run")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in err, err
    (left,) = [one["name"].rpartition("/")[2] for one in vertex.jobs() if one["name"] not in known]
    assert f"The run {left} " in out
    wait_until(lambda: vertex.state(left) == "PIPELINE_STATE_CANCELLED", 60, "it is cancelled")
    vertex.http.put("/emulator/faults", json=[lost | {"status": 503}]).raise_for_status()
    code, out, err = vertex.call(*command(vertex, "run"), "--no-wait", "--json")
    assert code == 0, err
    assert vertex.call("cancel", json.loads(out)["run_id"], "--on", "vertex")[0] == 0
    vertex.http.put("/emulator/faults", json=[]).raise_for_status()
