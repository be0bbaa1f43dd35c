"""Which weights a name means: the default checkpoint, once it is changed, and versions by their aliases."""

import json
import time
from typing import Any

import pytest
from google import genai
from google.cloud import aiplatform
from google.genai import errors, types

from tests.contract.conftest import Server
from tests.contract.tuning.conftest import BUCKET, EXAMPLES, VALIDATION, Upload, wait

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")

REQUESTS = [{**example, "contents": example["contents"][:1]} for example in VALIDATION]


def tune(client: genai.Client, base_model: str, uri: str, **config: Any) -> types.TuningJob:
    data = types.TuningDataset(gcs_uri=uri)
    settings = types.CreateTuningJobConfig(**config)
    return wait(client, client.tunings.tune(base_model=base_model, training_dataset=data, config=settings))


def test_a_new_default_checkpoint_answers_batches_and_is_continued(
    client: genai.Client, server: Server, upload: Upload
) -> None:
    uri = upload("versions.jsonl", EXAMPLES[:24])
    first = tune(client, "gemini-2.5-flash", uri, epoch_count=10)
    assert first.tuned_model and first.tuned_model.model and first.tuned_model.checkpoints
    version = first.tuned_model.model
    model = version.partition("@")[0]
    source = upload("requests.jsonl", [{"request": request} for request in REQUESTS])

    def online(checkpoint: types.TunedModelCheckpoint) -> list[str]:
        path = f"/v1/{checkpoint.endpoint}:generateContent"
        return sorted(text_of(server.http.post(path, json=request).json()) for request in REQUESTS)

    def batch(name: str) -> list[str]:
        job = client.batches.create(model=name, src=source, config={"dest": f"gs://{BUCKET}/out"})
        while not job.done:
            time.sleep(0.02)
            job = client.batches.get(name=str(job.name))
        assert job.output_info and job.output_info.gcs_output_directory
        folder = server.data_dir / "storage" / job.output_info.gcs_output_directory.removeprefix("gs://")
        lines = (folder / "predictions.jsonl").read_text().splitlines()
        return sorted(text_of(json.loads(line)["response"]) for line in lines)

    early, late = online(first.tuned_model.checkpoints[0]), online(first.tuned_model.checkpoints[-1])
    assert early != late  # or else nothing here would tell one from the other
    assert batch(model) == batch(version) == late
    changed = client.models.update(model=version, config=types.UpdateModelConfig(default_checkpoint_id="1"))
    assert changed.default_checkpoint_id == "1"
    for name in (version, model):
        found = client.models.get(model=name)
        assert found.default_checkpoint_id == "1" and len(found.checkpoints or []) == 10
        assert batch(name) == early
    second = tune(client, version, uri, epoch_count=1)
    assert second.pre_tuned_model and second.pre_tuned_model.checkpoint_id == "1"
    named = tune(client, version, uri, epoch_count=1, pre_tuned_model_checkpoint_id="10")
    assert named.pre_tuned_model and named.pre_tuned_model.checkpoint_id == "10"
    assert [job.tuned_model and job.tuned_model.model for job in (second, named)] == [f"{model}@2", f"{model}@3"]
    # The endpoint of a job keeps the checkpoint that it was made for.
    assert online(first.tuned_model.checkpoints[-1]) == late


def test_a_version_is_continued_by_its_alias(client: genai.Client, training: str) -> None:
    first = tune(client, "gemini-2.5-flash", training, epoch_count=2)
    assert first.tuned_model and first.tuned_model.model
    model = first.tuned_model.model.partition("@")[0]
    second = tune(client, model, training, epoch_count=1)
    assert second.tuned_model and second.tuned_model.model == f"{model}@2"
    registry = aiplatform.Model(model).versioning_registry
    registry.add_version_aliases(["champion"], version="2")

    def continued(name: str, **config: Any) -> tuple[str | None, str | None]:
        source = tune(client, name, training, epoch_count=1, **config).pre_tuned_model
        assert source
        return source.tuned_model_name, source.checkpoint_id

    assert continued(f"{model}@champion") == (f"{model}@2", "1")
    assert continued(f"{model}@default") == continued(model) == (f"{model}@1", "2")
    registry.add_version_aliases(["champion", "default"], version="1")
    registry.add_version_aliases(["default"], version="2")
    assert continued(f"{model}@champion", pre_tuned_model_checkpoint_id="1") == (f"{model}@1", "1")
    assert continued(model) == (f"{model}@2", "1")
    for name in (f"{model}@nobody", f"{model}@99"):
        with pytest.raises(errors.ClientError) as refused:
            tune(client, name, training)
        assert refused.value.code == 404


def text_of(answer: dict[str, Any]) -> str:
    return "".join(part["text"] for part in answer["candidates"][0]["content"].get("parts", []))
