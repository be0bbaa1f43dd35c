"""A small data set that can be learnt, and waiting for jobs."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google import genai
from google.cloud import storage
from google.genai import types

from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT

BUCKET = "tuning-data"
Example = dict[str, Any]
Upload = Callable[[str, list[Example] | str], str]


def example(number: int) -> Example:
    """A text with an order's number, which is its answer."""
    order = f"AA-{1000 + number * 37}"
    text = f"Hello, order {order} has not arrived yet. I need the {number % 9 + 2} cups on Monday."
    return {
        "systemInstruction": {"parts": [{"text": "Extract the order id."}]},
        "contents": [
            {"role": "user", "parts": [{"text": text}]},
            {"role": "model", "parts": [{"text": order}]},
        ],
    }


EXAMPLES = [example(number) for number in range(80)]
VALIDATION = [example(number) for number in range(100, 110)]


@pytest.fixture(autouse=True)
def sdk(aiplatform_sdk: None) -> None:
    """Every test here may use google-cloud-aiplatform."""


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[genai.Client]:
    connected = genai.Client(vertexai=True, project=PROJECT, location=LOCATION)
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def upload(server: Server) -> Upload:
    """Puts examples, or a text as it is, into an object and returns its URI."""
    bucket = storage.Client(project=PROJECT).create_bucket(BUCKET)

    def put(name: str, content: list[Example] | str) -> str:
        text = content if isinstance(content, str) else "\n".join(map(json.dumps, content))
        bucket.blob(name).upload_from_string(text)
        return f"gs://{BUCKET}/{name}"

    return put


@pytest.fixture(scope="session")
def training(upload: Upload) -> str:
    return upload("train.jsonl", EXAMPLES)


@pytest.fixture(scope="session")
def slow_training(upload: Upload) -> str:
    """Tunes for some seconds with 100 epochs."""
    return upload("slow.jsonl", [example(number) for number in range(400)])


def wait_for(client: genai.Client, job: types.TuningJob, done: Callable[[types.TuningJob], bool]) -> types.TuningJob:
    """Asks for a job until `done` holds of it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert job.name
        job = client.tunings.get(name=job.name)
        if done(job):
            return job
        time.sleep(0.05)
    raise AssertionError(f"still {job.state}, {job.tuning_job_state}: {job.error}")


def wait(client: genai.Client, job: types.TuningJob) -> types.TuningJob:
    """Waits for a job's end."""
    return wait_for(client, job, lambda found: found.has_ended)
