"""Counting before a job, against the emulator: the count of the job itself, and the service's faults."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.cloud import storage as google_storage
from google.genai import types

from gemini_sft import storage
from gemini_sft.cost import Bill, SplitCount, TokenCache, count_split, quote, reconcile
from gemini_sft.errors import ServiceError, UserError
from gemini_sft.experiment import Experiment
from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT

pytestmark = [
    # google-genai's own, when it makes its first session.
    pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental"),
]

MODEL = "gemini-2.5-flash"
BUCKET = "cost-data"
SECRET = "Order AA-1000 of Ms Bowman"


@pytest.fixture(autouse=True)
def quiet(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Waits a hundredth of what the SDK would between attempts, and leaves no faults behind."""
    monkeypatch.setattr("google.genai._api_client._RETRY_INITIAL_DELAY", 0.01)
    monkeypatch.setattr("google.genai._api_client._RETRY_JITTER", 0.01)
    storage._client.cache_clear()
    yield
    server.http.put("/emulator/faults", json=[])
    storage._client.cache_clear()


def record(number: int) -> dict[str, Any]:
    turns = [("user", f"{SECRET}, number {number}, has not come: what now?"), ("model", ["refund", "wait"][number % 2])]
    return {
        "systemInstruction": {"parts": [{"text": "Choose one label: refund, wait."}]},
        "contents": [{"role": role, "parts": [{"text": text}]} for role, text in turns],
    }


def write(folder: str, records: list[dict[str, Any]]) -> str:
    storage.write_jsonl(f"{folder}/examples.jsonl", records)
    sources = ({"id": f"e{number}", "source": "f.jsonl", "line": number + 1} for number in range(len(records)))
    storage.write_jsonl(f"{folder}/sources.jsonl", sources)
    return folder


def count(uri: str, cache: Path, model: str = MODEL, exact_count: int = 1000) -> SplitCount:
    return count_split(
        PROJECT,
        LOCATION,
        model,
        uri,
        TokenCache(str(cache)),
        exact_count=exact_count,
        seed=0,
        max_example_tokens=131072,
        max_output_tokens=None,
    )


def faults(server: Server, **rule: Any) -> None:
    assert server.http.put("/emulator/faults", json=[{"path": "countTokens", **rule}]).status_code == 200


def test_the_count_is_the_jobs_own(tmp_path: Path) -> None:
    google_storage.Client(project=PROJECT).create_bucket(BUCKET)
    uri = write(f"gs://{BUCKET}/train", [record(number) for number in range(30)])
    counted = count(uri, tmp_path / "c.json")
    assert counted.total.examples == counted.total.counted == 30 and counted.total.error == 0

    with genai.Client(vertexai=True, project=PROJECT, location=LOCATION) as client:
        job = client.tunings.tune(
            base_model=MODEL,
            training_dataset=types.TuningDataset(gcs_uri=f"{uri}/examples.jsonl"),
            config=types.CreateTuningJobConfig(epoch_count=2),
        )
        deadline = time.monotonic() + 30
        while not job.has_ended and time.monotonic() < deadline:
            time.sleep(0.05)
            job = client.tunings.get(name=job.name or "")
    assert job.tuning_data_stats and job.tuning_data_stats.supervised_tuning_data_stats
    stats = job.tuning_data_stats.supervised_tuning_data_stats
    assert stats.total_billable_token_count == counted.total.tokens > 0
    assert stats.user_input_token_distribution and stats.user_input_token_distribution.sum == counted.prompts.tokens
    assert stats.user_output_token_distribution and stats.user_output_token_distribution.sum == counted.answers.tokens

    experiment = Experiment.model_validate(
        {"name": "demo", "task": "classification", "base_model": MODEL, "data": {"train": "t.jsonl"}}
    )
    bill = Bill(trial="", tokens=stats.total_billable_token_count, epochs=2)
    found = reconcile(quote(experiment, LOCATION, counted, counted), [bill])
    assert found.drift == 0 and not found.unexpected and "in 2 epochs instead of 20" in found.words


def test_every_kind_of_record_is_counted(tmp_path: Path) -> None:
    call = {"functionCall": {"name": "order_state", "args": {"order": "AA-1000"}}}
    picture = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/i.png"}, "mediaResolution": None}
    declared = {"name": "order_state", "parameters": {"type": "OBJECT", "properties": {"order": {"type": "STRING"}}}}
    answered = {"functionResponse": {"name": "order_state", "response": {"state": "sent"}}}
    records = [
        record(1) | {"tools": [{"functionDeclarations": [declared]}]},
        {
            "contents": [
                {"role": "user", "parts": [{"text": "q"}, picture]},
                {"role": "model", "parts": [{"text": "a"}]},
            ]
        },
        {"contents": [{"role": "user", "parts": [{"text": "q"}]}, {"role": "model", "parts": [call]}]},
        {
            "contents": [
                {"role": "user", "parts": [{"text": "q"}]},
                {"role": "model", "parts": [call]},
                {"role": "function", "parts": [answered]},
                {"role": "model", "parts": [{"text": "It was sent."}]},
            ],
            "generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"},
        },
    ]
    counted = count(write(str(tmp_path / "train"), records), tmp_path / "c.json")
    assert counted.conversations == 1 and counted.prompts.tokens > 3 * 258 and counted.answers.tokens > 10


def test_faults_that_pass_change_nothing(server: Server, tmp_path: Path) -> None:
    uri = write(str(tmp_path / "train"), [record(number) for number in range(12)])
    quietly = count(uri, tmp_path / "quiet.json")
    for number, status in enumerate((429, 500, 503)):
        faults(server, status=status, times=4)
        assert count(uri, tmp_path / f"{number}.json") == quietly


@pytest.mark.parametrize("status", [429, 500])
def test_faults_that_do_not_pass_name_model_and_example(server: Server, tmp_path: Path, status: int) -> None:
    uri = write(str(tmp_path / "train"), [record(number) for number in range(3)])
    faults(server, status=status)
    with pytest.raises(
        ServiceError, match=rf"^tokens of example e\d .* by {MODEL}: Vertex AI did not answer: {status} "
    ):
        count(uri, tmp_path / "c.json")


def test_what_is_known_needs_no_service(server: Server, tmp_path: Path) -> None:
    uri = write(str(tmp_path / "train"), [record(number) for number in range(12)])
    first = count(uri, tmp_path / "c.json")
    faults(server, status=500)
    assert count(uri, tmp_path / "c.json") == first
    kept = json.loads((tmp_path / "c.json").read_text())
    assert len(kept) == 12 + 2 and not any("Bowman" in key for key in kept)


@pytest.mark.parametrize(
    ("made", "model", "said"),
    [
        ({"contents": [{"role": "user", "parts": []}, record(0)["contents"][1]]}, MODEL, "at least one part"),
        ({"contents": [{"role": "robot", "parts": [{"text": SECRET}]}, record(0)["contents"][1]]}, MODEL, "valid role"),
        (record(0), "gemini-9", "gemini-9"),
    ],
)
def test_what_is_refused_is_the_users_mistake(tmp_path: Path, made: dict[str, Any], model: str, said: str) -> None:
    uri = write(str(tmp_path / "train"), [made])
    with pytest.raises(
        UserError, match=rf"^tokens of example e0 could not be counted by {model}: Vertex AI refused: 40"
    ) as e:
        count(uri, tmp_path / "c.json", model)
    assert said in str(e.value) and "Bowman" not in str(e.value)


def test_a_large_split_is_sampled(tmp_path: Path) -> None:
    uri = write(str(tmp_path / "train"), [record(number) for number in range(3000)])
    counted = count(uri, tmp_path / "c.json", exact_count=20)
    assert (counted.total.examples, counted.total.counted) == (3000, 20)
    assert len(json.loads((tmp_path / "c.json").read_text())) <= 20 + 2
    whole = count(write(str(tmp_path / "part"), [record(number) for number in range(0, 3000, 60)]), tmp_path / "d.json")
    assert counted.total.tokens == pytest.approx(whole.total.tokens * 60, rel=0.02)
