"""`evaluation.backend: batch`: the same predictions out of a batch job, and never two jobs for one intent."""

import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from google import genai
from google.genai import types

from gemini_sft import storage
from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.errors import ServiceError, UserError
from gemini_sft.experiment import Evaluation
from gemini_sft.inference import Answers, Journal, Outcome, Service, batch, predict, render
from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

MODEL = "gemini-2.5-flash"
COUNT = 12
_JOBS = f"/v1/projects/{PROJECT}/locations/{LOCATION}/batchPredictionJobs"


@pytest.fixture
def folder(server: Server) -> Iterator[str]:
    """A place for a journal, in a bucket of its own."""
    from google.cloud.storage import Client

    bucket = f"batch-{secrets.token_hex(8)}"
    Client(project=PROJECT).create_bucket(bucket)
    yield f"gs://{bucket}/answers/abc"
    server.http.put("/emulator/faults", json=[])


def ask(folder: str, backend: str = "batch", count: int = COUNT, **settings: Any) -> Answers:
    evaluation = Evaluation.model_validate({"backend": backend, "max_output_tokens": 40} | settings)
    records = [
        {"contents": [turn("user", f"Water boils at {n} degrees. It is hot. Summarize."), turn("model", "a")]}
        for n in range(count)
    ]
    calls = [render(Example(f"e{n}", record, "f", n, ("a",)), MODEL, evaluation) for n, record in enumerate(records)]
    return predict(Service(PROJECT, LOCATION, MODEL), calls, evaluation, Journal(folder, "run"))


def jobs(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.http.get(_JOBS, params={"pageSize": 100}).json().get("batchPredictionJobs", [])
    return found


def faults(server: Server, *rules: dict[str, Any]) -> None:
    assert server.http.put("/emulator/faults", json=rules).status_code == 200


def test_the_same_predictions_as_online(folder: str) -> None:
    from_batch, online = ask(folder), ask(f"{folder}-online", "online")
    assert from_batch.predictions == online.predictions
    assert [one.example_id for one in from_batch.predictions] == [f"e{n}" for n in range(COUNT)]
    assert from_batch.traffic.latency_median is None and from_batch.traffic.prompt_tokens > 0


def test_what_came_is_kept_and_only_the_rest_is_asked(server: Server, folder: str) -> None:
    before = len(jobs(server))
    faults(server, {"path": r"batchPredictionJobs/\d+:generateContent", "status": 400, "body_matches": "at 3 degrees"})
    first = ask(folder)
    assert [one.example_id for one in first.predictions if one.outcome is Outcome.ERROR] == ["e3"]
    assert first.predictions[3].error.startswith("the batch job answered: ")
    faults(server)
    second = ask(folder)
    assert second.traffic.kept == COUNT - 1
    assert {one.outcome for one in second.predictions} <= {Outcome.ANSWERED, Outcome.TRUNCATED}
    assert len(jobs(server)) == before + 2


def test_answers_of_every_kind_come_out_of_a_batch_too(server: Server, folder: str) -> None:
    kinds = ("no_candidates", "safety", "recitation", "max_tokens", "thinking", "malformed", "empty")
    rules = [
        {"path": "generateContent", "body_matches": f"at {n} degrees", "answer": kind} for n, kind in enumerate(kinds)
    ]
    faults(server, *rules)
    from_batch, online = ask(folder), ask(f"{folder}-online", "online")
    assert from_batch.predictions == online.predictions
    assert [one.outcome.value for one in online.predictions[: len(kinds)]] == [
        *("empty", "blocked", "blocked", "truncated", "empty", "malformed", "empty")
    ]
    assert from_batch.predictions[4].thought_tokens == 1024


def test_a_job_whose_making_was_never_answered_is_adopted(
    server: Server, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(jobs(server))
    faults(server, {"path": "batchPredictionJobs$", "method": "POST", "body": "cut"})
    with pytest.raises(ServiceError):
        ask(folder)
    assert len(jobs(server)) == before + 1
    faults(server)
    assert ask(folder).traffic.requests == COUNT
    assert len(jobs(server)) == before + 1, "nothing is paid for twice"


@pytest.mark.parametrize("call", ["_job", "_wait", "_read"])
def test_killed_after_every_call_it_makes_one_job(
    server: Server, folder: str, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    class Killed(BaseException):
        pass

    before = len(jobs(server))
    inner = getattr(batch, call)

    def die(*arguments: Any) -> None:
        inner(*arguments)
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(batch, call, die)
        ask(folder)
    assert {one.outcome for one in ask(folder).predictions} <= {Outcome.ANSWERED, Outcome.TRUNCATED}
    assert len(jobs(server)) == before + 1


def test_a_job_of_other_calls_is_not_adopted(server: Server, folder: str) -> None:
    before = len(jobs(server))
    faults(server, {"path": "batchPredictionJobs$", "method": "POST", "body": "cut"})
    with pytest.raises(ServiceError):
        ask(folder)
    faults(server)
    answers = ask(folder, count=COUNT - 1)
    assert len(answers.predictions) == COUNT - 1 and len(jobs(server)) == before + 2


def test_a_job_of_other_calls_that_still_runs_is_cancelled(
    server: Server, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {one["name"] for one in jobs(server)}

    def killed(*arguments: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(batch, "_wait", killed)
        ask(folder, count=6000)  # so many are not done while the next ones come, on a busy machine too
    ask(folder, count=COUNT)
    states = [one["state"] for one in jobs(server) if one["name"] not in before]
    assert sorted(states) == ["JOB_STATE_CANCELLED", "JOB_STATE_SUCCEEDED"]


def test_a_refused_job_is_the_users_to_mend(server: Server, folder: str) -> None:
    faults(server, {"path": "batchPredictionJobs$", "method": "POST", "status": 403, "message": "No permission."})
    with pytest.raises(UserError, match=r"^Vertex AI refused the batch job: 403 PERMISSION_DENIED: No permission\.$"):
        ask(folder)


def test_a_job_that_takes_too_long_is_cancelled_and_what_it_has_answered_is_kept(
    server: Server, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait, waits = batch._wait, iter([True])

    def until_some_are_answered(client: genai.Client, job: types.BatchJob, timeout_seconds: float) -> types.BatchJob:
        if not next(waits, False):
            return wait(client, job, timeout_seconds)
        while job.state != types.JobState.JOB_STATE_RUNNING:
            time.sleep(0.02)
            job = client.batches.get(name=job.name or "")
        time.sleep(1)
        return job

    monkeypatch.setattr(batch, "_wait", until_some_are_answered)
    before = {one["name"] for one in jobs(server)}
    with pytest.raises(ServiceError) as caught:
        ask(folder, timeout_minutes=0.005, count=6000)
    said = re.fullmatch(
        r"batch job \S+ ended as JOB_STATE_CANCELLED: not done within 0\.005 minutes \(evaluation\.timeout_minutes\);"
        r" ([0-9,]+) of 6,000 answers are kept",
        str(caught.value),
    )
    assert said, caught.value
    (state,) = [one["state"] for one in jobs(server) if one["name"] not in before]
    assert state == "JOB_STATE_CANCELLED"
    assert ask(folder, count=6000).traffic.kept == int(said[1].replace(",", "")) > 0


def test_a_cancelled_run_cancels_its_job(server: Server, folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {one["name"] for one in jobs(server)}

    def cancelled(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "_wait", cancelled)
    with pytest.raises(KeyboardInterrupt):
        ask(folder, count=600)
    (state,) = [one["state"] for one in jobs(server) if one["name"] not in before]
    assert state in ("JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED")


def test_a_job_that_is_being_made_when_the_run_is_cancelled_is_found(
    server: Server, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {one["name"] for one in jobs(server)}
    make = batch._job

    def cancelled(*arguments: Any) -> None:
        make(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "_job", cancelled)
    with pytest.raises(KeyboardInterrupt):
        ask(folder, count=600)
    (state,) = [one["state"] for one in jobs(server) if one["name"] not in before]
    assert state in ("JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED")


def test_broken_lines_of_the_output_are_errors_and_no_crash(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read = storage.read_bytes

    def broken(uri: str) -> bytes:
        content = read(uri)
        if not uri.endswith("predictions.jsonl"):
            return content
        first, _, third, *rest = content.splitlines()
        no_content = orjson.loads(third)
        no_content["response"]["candidates"] = [{"content": None}]
        return b"\n".join([first[:-9], b'{"request": {"labels": null}}', orjson.dumps(no_content), b"[]", *rest])

    monkeypatch.setattr(storage, "read_bytes", broken)
    answers = ask(folder)
    assert len(answers.predictions) == COUNT
    assert [one.outcome for one in answers.predictions].count(Outcome.ERROR) == 3


def test_asking_how_it_stands_may_fail(server: Server, folder: str) -> None:
    get = {"path": r"batchPredictionJobs/\d+$", "method": "GET"}
    faults(server, get | {"body": "html", "times": 1}, get | {"body": "cut", "times": 1})
    assert {one.outcome for one in ask(folder, count=200).predictions} <= {Outcome.ANSWERED, Outcome.TRUNCATED}


def test_an_endpoint_that_is_not_there_has_no_model(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "COLD_SECONDS", 0.0)
    endpoint = "projects/7/locations/us/endpoints/42"
    with pytest.raises(ServiceError):
        batch._model_of(Service(PROJECT, LOCATION, endpoint))
