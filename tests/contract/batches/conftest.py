"""Input files, waiting for jobs, and reading what they leave."""

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

BUCKET = "batch-data"
MODEL = "gemini-2.5-flash"
Upload = Callable[[str, list[Any] | str], str]


def request(text: str, **more: Any) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], **more}


def numbered(count: int) -> list[dict[str, Any]]:
    """Input lines with distinct answers: the number of each order."""
    text = "Order AA-{} has not arrived yet. Which order has not arrived?"
    return [{"request": request(text.format(1000 + number), labels={"id": str(number)})} for number in range(count)]


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[genai.Client]:
    connected = genai.Client(vertexai=True, project=PROJECT, location=LOCATION)
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def upload(server: Server) -> Upload:
    """Puts lines, or a text as it is, into an object and returns its URI."""
    bucket = storage.Client(project=PROJECT).create_bucket(BUCKET)

    def put(name: str, content: list[Any] | str) -> str:
        text = content if isinstance(content, str) else "\n".join(map(json.dumps, content))
        bucket.blob(name).upload_from_string(text)
        return f"gs://{BUCKET}/{name}"

    return put


def wait(client: genai.Client, job: types.BatchJob, *, seconds: float = 30) -> types.BatchJob:
    """Waits for a job's end."""
    deadline = time.monotonic() + seconds
    while not job.done:
        assert time.monotonic() < deadline, job
        time.sleep(0.02)
        job = client.batches.get(name=job.name or "")
    return job


def predictions(server: Server, job: types.BatchJob) -> list[dict[str, Any]]:
    """Reads what a job has left."""
    assert job.output_info and job.output_info.gcs_output_directory
    uri = f"{job.output_info.gcs_output_directory}/predictions.jsonl"
    text = storage.Client(project=PROJECT).bucket(BUCKET).blob(uri.removeprefix(f"gs://{BUCKET}/")).download_as_text()
    return [json.loads(line) for line in text.splitlines()]
