"""A real emulator in a process of its own, and the real SDKs pointed at it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.cloud.aiplatform.utils import gcs_utils
from kfp import compiler

from vertex_emulator.environment import LOCATION, PROJECT

BUCKET = "pipeline-bucket"
ENDED = ("PIPELINE_STATE_SUCCEEDED", "PIPELINE_STATE_FAILED", "PIPELINE_STATE_CANCELLED")


class Emulator:
    """`python -m vertex_emulator` on a data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "vertex_emulator", "--json", "--data-dir", str(self.data_dir)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.stdout.close()
            raise AssertionError(f"the emulator did not start: exit code {self.process.wait(20)}")
        announced = json.loads(line)
        self.environment: dict[str, str] = announced["environment"]
        self.url = f"http://127.0.0.1:{announced['port']}"
        self.http = httpx.Client(
            base_url=f"{self.url}/v1/projects/{PROJECT}/locations/{LOCATION}", timeout=30, trust_env=False
        )
        httpx.post(f"{self.url}/storage/v1/b?project={PROJECT}", json={"name": BUCKET}, trust_env=False)

    def end(self, *, kill: bool = False) -> None:
        self.http.close()
        (self.process.kill if kill else self.process.terminate)()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def post(self, spec: dict[str, Any], job_id: str = "", **config: Any) -> httpx.Response:
        """Posts a job as it is."""
        runtime = {"gcsOutputDirectory": f"gs://{BUCKET}/root", **config}
        query = f"?pipelineJobId={job_id}" if job_id else ""
        return self.http.post(f"/pipelineJobs{query}", json={"pipelineSpec": spec, "runtimeConfig": runtime})

    def submit(self, spec: dict[str, Any], job_id: str, **config: Any) -> str:
        """Posts a good job; returns its id."""
        answer = self.post(spec, job_id, **config)
        assert answer.status_code == 200, answer.text
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/pipelineJobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait(self, job_id: str, until: Callable[[dict[str, Any]], bool] | None = None) -> dict[str, Any]:
        """Returns the job once it has ended, or `until` holds."""
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            job = self.job(job_id)
            if job["state"] in ENDED or (until and until(job)):
                return job
            time.sleep(0.05)
        raise AssertionError(f"still {job['state']}: {job}")

    @staticmethod
    def tasks(job: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Returns a job's task details by their unique names."""
        return {detail["taskUniqueName"]: detail for detail in job["jobDetail"]["taskDetails"]}

    def processes(self, data_dir: Path | None = None) -> dict[int, str]:
        """Returns the command lines of the runners and tasks of an emulator, by their process ids."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if f"TMPDIR={data_dir or self.data_dir}/pipeline_jobs".encode() in (path / "environ").read_bytes():
                    found[int(path.name)] = (path / "cmdline").read_bytes().decode()
            except OSError:
                continue
        return found

    def wait_until_clean(self) -> None:
        """Returns when no process and no working folder of a job is left."""
        deadline = time.monotonic() + 20
        folder = self.data_dir / "pipeline_jobs"
        while time.monotonic() < deadline and (self.processes() or any(folder.iterdir())):
            time.sleep(0.05)
        assert self.processes() == {} and not any(folder.iterdir())

    def wait_for_no_process(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.processes():
            time.sleep(0.05)
        assert self.processes() == {}

    def file(self, pattern: str) -> Path:
        """Returns the one file of the bucket that matches."""
        (found,) = (self.data_dir / "storage" / BUCKET).glob(pattern)
        return found


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], dict[str, Any]]:
    """Returns the spec of a pipeline, by itself without caching: tests share an emulator, and so what has been run."""

    def compiled(pipeline: Any, *, caching: bool = False) -> dict[str, Any]:
        path = tmp_path_factory.mktemp("specs") / "pipeline.yaml"
        compiler.Compiler().compile(pipeline, str(path))
        spec: dict[str, Any] = yaml.safe_load(path.read_text())
        for component in () if caching else (spec["root"], *spec["components"].values()):
            for task in component.get("dag", {}).get("tasks", {}).values():
                task["cachingOptions"] = {}
        return spec

    return compiled


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path_factory.mktemp("emulator"))
    yield emulator
    emulator.end()


@pytest.fixture
def sdk(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Any:
    """google.cloud.aiplatform, pointed at the emulator."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, emulator.environment[name])
    # It asks Google's resource manager for the project's number, whatever the endpoint.
    monkeypatch.setattr(
        gcs_utils, "create_gcs_bucket_for_pipeline_artifacts_if_it_does_not_exist", lambda *args, **named: None
    )
    monkeypatch.setattr("google.cloud.aiplatform.pipeline_jobs._JOB_WAIT_TIME", 0.2)
    aiplatform.init(
        project=PROJECT,
        location=LOCATION,
        credentials=AnonymousCredentials(),  # google-auth looks for the metadata server's address when it is imported
        api_endpoint=emulator.url,
        api_transport="rest",
    )
    return aiplatform
