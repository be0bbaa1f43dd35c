"""One intent, one job: against the emulator, with every call lost, every step killed, and two at once."""

import dataclasses
import functools
import itertools
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import requests
from google.cloud import storage

from gemini_sft import vertex
from gemini_sft.errors import ServiceError, TuningError
from gemini_sft.experiment import Tuning
from gemini_sft.tuning import Base, TuningRecord, TuningRequest, claim, following, making, service, tune
from tests.contract.conftest import Server
from tests.contract.tuning.conftest import example
from vertex_emulator.environment import LOCATION, PROJECT

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")

BUCKET = "once-data"
EXAMPLES = [example(number) for number in range(12)]
_JOBS = f"/v1/projects/{PROJECT}/locations/{LOCATION}/tuningJobs"


class Killed(BaseException):
    """What a process that is killed never catches."""


@pytest.fixture(scope="module")
def bucket(server: Server) -> storage.Bucket:
    made = storage.Client(project=PROJECT).create_bucket(BUCKET)
    made.blob("train.jsonl").upload_from_string("\n".join(map(json.dumps, EXAMPLES)))
    return made


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes minutes takes tenths of a second."""
    for module, name, seconds in (
        (claim, "STALE_SECONDS", 1.5),
        (making, "_SETTLE_SECONDS", 0.5),
        (making, "_SHOW_SECONDS", 0.5),
        (making, "_LOOK_SECONDS", 0.05),
        (following, "_FIRST_POLL_SECONDS", 0.3),
        (following, "_LONGEST_POLL_SECONDS", 0.5),
        (service, "_FIRST_PAUSE_SECONDS", 0.05),
    ):
        monkeypatch.setattr(module, name, seconds)


@pytest.fixture
def wish(server: Server, bucket: storage.Bucket) -> Iterator[TuningRequest]:
    """A wish that nobody had before."""
    yield TuningRequest(
        project=PROJECT,
        location=LOCATION,
        base=Base(id="gemini-2.5-flash"),
        run_id="run-1",
        train_uri=f"gs://{BUCKET}/train.jsonl",
        validation_uri=None,
        train_digest=secrets.token_hex(8),
        validation_digest="",
        prompt="0123456789abcdef",
        examples=len(EXAMPLES),
        place=str,
        settings=Tuning(epochs=1),
        labels={},
        claims_uri=f"gs://{BUCKET}/claims",
        evaluation_uri=f"gs://{BUCKET}/evaluation",
    )
    server.http.put("/emulator/faults", json=[])
    server.http.put("/emulator/tuning", json={})


def of_run(wish: TuningRequest, run_id: str) -> TuningRequest:
    return dataclasses.replace(wish, run_id=run_id)


def jobs(server: Server, wish: TuningRequest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        server.http.get(_JOBS, params={"filter": f'labels.intent="{wish.intent}"'}).json().get("tuningJobs", [])
    )
    return found


def faults(server: Server, *rules: dict[str, Any]) -> None:
    assert server.http.put("/emulator/faults", json=rules).status_code == 200


def fates(server: Server, *rules: dict[str, Any], **more: Any) -> None:
    assert server.http.put("/emulator/tuning", json={"fates": rules, **more}).status_code == 200


def claims(bucket: storage.Bucket) -> list[str]:
    return [one.name for one in storage.Client(project=PROJECT).list_blobs(BUCKET, prefix="claims/")]


class Killer:
    """Kills this thread when its n-th request to a service was served, before it hears of it.

    Attributes:
        calls: How many requests there were.
    """

    def __init__(self, patch: pytest.MonkeyPatch, at: int) -> None:
        self.calls = 0
        self._thread, self._at = threading.current_thread(), at
        for kind in (httpx.Client, requests.Session):
            patch.setattr(kind, "send", self._counting(kind.send))

    def _counting(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        def send(client: Any, request: Any, **given: Any) -> Any:
            if threading.current_thread() is not self._thread or "computeMetadata" in str(request.url):
                return inner(client, request, **given)
            answer = inner(client, request, **given)
            self.calls += 1
            if self.calls == self._at:
                raise Killed
            return answer

        return send


def test_killed_between_every_two_calls_it_makes_one_job(server: Server, wish: TuningRequest) -> None:
    for at in itertools.count(1):
        fresh = dataclasses.replace(wish, train_digest=secrets.token_hex(8))
        with pytest.MonkeyPatch.context() as patch:
            killer = Killer(patch, at)
            try:
                tune(fresh)
            except Killed:
                assert killer.calls == at
            else:
                break  # it came to its end before
        record = tune(fresh)
        assert [one["name"] for one in jobs(server, fresh)] == [record.job], f"killed at call {at}"
    assert at > 8, "looking, claiming, looking, renewing, making, looking, giving back, following"


def test_a_second_run_takes_what_the_first_has_tuned(server: Server, wish: TuningRequest) -> None:
    first = tune(wish)
    second = tune(of_run(wish, "run-2"))
    assert not first.adopted and second.adopted
    assert (first.job, first.model) == (second.job, second.model) and len(jobs(server, wish)) == 1
    other = dataclasses.replace(wish, settings=Tuning(epochs=1, attempt=2))
    assert tune(other).job != first.job


def test_a_second_run_goes_on_with_the_job_of_one_that_was_killed(server: Server, wish: TuningRequest) -> None:
    fates(server, {"seconds": {"TUNING": 1}})
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        Killer(patch, 9)
        tune(wish)
    (job,) = jobs(server, wish)
    assert job["state"] in ("JOB_STATE_PENDING", "JOB_STATE_RUNNING")
    record = tune(of_run(wish, "run-2"))
    assert record.adopted and record.job == job["name"]


@pytest.mark.parametrize("run", ["run-1", "run-2"])
@pytest.mark.parametrize("what", ["models", "endpoints", "one checkpoint's endpoint"])
def test_what_was_deleted_is_tuned_anew(
    server: Server, wish: TuningRequest, what: str, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "COLD_SECONDS", 0.0)
    wish = dataclasses.replace(wish, settings=Tuning(epochs=2))
    first = tune(wish)
    endpoints = [one.endpoint for one in first.checkpoints]
    assert endpoints[-1] == first.endpoint
    for name in endpoints[:1] if what == "one checkpoint's endpoint" else endpoints:
        deployed = server.http.get(f"/v1/{name}").json()["deployedModels"][0]["id"]
        server.http.post(f"/v1/{name}:undeployModel", json={"deployedModelId": deployed}).raise_for_status()
        server.http.delete(f"/v1/{name}").raise_for_status()
    if what == "models":
        server.http.delete(f"/v1/{first.model.partition('@')[0]}").raise_for_status()
    second = tune(of_run(wish, run))
    assert not second.adopted and second.job != first.job


def test_two_triggers_at_once_share_one_job(server: Server, wish: TuningRequest) -> None:
    fates(server, {"seconds": {"TUNING": 0.5}})
    with ThreadPoolExecutor(6) as pool:
        records = list(pool.map(lambda n: tune(of_run(wish, f"run-{n}")), range(6)))
    assert len({one.job for one in records}) == 1 and len(jobs(server, wish)) == 1
    assert [one.adopted for one in records].count(False) == 1


@pytest.mark.parametrize(
    "rule",
    [
        {"body": "cut"},
        {"body": "truncated"},
        {"body": "html", "status": 502, "served": True},
        {"status": 500, "served": True},
        {"status": 503, "served": True},
        {"status": 401, "served": True},
    ],
    ids=str,
)
def test_a_job_that_was_made_without_our_hearing_of_it(
    server: Server, wish: TuningRequest, rule: dict[str, Any]
) -> None:
    faults(server, {"path": "tuningJobs$", "method": "POST", "times": 1, **rule})
    record = tune(wish)
    assert [one["name"] for one in jobs(server, wish)] == [record.job]


@pytest.mark.parametrize("served", [True, False])
def test_a_request_for_a_job_that_hangs(
    server: Server, wish: TuningRequest, monkeypatch: pytest.MonkeyPatch, served: bool
) -> None:
    monkeypatch.setattr(vertex, "genai_client", functools.partial(vertex.genai_client, timeout_seconds=0.7))
    faults(server, {"path": "tuningJobs$", "method": "POST", "times": 1, "hang": True, "served": served})
    record = tune(wish)
    assert [one["name"] for one in jobs(server, wish)] == [record.job]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_job_that_was_not_made_is_asked_for_again(server: Server, wish: TuningRequest, status: int) -> None:
    faults(server, {"path": "tuningJobs$", "method": "POST", "times": 2, "status": status})
    assert not tune(wish).adopted and len(jobs(server, wish)) == 1


def test_looking_for_jobs_survives_what_passes(server: Server, wish: TuningRequest) -> None:
    faults(server, {"path": "tuningJobs$", "method": "GET", "every": 2, "status": 503})
    tune(wish)
    assert len(jobs_after(server, wish)) == 1


def jobs_after(server: Server, wish: TuningRequest) -> list[dict[str, Any]]:
    faults(server)
    return jobs(server, wish)


def test_a_job_of_this_run_that_failed_is_told_of_again_and_not_made_again(server: Server, wish: TuningRequest) -> None:
    fates(server, {"times": 1, "end": {"at": "TUNING", "code": "INTERNAL", "message": "A machine was lost."}})
    for _ in range(2):  # the second is Kubeflow's retry
        with pytest.raises(TuningError, match="ended as FAILED: A machine was lost"):
            tune(wish)
    assert len(jobs(server, wish)) == 1
    assert not tune(of_run(wish, "run-2")).adopted, "another run is another try"
    assert len(jobs(server, wish)) == 2


def test_a_job_that_is_being_cancelled_is_not_adopted(server: Server, wish: TuningRequest) -> None:
    fates(server, {"times": 1, "seconds": {"TUNING": "forever", "CANCELLING": 1}})
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        Killer(patch, 9)
        tune(wish)
    (job,) = jobs(server, wish)
    server.http.post(f"/v1/{job['name']}:cancel", json={}).raise_for_status()
    record = tune(of_run(wish, "run-2"))
    assert not record.adopted and record.job != job["name"]


def test_no_token_is_left_behind(bucket: storage.Bucket, wish: TuningRequest) -> None:
    tune(wish)
    name = f"claims/{wish.intent}.json"
    assert name not in [one.name for one in bucket.client.list_blobs(BUCKET, prefix="claims/")]


def test_a_token_whose_holder_is_gone_is_taken_over_by_one(server: Server, wish: TuningRequest) -> None:
    left = claim.Claim(f"{wish.claims_uri}/{wish.intent}.json", "run-0")
    assert left.take()
    with ThreadPoolExecutor(4) as pool:
        records = list(pool.map(lambda n: tune(of_run(wish, f"run-{n}")), range(4)))
    assert len({one.job for one in records}) == 1 and len(jobs(server, wish)) == 1
    left.release()  # comes back late, and takes nobody's token away


def test_a_refused_job_leaves_no_token(server: Server, bucket: storage.Bucket, wish: TuningRequest) -> None:
    refused = dataclasses.replace(wish, train_uri="not a place")
    with pytest.raises(Exception, match="Vertex AI refused the tuning job: 400 INVALID_ARGUMENT"):
        tune(refused)
    assert not bucket.blob(f"claims/{wish.intent}.json").exists()


@pytest.mark.parametrize(
    "stage", ["QUEUED", "WAITING_FOR_QUOTA", "PROCESSING_DATASET", "WAITING_FOR_CAPACITY", "TUNING", "POST_PROCESSING"]
)
def test_cancelling_the_run_cancels_the_job_in_every_stage(server: Server, wish: TuningRequest, stage: str) -> None:
    fates(server, {"seconds": {stage: "forever"}})

    def interrupt(*given: Any) -> None:
        (job,) = jobs(server, wish)
        if stage in (
            job["state"].removeprefix("JOB_STATE_"),
            job.get("tuningJobState", "")[len("TUNING_JOB_STATE_") :],
        ):
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(following, "_tell", interrupt)
        tune(wish)
    (job,) = jobs(server, wish)
    assert job["state"] in ("JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED")


def test_a_job_that_never_ends_is_cancelled_at_its_deadline(server: Server, wish: TuningRequest) -> None:
    fates(server, {"seconds": {"TUNING": "forever"}})
    brief = dataclasses.replace(wish, settings=wish.settings.model_copy(update={"timeout_minutes": 0.02}))
    with pytest.raises(TuningError, match=r"was cancelled: not done after 0.02 minutes .*; at last it "):
        tune(brief)
    (job,) = jobs(server, brief)
    assert job["state"] in ("JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED")


def test_what_the_service_dropped_ends_the_job_before_it_trains(server: Server, wish: TuningRequest) -> None:
    dropped = {"count": 4, "indices": [3, 7], "reasons": ["too many tokens", "invalid image"]}
    fates(server, {"dropped": dropped, "seconds": {"WAITING_FOR_CAPACITY": "forever"}})
    with pytest.raises(TuningError, match="left out 4 of 12 training examples"):
        tune(wish)
    (job,) = jobs(server, wish)
    assert job["state"] in ("JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED")


@pytest.mark.parametrize("lacking", ["experiment", "checkpoints"])
def test_what_a_model_can_do_without(server: Server, wish: TuningRequest, lacking: str) -> None:
    fates(server, {"without": [lacking]})
    record: TuningRecord = tune(wish)
    assert not getattr(record, lacking) and record.endpoint


def test_an_endpoint_it_cannot_do_without(server: Server, wish: TuningRequest) -> None:
    fates(server, {"without": ["endpoint"]})
    with pytest.raises(TuningError, match="succeeded but names no endpoint"):
        tune(wish)


def test_without_a_service_nothing_is_claimed_for_ever(
    server: Server, wish: TuningRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults(server, {"path": "tuningJobs$", "method": "POST", "status": 503})
    with pytest.raises(ServiceError, match="did not make the tuning job"):
        tune(wish)
    faults(server)
    assert tune(of_run(wish, "run-2")).job


def test_why_a_job_was_given_up_is_told_by_the_next_attempt_too(server: Server, wish: TuningRequest) -> None:
    fates(server, {"seconds": {"TUNING": "forever"}})
    brief = dataclasses.replace(wish, settings=wish.settings.model_copy(update={"timeout_minutes": 0.02}))
    for _ in range(2):  # the second is Kubeflow's retry
        with pytest.raises(TuningError, match=r"was cancelled: not done after 0.02 minutes \(tuning.timeout_minutes\)"):
            tune(brief)
    assert len(jobs(server, brief)) == 1


def test_a_job_that_brought_no_endpoint_is_told_of_by_every_run(server: Server, wish: TuningRequest) -> None:
    fates(server, {"without": ["endpoint"]})
    for run in ("run-1", "run-2", "run-3"):
        with pytest.raises(TuningError, match=r"succeeded but names no endpoint: .* set tuning.attempt"):
            tune(of_run(wish, run))
    assert len(jobs(server, wish)) == 1, "another job would not mend it"


def test_an_endpoint_that_is_not_there_yet_is_not_taken_to_be_deleted(server: Server, wish: TuningRequest) -> None:
    first = tune(wish)
    faults(server, {"path": "/endpoints/", "method": "GET", "status": 404})
    assert tune(of_run(wish, "run-2")).job == first.job
