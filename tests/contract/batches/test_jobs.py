"""The resource: requests that are refused, lists, cancelling, deleting, restarting, and tuned models."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from tests.contract.batches.conftest import BUCKET, MODEL, Upload, numbered, predictions, wait
from tests.contract.conftest import Server
from vertex_emulator.batches.jobs import BatchJobs
from vertex_emulator.batches.resource import BatchJob
from vertex_emulator.database import Database
from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.faults import Faults
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")

JOBS = f"/v1/projects/{PROJECT}/locations/{LOCATION}/batchPredictionJobs"
GOOD: dict[str, Any] = {
    "displayName": "demo",
    "model": f"publishers/google/models/{MODEL}",
    "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": ["gs://some-bucket/in.jsonl"]}},
    "outputConfig": {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": "gs://some-bucket/out"}},
}
LONG = 20_000


def changed(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in {**GOOD, **fields}.items() if value is not None}


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (changed(displayName=None), 400, "display_name"),
        (changed(labels={"Team": "a"}), 400, "labels"),
        (changed(modle="x"), 400, "batch_prediction_job"),
        (changed(model=None), 400, "batch_prediction_job.model"),
        (changed(model=MODEL), 400, "batch_prediction_job.model"),
        (changed(model=f"projects/{PROJECT}/locations/{LOCATION}/endpoints/8"), 400, "batch_prediction_job.model"),
        (changed(model=f"projects/{PROJECT}/locations/us/models/8"), 400, "batch_prediction_job.model"),
        (changed(inputConfig=None), 400, "input_config.instances_format"),
        (changed(inputConfig={"instancesFormat": "csv"}), 400, "input_config.instances_format"),
        (changed(inputConfig={"instancesFormat": "jsonl"}), 400, "gcs_source.uris"),
        (changed(inputConfig={"instancesFormat": "jsonl", "gcsSource": {"uris": ["/etc/passwd"]}}), 400, "uris"),
        (changed(outputConfig={"predictionsFormat": "jsonl"}), 400, "output_uri_prefix"),
        (changed(outputConfig=None), 400, "output_config.predictions_format"),
        (changed(dedicatedResources={"startingReplicaCount": 1}), 501, "dedicated_resources"),
    ],
)
def test_wrong_requests_are_refused_and_name_the_field(
    server: Server, body: dict[str, Any], code: int, field: str
) -> None:
    answer = server.http.post(JOBS, json=body)
    assert answer.status_code == code, answer.text
    violations = answer.json()["error"]["details"][0]["fieldViolations"]
    assert field in violations[0]["field"]


@pytest.mark.parametrize(
    "model", ["publishers/google/models/gemini-9", f"projects/{PROJECT}/locations/{LOCATION}/models/8"]
)
def test_models_that_are_not_there(server: Server, model: str) -> None:
    assert server.http.post(JOBS, json=changed(model=model)).status_code == 404


def test_a_full_name_and_both_versions_of_the_api(server: Server, client: genai.Client, upload: Upload) -> None:
    uri = upload("one.jsonl", numbered(1))
    full = f"projects/{PROJECT}/locations/{LOCATION}/publishers/google/models/{MODEL}"
    source = {"instancesFormat": "jsonl", "gcsSource": {"uris": [uri]}}
    target = {"predictions_format": "jsonl", "gcs_destination": {"output_uri_prefix": f"gs://{BUCKET}/v1/"}}
    made = server.http.post(JOBS, json=changed(model=full, inputConfig=source, outputConfig=target)).json()
    job = wait(client, client.batches.get(name=made["name"]))
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert job.output_info and job.output_info.gcs_output_directory
    assert job.output_info.gcs_output_directory.startswith(f"gs://{BUCKET}/v1/prediction-model-")


def test_jobs_are_listed_filtered_and_paged(client: genai.Client, server: Server, upload: Upload) -> None:
    uri = upload("one.jsonl", numbered(1))
    for number in range(5):
        source = {"instancesFormat": "jsonl", "gcsSource": {"uris": [uri]}}
        target = {"predictionsFormat": "jsonl", "gcsDestination": {"outputUriPrefix": f"gs://{BUCKET}/list"}}
        body = changed(
            displayName=f"listed-{number % 2}", labels={"n": str(number)}, inputConfig=source, outputConfig=target
        )
        wait(client, client.batches.get(name=server.http.post(JOBS, json=body).json()["name"]))

    def names(text: str) -> list[str | None]:
        config = types.ListBatchJobsConfig(page_size=2, filter=text)
        return [job.display_name for job in client.batches.list(config=config)]

    assert names('display_name="listed-0"') == ["listed-0"] * 3
    assert names('display_name:"listed*"') == ["listed-0", "listed-1", "listed-0", "listed-1", "listed-0"]
    assert names("labels.n=3") == ["listed-1"]
    assert names('display_name="listed-1" AND state="JOB_STATE_SUCCEEDED"') == ["listed-1"] * 2
    assert names('display_name="listed-1" AND state="JOB_STATE_FAILED"') == []
    with pytest.raises(errors.ClientError, match="field 'output_info' is not supported"):
        names("output_info=x")


def test_a_cancelled_job_keeps_what_it_has(server: Server, client: genai.Client, upload: Upload) -> None:
    source = upload("long.jsonl", numbered(LONG))
    for pause in (0.5, 2.0, 8.0):  # until it has something, on a busy machine too
        job = client.batches.create(model=MODEL, src=source, config={"dest": f"gs://{BUCKET}/long"})
        name = job.name or ""
        while job.state != types.JobState.JOB_STATE_RUNNING:
            job = client.batches.get(name=name)
        time.sleep(pause)
        with pytest.raises(errors.ClientError, match="cancel it before you delete it"):
            client.batches.delete(name=name)
        client.batches.cancel(name=name)
        job = wait(client, client.batches.get(name=name))
        if job.completion_stats:
            break
    assert job.state == types.JobState.JOB_STATE_CANCELLED
    assert job.error and job.error.code == 1
    assert job.completion_stats and job.completion_stats.successful_count and job.completion_stats.incomplete_count
    assert job.completion_stats.successful_count + job.completion_stats.incomplete_count == LONG
    assert len(predictions(server, job)) == job.completion_stats.successful_count
    with pytest.raises(errors.ClientError, match="cannot be cancelled"):
        client.batches.cancel(name=name)
    assert client.batches.delete(name=name).done
    with pytest.raises(errors.ClientError, match="not found"):
        client.batches.get(name=name)


def test_a_tuned_model_answers_by_its_name_with_and_without_version(
    server: Server, client: genai.Client, upload: Upload
) -> None:
    examples = [
        {
            "contents": [
                {"role": "user", "parts": [{"text": f"The {thing} {text}"}]},
                {"role": "model", "parts": [{"text": kind}]},
            ]
        }
        for thing in ("rake", "spade", "hose", "barrow", "saw", "bucket")
        for text, kind in (("came broken.", "complaint"), ("is lovely!", "praise"))
    ]
    data = types.TuningDataset(gcs_uri=upload("train.jsonl", examples))
    tuning = client.tunings.tune(base_model=MODEL, training_dataset=data)
    while not tuning.has_ended:
        time.sleep(0.05)
        tuning = client.tunings.get(name=tuning.name or "")
    assert tuning.tuned_model and tuning.tuned_model.model and tuning.tuned_model.endpoint
    contents = [{"role": "user", "parts": [{"text": "The kettle came broken."}]}]
    source = upload("tuned.jsonl", [{"request": {"contents": contents}}])
    online = client.models.generate_content(model=tuning.tuned_model.endpoint, contents="The kettle came broken.")
    for model in (tuning.tuned_model.model, tuning.tuned_model.model.partition("@")[0]):
        made = client.batches.create(model=model, src=source, config={"dest": f"gs://{BUCKET}/tuned"})
        (line,) = predictions(server, wait(client, made))
        answer = types.GenerateContentResponse.model_validate(line["response"])
        assert (answer.text, answer.model_version) == (online.text, online.model_version)
    with pytest.raises(errors.ClientError, match="not the endpoint"):
        client.batches.create(model=tuning.tuned_model.endpoint, src=source, config={"dest": f"gs://{BUCKET}/tuned"})


def test_unfinished_jobs_start_again_and_cancelled_ones_end(tmp_path: Path) -> None:
    location = "projects/123456789012/locations/us-central1"
    fields = {
        "model": f"publishers/google/models/{MODEL}",
        "inputConfig": {"gcsSource": {"uris": ["gs://bucket/in.jsonl"]}},
        "outputConfig": {"gcsDestination": {"outputUriPrefix": "gs://bucket/out"}},
    }

    def emulator(concurrent_jobs: int) -> tuple[Database, BatchJobs]:
        database = Database(tmp_path / "vertex.db")
        objects = ObjectStore(tmp_path / "storage", database)
        if not database.list("buckets"):
            objects.buckets.insert("123456789012", {"name": "bucket"})
        serving = Serving(database, tmp_path / "adapters")
        return database, BatchJobs(database, objects, serving, Faults(), concurrent_jobs=concurrent_jobs)

    async def first_life() -> list[str]:
        database, jobs = emulator(1)
        (tmp_path / "storage" / "bucket").mkdir()
        (tmp_path / "storage" / "bucket" / "in.jsonl").write_text("\n".join(map(json.dumps, numbered(300))))
        made = [jobs.create(location, fields) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert [job.state for job in made] == ["JOB_STATE_RUNNING", "JOB_STATE_QUEUED", "JOB_STATE_QUEUED"]
        await jobs.stop()
        # What a kill between the request to cancel and its fulfilment leaves:
        made[2].set(state="JOB_STATE_CANCELLING")
        database.close()
        return [job.name for job in made]

    async def second_life(names: list[str]) -> None:
        database, jobs = emulator(2)
        jobs.resume()
        found = [BatchJob(database, name) for name in names]
        deadline = time.monotonic() + 30
        while not all("endTime" in job.document for job in found):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        states = [job.state for job in found]
        assert states == ["JOB_STATE_SUCCEEDED", "JOB_STATE_SUCCEEDED", "JOB_STATE_CANCELLED"]
        assert found[0].document["completionStats"] == {"successfulCount": "300"}
        database.close()

    asyncio.run(second_life(asyncio.run(first_life())))
