"""The step that evaluates a model, with the real SDKs and its journal in Cloud Storage."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from gemini_sft import storage
from gemini_sft.data.dataset import examples_uri, prompt_uri, sources_uri
from gemini_sft.data.example import turn
from gemini_sft.inference.journal import sweep
from gemini_sft.steps.absent import why_absent
from gemini_sft.steps.evaluate_model import evaluate_model
from gemini_sft.steps.places import ANSWERS, beside
from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

MODEL = "gemini-2.5-flash"
COUNT = 30


@pytest.fixture
def files(server: Server) -> Iterator[dict[str, Any]]:
    """An experiment in a bucket of its own, and where the step writes."""
    from google.cloud.storage import Client

    bucket = f"evaluation-{secrets.token_hex(8)}"
    with_bucket = Client(project=PROJECT)
    with_bucket.create_bucket(bucket)
    root = f"gs://{bucket}"
    experiment = {
        "name": "demo",
        "task": "summarization",
        "base_model": MODEL,
        "data": {"train": f"{root}/t.jsonl", "test": f"{root}/t.jsonl"},
    }
    storage.write_json(f"{root}/staging/demo/abc/experiment.yaml", experiment)
    for split, what in (("train", "Oil"), ("test", "Water")):
        records = [
            {"contents": [turn("user", f"{what} boils at {n} degrees. It is hot."), turn("model", f"It boils at {n}.")]}
            for n in range(COUNT)
        ]
        storage.write_jsonl(examples_uri(f"{root}/{split}"), records)
        sources = ({"id": f"e{n}", "source": "f", "line": n} for n in range(COUNT))
        storage.write_jsonl(sources_uri(f"{root}/{split}"), sources)
        storage.write_json(prompt_uri(f"{root}/{split}"), {"fingerprint": "0" * 16})
    storage.write_json(f"{root}/models", {"base": {"id": MODEL}})
    names = ("models", "train", "test", "predictions", "evaluation", "traffic")
    yield {f"{name}_uri": f"{root}/{name}" for name in names} | {
        "experiment_uri": f"{root}/staging/demo/abc/experiment.yaml"
    }
    server.http.put("/emulator/faults", json=[])


def run(files: dict[str, Any], run_id: str = "one", arm: str = "base", endpoint: str = "") -> dict[str, float]:
    return evaluate_model(project=PROJECT, location=LOCATION, run_id=run_id, arm=arm, endpoint=endpoint, **files)


def journal(files: dict[str, Any]) -> list[str]:
    from google.cloud.storage import Client

    bucket, _, prefix = beside(files["experiment_uri"], ANSWERS).removeprefix("gs://").partition("/")
    return [blob.name for blob in Client(project=PROJECT).list_blobs(bucket, prefix=prefix)]


def test_all_is_answered_and_nothing_is_left_behind_when_the_run_has_ended(files: dict[str, Any]) -> None:
    metrics = run(files)
    assert (metrics["examples"], metrics["failures"], metrics["requests"]) == (COUNT, 0, COUNT)
    predictions = list(storage.read_jsonl(files["predictions_uri"]))
    assert [one["example_id"] for one in predictions] == [f"e{n}" for n in range(COUNT)]
    assert journal(files), "until the run has ended"
    sweep(beside(files["experiment_uri"], ANSWERS), "one")
    assert journal(files) == []


def test_a_second_attempt_asks_for_the_rest_and_comes_to_the_same(files: dict[str, Any], server: Server) -> None:
    run(files)
    whole = storage.read_bytes(files["predictions_uri"]), storage.read_bytes(files["evaluation_uri"])
    server.http.put("/emulator/faults", json=[{"path": "generateContent", "status": 400}])
    for run_id in ("one", "another, for the first did not come to its end"):
        metrics = run(files, run_id)
        assert (metrics["failures"], metrics["requests"]) == (0, COUNT), "of the first attempt"
        assert (storage.read_bytes(files["predictions_uri"]), storage.read_bytes(files["evaluation_uri"])) == whole


def test_with_examples_the_prompt_is_longer(files: dict[str, Any]) -> None:
    assert run(files, arm="few_shot") == {}, "it was not asked for"
    experiment = storage.read_json(files["experiment_uri"])
    storage.write_json(files["experiment_uri"], experiment | {"evaluation": {"few_shot": 3}})
    without, within = run(files), run(files, arm="few_shot")
    assert within["prompt_tokens"] > without["prompt_tokens"] + COUNT * 3 * 5


def test_a_champion_whose_endpoint_is_gone_ends_no_run_and_is_not_waited_for(files: dict[str, Any]) -> None:
    place = f"projects/{PROJECT}/locations/{LOCATION}"
    champion = {"id": MODEL, "model": f"{place}/models/3@2", "endpoint": f"{place}/endpoints/42"}
    storage.write_json(files["models_uri"], {"base": {"id": MODEL}, "champion": champion})
    assert run(files, arm="champion") == {} and journal(files) == []
    why = why_absent(storage.read_json(files["evaluation_uri"]))
    assert why and why.startswith(f"the evaluation of {place}/models/3@2, the champion, could not be had: ")
    assert "answered 404" in why
