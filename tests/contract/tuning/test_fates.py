"""What can befall a tuning job: slow stages, every kind of end, results with something missing."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from google import genai
from google.cloud.aiplatform_v1beta1.types import TuningJob
from google.genai import errors, types

from tests.contract.conftest import Server
from tests.contract.tuning.conftest import Upload, example, wait_for

pytestmark = pytest.mark.filterwarnings("ignore:The SDK's tuning implementation is experimental")

PENDING, RUNNING = ("JOB_STATE_PENDING", "TUNING_JOB_STATE_WAITING_FOR_QUOTA"), "JOB_STATE_RUNNING"
PROCESSING, CAPACITY, TUNING, POST_PROCESSING = (
    (RUNNING, f"TUNING_JOB_STATE_{stage}")
    for stage in ("PROCESSING_DATASET", "WAITING_FOR_CAPACITY", "TUNING", "POST_PROCESSING")
)
NEW_FIELDS = ("tuningJobState", "tuningJobMetadata")
"""Fields that google-genai knows and Google's protobuf type does not yet."""

Document = dict[str, Any]
Fates = Callable[..., httpx.Response]
Watch = Callable[..., list[Document]]


@pytest.fixture
def fates(server: Server) -> Iterator[Fates]:
    """Puts fates in force, and an end to them afterwards."""

    def put(*rules: Document, **control: Any) -> httpx.Response:
        return server.http.put("/emulator/tuning", json={"fates": list(rules), **control})

    yield put
    put()


@pytest.fixture
def watch(server: Server) -> Watch:
    """Returns every document that a job shows, until it has ended or `until` holds; all fit Google's type."""

    def watch(job: types.TuningJob, until: Callable[[Document], bool] = lambda document: False) -> list[Document]:
        seen: list[Document] = []
        deadline = time.monotonic() + 20
        while not seen or not ("endTime" in seen[-1] or until(seen[-1])):
            document = server.http.get(f"/v1beta1/{job.name}").json()
            assert time.monotonic() < deadline, document
            if not seen or document != seen[-1]:
                seen.append(document)
                known = {name: value for name, value in document.items() if name not in NEW_FIELDS}
                assert TuningJob.from_json(json.dumps(known)).state.name == document["state"]
                types.TuningJob.model_validate(document)
            time.sleep(0.005)
        return seen

    return watch


@pytest.fixture(scope="session")
def small(upload: Upload) -> str:
    """Two steps an epoch."""
    return upload("small.jsonl", [example(number) for number in range(16)])


def tune(client: genai.Client, uri: str, **config: Any) -> types.TuningJob:
    settings = types.CreateTuningJobConfig(**{"epoch_count": 2, **config})
    data = types.TuningDataset(gcs_uri=uri)
    job: types.TuningJob = client.tunings.tune(base_model="gemini-2.5-flash", training_dataset=data, config=settings)
    return job


def stages(documents: list[Document]) -> list[tuple[str, str | None]]:
    """Returns each pair of states that was seen, in order."""
    pairs = [(document["state"], document.get("tuningJobState")) for document in documents]
    return [pair for index, pair in enumerate(pairs) if index == 0 or pair != pairs[index - 1]]


def test_a_job_goes_slowly_through_every_state(client: genai.Client, fates: Fates, watch: Watch, small: str) -> None:
    slow = dict.fromkeys(["QUEUED", "WAITING_FOR_QUOTA", "PROCESSING_DATASET", "WAITING_FOR_CAPACITY"], 0.3)
    fates({"seconds": {**slow, "TUNING": 0.4, "UPDATING": 0.3, "PAUSED": 0.3, "POST_PROCESSING": 0.3}})
    before = time.monotonic()
    job = tune(client, small)
    assert job.state == types.JobState.JOB_STATE_QUEUED
    documents = watch(job)
    assert time.monotonic() - before >= 2.5
    tuning = TUNING[1]
    expected = [
        ("JOB_STATE_QUEUED", None),
        PENDING,
        PROCESSING,
        CAPACITY,
        TUNING,
        ("JOB_STATE_UPDATING", tuning),
        ("JOB_STATE_PAUSED", tuning),
        TUNING,
        POST_PROCESSING,
        ("JOB_STATE_SUCCEEDED", None),
    ]
    remaining = iter(expected)  # on a busy machine a state may come and go between two looks
    seen = stages(documents)
    assert all(pair in remaining for pair in seen) and len(seen) >= 7, seen
    for document in documents:
        stage = document.get("tuningJobState")
        assert ("startTime" in document) == (document["state"] not in ("JOB_STATE_QUEUED", "JOB_STATE_PENDING"))
        known = stage not in (None, PENDING[1], PROCESSING[1]) or "endTime" in document
        assert ("tuningDataStats" in document) == known
        assert ("experiment" in document) == (known and stage != CAPACITY[1])
    assert len(documents[-1]["tunedModel"]["checkpoints"]) == 2


def test_progress_advances_evenly(client: genai.Client, fates: Fates, watch: Watch, small: str) -> None:
    fates({"seconds": {"TUNING": 3}})
    began: float | None = None
    moments: dict[int, float] = {}
    job = tune(client, small, epoch_count=6)

    def note(document: Document) -> bool:
        nonlocal began
        if "tuningJobMetadata" in document:
            began = began or time.monotonic()
            metadata = document["tuningJobMetadata"]
            steps = int(metadata["completedStepCount"])
            assert int(metadata["completedEpochCount"]) in (steps // 2, (steps - 1) // 2)
            moments.setdefault(steps, time.monotonic() - began)
        return False

    documents = watch(job, note)
    assert documents[-1]["state"] == "JOB_STATE_SUCCEEDED"
    assert len(moments) >= 6 and list(moments) == sorted(moments)
    for steps, moment in moments.items():
        assert moment == pytest.approx(3 * steps / 12, abs=0.6)


def test_the_usual_way_is_as_it_was(server: Server, fates: Fates) -> None:
    assert server.http.get("/emulator/tuning").json() == {"concurrent_jobs": 1, "fates": []}
    fates({"seconds": {"TUNING": 1}, "times": 2}, concurrent_jobs=3)
    assert fates().json() == {"concurrent_jobs": 1, "fates": []}


def test_what_is_in_force_is_shown(client: genai.Client, server: Server, fates: Fates, small: str) -> None:
    end = {"at": "QUEUED", "state": "EXPIRED"}
    fates({"display_name": "^shown", "times": 2, "seconds": {"PAUSED": "forever"}, "end": end}, concurrent_jobs=2)
    tune(client, small, tuned_model_display_name="shown 1")
    (shown,) = server.http.get("/emulator/tuning").json()["fates"]
    assert shown["times"] == 1 and shown["display_name"] == "^shown"
    assert shown["seconds"] == {"PAUSED": "forever"}
    assert shown["end"] == {**end, "code": "", "message": ""}


@pytest.mark.parametrize(
    ("at", "has"),
    [
        ("QUEUED", set()),
        ("WAITING_FOR_QUOTA", set()),
        ("PROCESSING_DATASET", {"startTime"}),
        ("WAITING_FOR_CAPACITY", {"startTime", "tuningDataStats"}),
        ("TUNING", {"startTime", "tuningDataStats", "experiment", "tuningJobMetadata"}),
        ("POST_PROCESSING", {"startTime", "tuningDataStats", "experiment", "tuningJobMetadata"}),
    ],
)
def test_a_job_fails_at_a_stage(
    client: genai.Client, fates: Fates, watch: Watch, small: str, at: str, has: set[str]
) -> None:
    fates({"end": {"at": at, "code": "INVALID_ARGUMENT", "message": "Your data are at fault."}})
    job = watch(tune(client, small))[-1]
    assert job["state"] == "JOB_STATE_FAILED"
    assert job["error"] == {"code": 3, "message": "Your data are at fault."}
    optional = {"startTime", "tuningDataStats", "experiment", "tuningJobMetadata", "tunedModel", "tuningJobState"}
    assert optional & set(job) == has
    if at == "TUNING":
        assert job["tuningJobMetadata"] == {"completedEpochCount": "1", "completedStepCount": "3"}


@pytest.mark.parametrize(
    ("end", "error"),
    [
        ({"state": "FAILED"}, {"code": 13, "message": "Internal error encountered."}),
        ({"state": "CANCELLED"}, {"code": 1, "message": "The tuning job was cancelled."}),
        ({"state": "EXPIRED"}, None),
        ({"state": "EXPIRED", "code": "DEADLINE_EXCEEDED", "message": "Late."}, {"code": 4, "message": "Late."}),
    ],
)
def test_other_ends_are_ends(
    client: genai.Client, fates: Fates, watch: Watch, small: str, end: Document, error: Document | None
) -> None:
    fates({"end": {"at": "WAITING_FOR_CAPACITY", **end}})
    job = watch(tune(client, small))[-1]
    assert (job["state"], job.get("error")) == (f"JOB_STATE_{end['state']}", error)
    with pytest.raises(errors.ClientError) as refused:
        client.tunings.cancel(name=job["name"])
    assert (refused.value.code, refused.value.status) == (400, "FAILED_PRECONDITION")


@pytest.mark.parametrize(
    ("at", "epochs", "without", "checkpoints"),
    [
        ("POST_PROCESSING", 2, [], 2),
        ("POST_PROCESSING", 2, ["tuned_model"], 0),
        ("TUNING", 2, [], 1),
        ("TUNING", 1, [], 0),
        ("PROCESSING_DATASET", 1, [], 0),
    ],
)
def test_a_job_succeeds_in_part(
    client: genai.Client,
    fates: Fates,
    watch: Watch,
    small: str,
    at: str,
    epochs: int,
    without: list[str],
    checkpoints: int,
) -> None:
    end = {"at": at, "state": "PARTIALLY_SUCCEEDED", "code": "UNAVAILABLE", "message": "Some are missing."}
    fates({"end": end, "without": without})
    job = watch(tune(client, small, epoch_count=epochs))[-1]
    assert job["state"] == "JOB_STATE_PARTIALLY_SUCCEEDED"
    assert job["error"] == {"code": 14, "message": "Some are missing."}
    assert len(job.get("tunedModel", {}).get("checkpoints", [])) == checkpoints
    assert ("tunedModel" in job) == bool(checkpoints)
    if checkpoints:
        answer = client.models.generate_content(model=job["tunedModel"]["endpoint"], contents="Order AA-1 is late.")
        assert answer.text
    with pytest.raises(errors.ClientError) as refused:
        client.tunings.cancel(name=job["name"])
    assert refused.value.status == "FAILED_PRECONDITION"


@pytest.mark.parametrize("absent", ["endpoint", "checkpoints", "experiment", "tuned_model"])
def test_a_success_with_something_missing(
    client: genai.Client, fates: Fates, watch: Watch, small: str, absent: str
) -> None:
    fates({"without": [absent]})
    documents = watch(tune(client, small, epoch_count=1))
    job = documents[-1]
    assert job["state"] == "JOB_STATE_SUCCEEDED" and "error" not in job
    shown = set() if absent == "tuned_model" else {"model", "endpoint", "checkpoints"} - {absent}
    assert set(job.get("tunedModel", {})) == shown
    assert any("experiment" in document for document in documents) == (absent != "experiment")


def test_dropped_examples_that_the_job_claims(client: genai.Client, fates: Fates, watch: Watch, small: str) -> None:
    dropped = {"count": 9, "indices": [2, 16], "reasons": ["too many tokens", "invalid image"]}
    fates({"dropped": dropped})
    job = types.TuningJob.model_validate(watch(tune(client, small, epoch_count=1))[-1])
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    stats = job.tuning_data_stats and job.tuning_data_stats.supervised_tuning_data_stats
    assert stats and stats.tuning_dataset_example_count == 16
    assert (stats.total_truncated_example_count, stats.truncated_example_indices) == (9, [2, 16])
    assert stats.dropped_example_reasons == ["too many tokens", "invalid image"]


@pytest.mark.parametrize(
    ("stay", "state"),
    [
        ("QUEUED", ("JOB_STATE_QUEUED", None)),
        ("WAITING_FOR_QUOTA", PENDING),
        ("PROCESSING_DATASET", PROCESSING),
        ("WAITING_FOR_CAPACITY", CAPACITY),
        ("TUNING", TUNING),
        ("UPDATING", ("JOB_STATE_UPDATING", TUNING[1])),
        ("PAUSED", ("JOB_STATE_PAUSED", TUNING[1])),
        ("POST_PROCESSING", POST_PROCESSING),
    ],
)
def test_a_job_that_never_ends_can_be_cancelled(
    client: genai.Client, fates: Fates, watch: Watch, small: str, stay: str, state: tuple[str, str | None]
) -> None:
    fates({"seconds": {stay: "forever"}})
    job = tune(client, small)
    seen = watch(job, lambda document: (document["state"], document.get("tuningJobState")) == state)
    if stay == "TUNING":
        seen = watch(job, lambda document: document["tuningJobMetadata"]["completedStepCount"] == "3")
    time.sleep(0.1)
    assert watch(job, lambda document: True) == seen[-1:]
    client.tunings.cancel(name=str(job.name))
    assert watch(job)[-1]["state"] == "JOB_STATE_CANCELLED"
    fates()
    watch(tune(client, "gs://tuning-data/none.jsonl"))  # the slot is free


def test_a_cancellation_takes_its_time(client: genai.Client, fates: Fates, watch: Watch, small: str) -> None:
    fates({"seconds": {"PAUSED": "forever", "CANCELLING": 0.5}})
    job = tune(client, small)
    watch(job, lambda document: document["state"] == "JOB_STATE_PAUSED")
    before = time.monotonic()
    client.tunings.cancel(name=str(job.name))
    time.sleep(0.2)
    client.tunings.cancel(name=str(job.name))  # asked twice, it takes no less
    seen = watch(job)
    assert time.monotonic() - before >= 0.5
    assert [document["state"] for document in seen] == ["JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED"]
    assert seen[-1]["error"] == {"code": 1, "message": "The tuning job was cancelled by the user."}


def test_the_first_fate_that_takes_a_job_counts(client: genai.Client, fates: Fates, watch: Watch, small: str) -> None:
    def end(message: str) -> Document:
        return {"end": {"at": "QUEUED", "message": message}}

    fates(
        {"labels": {"team": "red", "half": "1"}, **end("labels")},
        {"display_name": "^slow-", "times": 1, **end("name")},
        {"times": 2, **end("times")},
    )

    def befell(name: str, **labels: str) -> str | None:
        job = watch(tune(client, small, epoch_count=1, tuned_model_display_name=name, labels=labels))[-1]
        return str(job["error"]["message"]) if "error" in job else None

    assert befell("slow-1", team="red", half="1", more="x") == "labels"
    assert befell("not slow-1", team="red") == "times"
    assert [befell("slow-1") for _ in range(3)] == ["name", "times", None]


def test_quota_can_be_given_and_taken_while_jobs_wait(
    client: genai.Client, fates: Fates, watch: Watch, small: str
) -> None:
    hold = {"seconds": {"PAUSED": "forever"}}
    fates(hold, concurrent_jobs=0)
    made = [tune(client, small) for _ in range(3)]
    for job in made:
        assert stages(watch(job, lambda document: "tuningJobState" in document))[-1] == PENDING
    fates(hold, concurrent_jobs=2)
    for job in made[:2]:
        wait_for(client, job, lambda found: found.state == types.JobState.JOB_STATE_PAUSED)
    assert client.tunings.get(name=str(made[2].name)).state == types.JobState.JOB_STATE_PENDING
    fates(hold, concurrent_jobs=1)
    client.tunings.cancel(name=str(made[0].name))
    assert watch(made[0])[-1]["state"] == "JOB_STATE_CANCELLED"
    time.sleep(0.1)
    assert client.tunings.get(name=str(made[2].name)).state == types.JobState.JOB_STATE_PENDING
    client.tunings.cancel(name=str(made[1].name))
    wait_for(client, made[2], lambda found: found.state == types.JobState.JOB_STATE_PAUSED)
    client.tunings.cancel(name=str(made[2].name))
    watch(made[2])


@pytest.mark.parametrize(
    ("control", "named"),
    [
        ([], "object"),
        ({"concurent_jobs": 1}, "concurent_jobs"),
        ({"concurrent_jobs": -1}, "$.concurrent_jobs"),
        ({"concurrent_jobs": "2"}, "$.concurrent_jobs"),
        ({"fates": [{}]}, "fates[0]"),
        ({"fates": [{"times": 1}, {"labels": {"a": "b"}}]}, "fates[0]"),
        ({"fates": [{"seconds": {"TRAINING": 1}}]}, "TRAINING"),
        ({"fates": [{"seconds": {"TUNING": -1}}]}, "$.fates[0].seconds"),
        ({"fates": [{"seconds": {"TUNING": "never"}}]}, "never"),
        ({"fates": [{"without": ["model"]}]}, "model"),
        ({"fates": [{"end": {"state": "FAILED"}}]}, "`at`"),
        ({"fates": [{"end": {"at": "PAUSED"}}]}, "PAUSED"),
        ({"fates": [{"end": {"at": "TUNING", "state": "SUCCEEDED"}}]}, "SUCCEEDED"),
        ({"fates": [{"end": {"at": "TUNING", "code": "OOPS"}}]}, "OOPS"),
        ({"fates": [{"end": {"at": "TUNING", "state": "EXPIRED", "message": "x"}}]}, "message"),
        ({"fates": [{"display_name": "(", "without": ["endpoint"]}]}, "display_name"),
        ({"fates": [{"times": -1, "without": ["endpoint"]}]}, "$.fates[0].times"),
        ({"fates": [{"dropped": {"count": 0}}]}, "count"),
        ({"fates": [{"dropped": {"count": 1, "indices": [0]}}]}, "indices"),
        ({"fates": [{"dropped": {"count": 1, "indices": [1, 2]}}]}, "indices"),
        ({"fates": [{"dropped": {"count": 2, "indices": [1, 2], "reasons": ["x"]}}]}, "reasons"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(server: Server, fates: Fates, control: Any, named: str) -> None:
    fates({"without": ["endpoint"]}, concurrent_jobs=4)
    before = server.http.get("/emulator/tuning").json()
    refusal = server.http.put("/emulator/tuning", json=control)
    assert refusal.status_code == 400
    assert refusal.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert named in refusal.json()["error"]["message"], refusal.text
    assert server.http.get("/emulator/tuning").json() == before
    assert server.http.put("/emulator/tuning", content="{").status_code == 400
