"""An emulator whose schedules have a clock of their own, and two pipelines: one ends at once, the other does not."""

# KFP's decorators have no types, and its pipelines no annotation for what they return.
# mypy: disable-error-code="untyped-decorator,no-untyped-def"

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from kfp import compiler, dsl

from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT, variables

BUCKET = "schedule-bucket"
PARENT = f"projects/{PROJECT}/locations/{LOCATION}"

component = partial(dsl.component, install_kfp_package=False, base_image="python:3.11")


@component()
def say(text: str) -> str:
    return text


@component()
def sleep() -> None:
    import time

    time.sleep(120)


@dsl.pipeline(name="quick")
def quick(given: str, count: int = 1):
    say(text=f"{given} {dsl.PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER}")
    say(text=dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER)
    say(text=dsl.PIPELINE_JOB_RESOURCE_NAME_PLACEHOLDER)


@dsl.pipeline(name="endless")
def endless():
    sleep()


class Scheduling:
    """The emulator, spoken to without an SDK.

    Attributes:
        quick: A PipelineJob that ends at once.
        endless: One that runs until it is cancelled.
    """

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.http = server.http
        answer = self.http.post(f"/storage/v1/b?project={PROJECT}", json={"name": BUCKET})
        assert answer.status_code == 200
        self.template = folder / "quick.yaml"
        self.quick = self._job(quick, self.template, given="at")
        self.endless = self._job(endless, folder / "endless.yaml")

    @staticmethod
    def _job(pipeline: Any, path: Path, **values: Any) -> dict[str, Any]:
        compiler.Compiler().compile(pipeline, str(path))
        config = {"gcsOutputDirectory": f"gs://{BUCKET}/root", "parameterValues": values}
        return {"pipelineSpec": yaml.safe_load(path.read_text()), "runtimeConfig": config}

    def clock(self, now: str | None = None, **setting: Any) -> None:
        """Sets the clock that schedules go by."""
        answer = self.http.put("/emulator/schedules", json={**({"now": now} if now else {}), **setting})
        assert answer.status_code == 200, answer.text

    def post(self, job: dict[str, Any] | None = None, version: str = "v1", **fields: Any) -> httpx.Response:
        """Asks for a schedule that is due every Monday at six, with changes; fields that are None are left out."""
        request = {"parent": PARENT, "pipelineJob": self.quick if job is None else job}
        whole = {
            "displayName": "weekly",
            "cron": "0 6 * * 1",
            "maxConcurrentRunCount": 1,
            "createPipelineJobRequest": request,
            **fields,
        }
        body = {field: value for field, value in whole.items() if value is not None}
        return self.http.post(f"/{version}/{PARENT}/schedules", json=body)

    def create(self, job: dict[str, Any], **fields: Any) -> str:
        """Makes such a schedule; returns its name."""
        answer = self.post(job, **fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["name"])

    def get(self, name: str) -> dict[str, Any]:
        answer = self.http.get(f"/v1/{name}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def jobs(self, schedule: str, **query: str) -> list[dict[str, Any]]:
        """Returns the runs of a schedule, as a list shows them."""
        answer = self.http.get(f"/v1/{PARENT}/pipelineJobs", params={"filter": f"schedule_name={schedule}", **query})
        assert answer.status_code == 200, answer.text
        return list(answer.json().get("pipelineJobs", []))

    def wait(self, read: Callable[[], Any], until: Callable[[Any], bool], seconds: float = 40) -> Any:
        """Reads again until it is as wanted; returns what was read."""
        deadline = time.monotonic() + seconds
        while not until(found := read()):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
        return found


@pytest.fixture(scope="session")
def scheduling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduling]:
    """One emulator for all these tests; each sets its clock."""
    server = Server(tmp_path_factory.mktemp("emulator"))
    yield Scheduling(server, tmp_path_factory.mktemp("specs"))
    server.close()


@pytest.fixture
def sdk(scheduling: Scheduling, monkeypatch: pytest.MonkeyPatch) -> Any:
    """google.cloud.aiplatform, pointed at it."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, variables(scheduling.server.port)[name])
    aiplatform.init(
        project=PROJECT,
        location=LOCATION,
        credentials=AnonymousCredentials(),
        api_endpoint=scheduling.server.url,
        api_transport="rest",
    )
    return aiplatform
