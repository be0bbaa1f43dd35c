"""Batch jobs through google-genai: what they leave, and what each line may hold."""

import json
import re
from typing import Any

import pytest
from google import genai
from google.genai import types

from tests.contract.batches.conftest import BUCKET, MODEL, Upload, numbered, predictions, request, wait
from tests.contract.conftest import Server

PREFIX = f"gs://{BUCKET}/out"


def run(client: genai.Client, source: Any, model: str = MODEL) -> types.BatchJob:
    return wait(client, client.batches.create(model=model, src=source, config={"dest": PREFIX}))


def test_every_request_is_answered_as_online_but_in_another_order(
    server: Server, client: genai.Client, upload: Upload
) -> None:
    created = client.batches.create(model=MODEL, src=upload("in.jsonl", numbered(30)), config={"dest": PREFIX})
    assert created.state == types.JobState.JOB_STATE_PENDING
    assert created.model == f"publishers/google/models/{MODEL}"
    job = wait(client, created)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert job.start_time and job.end_time and not job.error
    assert job.completion_stats and job.completion_stats.successful_count == 30
    assert not job.completion_stats.failed_count
    assert job.output_info and job.output_info.gcs_output_directory
    assert re.fullmatch(
        rf"{PREFIX}/prediction-model-\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z", job.output_info.gcs_output_directory
    )
    lines = predictions(server, job)
    ids = [int(line["request"]["labels"]["id"]) for line in lines]
    assert sorted(ids) == list(range(30)) != ids
    for line in lines:
        assert set(line) == {"status", "processed_time", "request", "response"}
        assert line["status"] == ""
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["processed_time"])
        answer = types.GenerateContentResponse.model_validate(line["response"])
        assert answer.text and f"AA-{1000 + int(line['request']['labels']['id'])}" in answer.text
    first = lines[0]["request"]["contents"][0]["parts"][0]["text"]
    assert client.models.generate_content(model=MODEL, contents=first).text == _text(lines[0])
    assert [line["request"] for line in predictions(server, run(client, upload("in.jsonl", numbered(30))))] == [
        line["request"] for line in lines
    ]


def _text(line: dict[str, Any]) -> str:
    return str(line["response"]["candidates"][0]["content"]["parts"][0]["text"])


def test_a_refused_request_has_a_status_and_no_response(server: Server, client: genai.Client, upload: Upload) -> None:
    wrong: list[dict[str, Any]] = [
        {"contents": []},
        request("Hello", temprature=1),
        {"contents": [*request("Hello")["contents"], {"role": "model", "parts": [{"text": "Hi"}]}]},
    ]
    source = upload("wrong.jsonl", [*numbered(2), *({"request": each} for each in wrong)])
    job = run(client, source)
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert job.completion_stats
    assert (job.completion_stats.successful_count, job.completion_stats.failed_count) == (2, 3)
    refused = [line for line in predictions(server, job) if line["status"]]
    assert len(refused) == 3
    for line in refused:
        assert line["response"] == {}
        assert line["request"] in wrong
        assert line["status"].startswith("Bad Request: {")
        error = json.loads(line["status"].removeprefix("Bad Request: "))["error"]
        assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")


def test_a_request_comes_back_as_from_a_table(server: Server, client: genai.Client, upload: Upload) -> None:
    image = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/a.png"}}
    given = {"generationConfig": {"temperature": 0}, **request("The kettle boils. What does it do?")}
    given["contents"][0]["parts"].append(image)
    job = run(client, upload("parts.jsonl", [{"url": "lost", "request": given}]))
    (line,) = predictions(server, job)
    text, file = line["request"]["contents"][0]["parts"]
    assert text == {"text": "The kettle boils. What does it do?", "fileData": None}
    assert file == {**image, "text": None}
    assert list(line["request"]) == ["contents", "generationConfig"]
    assert "url" not in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"request": {"contents": []}}\n\nnonsense', "line 3: invalid JSON"),
        ('{"contents": []}', 'line 1: expected an object with a "request"'),
        ('{"request": "Hello"}', 'line 1: expected an object with a "request"'),
        ("\n\n", "no instances"),
    ],
)
def test_a_line_that_is_no_request_fails_the_job(client: genai.Client, upload: Upload, content: str, said: str) -> None:
    job = run(client, upload("broken.jsonl", content))
    assert job.state == types.JobState.JOB_STATE_FAILED
    assert job.error and job.error.code == 3
    assert job.error.message and "Failed to import data" in job.error.message and said in job.error.message
    assert not job.output_info


def test_missing_input_and_output_fail_the_job(client: genai.Client, upload: Upload) -> None:
    job = run(client, f"gs://{BUCKET}/nothing.jsonl")
    assert job.state == types.JobState.JOB_STATE_FAILED and job.error and job.error.code == 5
    assert "nothing.jsonl" in str(job.error.message)
    source = upload("one.jsonl", numbered(1))
    created = client.batches.create(model=MODEL, src=source, config={"dest": "gs://no-such-bucket-here/out"})
    job = wait(client, created)
    assert job.error and job.error.code == 5 and "bucket" in str(job.error.message)


def test_several_inputs_and_paths_of_this_machine(server: Server, client: genai.Client, upload: Upload) -> None:
    upload("a.jsonl", numbered(2))
    upload("b.jsonl", numbered(3))
    folder = server.data_dir.resolve() / "storage" / BUCKET
    job = run(client, types.BatchJobSource(format="jsonl", gcs_uri=[str(folder / "a.jsonl"), f"gs://{BUCKET}/b.jsonl"]))
    assert len(predictions(server, job)) == 5
    source = types.BatchJobSource(format="jsonl", gcs_uri=[f"gs://{BUCKET}/a.jsonl"])
    destination = types.BatchJobDestination(format="jsonl", gcs_uri=str(folder / "local"))
    made = client.batches.create(model=MODEL, src=source, config={"dest": destination})
    done = wait(client, made)
    assert done.output_info and done.output_info.gcs_output_directory
    (found,) = (folder / "local").glob("prediction-model-*/predictions.jsonl")
    assert str(found.parent) == done.output_info.gcs_output_directory
    assert len(found.read_text().splitlines()) == 2


def test_faults_reach_lines_and_jobs(server: Server, client: genai.Client, upload: Upload) -> None:
    rules = [
        {"path": r"batchPredictionJobs/\d+:generateContent", "answer": "recitation", "every": 4},
        {"path": "generateContent", "body_matches": "AA-1001", "status": 503},
        {"path": "generateContent", "latency": 60},
        {"path": "generateContent", "quota": 0.01},
    ]
    source = upload("in.jsonl", numbered(8))
    try:
        server.http.put("/emulator/faults", json=rules)
        lines = predictions(server, run(client, source))
        server.http.put("/emulator/faults", json=[{"path": "batchPredictionJobs$", "status": 429, "method": "POST"}])
        with pytest.raises(genai.errors.ClientError) as failure:
            client.batches.create(model=MODEL, src=source, config={"dest": PREFIX})
        assert failure.value.code == 429
    finally:
        server.http.put("/emulator/faults", json=[])
    stopped = [
        line for line in lines if line["response"].get("candidates", [{}])[0].get("finishReason") == "RECITATION"
    ]
    assert 1 <= len(stopped) <= 2  # one of the two may be the line that is refused
    (refused,) = (line for line in lines if line["status"])
    assert refused["request"]["labels"]["id"] == "1"
    assert refused["status"].startswith("Service Unavailable: {")


def test_other_requests_are_served_while_a_job_runs(client: genai.Client, upload: Upload) -> None:
    job = client.batches.create(model=MODEL, src=upload("many.jsonl", numbered(1500)), config={"dest": PREFIX})
    answers = [client.models.generate_content(model=MODEL, contents="The kettle boils. What does it do?")]
    assert answers[0].text
    assert client.batches.get(name=job.name or "").state == types.JobState.JOB_STATE_RUNNING
    assert wait(client, job).state == types.JobState.JOB_STATE_SUCCEEDED


def test_only_vertex_has_bigquery(client: genai.Client) -> None:
    with pytest.raises(genai.errors.APIError) as failure:
        client.batches.create(model=MODEL, src="bq://project.dataset.table")
    assert failure.value.code == 501
