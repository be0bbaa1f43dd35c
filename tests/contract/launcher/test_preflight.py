"""The look at Vertex AI before a run, at the emulator's Vertex AI, Cloud Storage and project."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from google.auth import compute_engine
from google.cloud.storage import Client

from gemini_sft.errors import BudgetError
from gemini_sft.experiment import Data, Experiment, Task
from gemini_sft.experiment.schema import Notification
from gemini_sft.experiment.tuning import Grid, Sweep
from launcher.buckets import ensure_bucket, find_bucket
from launcher.preflight import preflight as module
from launcher.preflight.findings import Findings
from launcher.preflight.permissions import SEES, STARTS
from launcher.preflight.preflight import preflight
from launcher.target import Target
from tests.contract.conftest import Server
from vertex_emulator.environment import PROJECT

IMAGE = "us-central1-docker.pkg.dev/p/r/image@sha256:" + "0" * 64
ROBOT = f"robot@{PROJECT}.iam.gserviceaccount.com"
TARGET = Target(PROJECT, "us-central1", "preflight-bucket", ROBOT)
CLOSED = "--uniform-bucket-level-access --public-access-prevention"

Look = Callable[..., Findings]


@pytest.fixture
def put(server: Server) -> Iterator[Any]:
    def control(path: str, document: Any) -> None:
        server.http.put(f"/emulator/{path}", json=document).raise_for_status()

    yield control
    control("project", {})
    control("tuning", {})
    control("faults", [])


@pytest.fixture
def look(server: Server, put: Any) -> Look:
    def call(
        target: Target = TARGET, image: str = IMAGE, quoting: Any = None, purpose: str = "run", **changes: Any
    ) -> Findings:
        asked: dict[str, Any] = {
            "name": "demo",
            "task": Task.CHAT,
            "base_model": "gemini-3.1-flash-lite",
            "data": Data(train="gs://b/train.jsonl"),
        }
        return preflight(Experiment(**asked | changes), target, image, quoting, purpose)

    return call


def told(found: Findings) -> list[str]:
    return [str(one) for one in found.problems]


def test_nothing_is_missing_and_nothing_is_made(look: Look) -> None:
    found = look()
    assert (told(found), found.remarks, found.error) == ([], [], None)
    assert find_bucket(TARGET) is None


@pytest.mark.parametrize(("purpose", "missing"), [("run", 1), ("retrain", 0), ("recheck", 0)])
def test_a_model_that_has_retired_stops_only_who_is_there_to_tune_it(look: Look, purpose: str, missing: int) -> None:
    found = look(base_model="gemini-2.0-flash", purpose=purpose)
    assert sum("gemini-2.0-flash was retired" in one for one in told(found)) == missing == len(found.problems)


def test_a_recheck_runs_where_nothing_can_be_tuned(look: Look) -> None:
    elsewhere = replace(TARGET, location="asia-east1")
    assert len(look(elsewhere).problems) == 1 and look(elsewhere, purpose="recheck").problems == []


def test_all_that_is_missing_is_in_one_list_with_the_command_for_each(look: Look, put: Any) -> None:
    Client(project=PROJECT).create_bucket("in-the-us-east", location="us-east1")
    needs = [one for need in STARTS for one in need.permissions]
    put(
        "project",
        {
            "disabled_apis": ["storage.googleapis.com", "secretmanager.googleapis.com", "bigquery.googleapis.com"],
            "denied_permissions": needs,
        },
    )
    found = look(
        replace(TARGET, bucket="in-the-us-east"),
        image="gemini-sft-python:0.1.0",
        quoting=lambda target: (None, BudgetError("the run would cost 9 USD")),
        data=Data(train="bq://p.d.t"),
        notification=Notification(webhook="projects/p/secrets/hook"),
    )
    role = "--member=user:YOUR_ADDRESS --role=roles/"
    commands = [
        f"make image IMAGE=us-central1-docker.pkg.dev/{PROJECT}/gemini-sft/gemini-sft-python",
        "gcloud services enable storage.googleapis.com secretmanager.googleapis.com bigquery.googleapis.com"
        f" --project={PROJECT}",
        f"gcloud projects add-iam-policy-binding {PROJECT} --condition=None {role}aiplatform.user",
        f"gcloud projects add-iam-policy-binding {PROJECT} --condition=None {role}storage.bucketViewer",
        f"gcloud storage buckets add-iam-policy-binding gs://in-the-us-east {role}storage.objectUser",
        f"gcloud storage buckets create gs://{PROJECT}-gemini-sft-us-central1 --project={PROJECT}"
        f" --location=us-central1 {CLOSED}",
        f"gcloud iam service-accounts add-iam-policy-binding {ROBOT} {role}iam.serviceAccountUser",
        "the run would cost 9 USD",
    ]
    said = told(found)
    assert len(said) == len(commands)
    for problem, command in zip(said, commands, strict=True):
        assert command in problem
    assert [one for one in needs if not any(one in problem for problem in said)] == []
    assert found.remarks == [
        "gs://in-the-us-east may be opened to the public, object by object or as a whole: close it with"
        f" `gcloud storage buckets update gs://in-the-us-east {CLOSED}`"
    ]
    assert str(found.error).splitlines() == said


def test_only_what_the_experiment_uses_must_be_enabled(look: Look, put: Any) -> None:
    put("project", {"disabled_apis": ["secretmanager.googleapis.com", "bigquery.googleapis.com"]})
    assert told(look(notification=Notification(webhook="env:HOOK"))) == []


def test_a_region_without_tuning_is_refused_and_the_rest_is_said_of_the_nearest(look: Look) -> None:
    ensure_bucket(replace(TARGET, bucket="in-europe", location="europe-west4"))
    for region, better in (("europe-west1", "europe-west4"), ("eu", "europe-west4"), ("global", "us-central1")):
        problem, *others = told(look(replace(TARGET, location=region, bucket="in-europe")))
        assert problem.startswith(
            f"region: gemini-3.1-flash-lite cannot be tuned in {region}: give --location {better}"
        )
        assert [one.startswith("gs://in-europe: is in europe-west4") for one in others] == (
            [] if better == "europe-west4" else [True]
        )


def test_what_the_model_does_not_allow_is_in_the_list_and_nothing_is_counted(look: Look) -> None:
    found = look(base_model="gemini-2.5-flash", quoting=lambda target: pytest.fail("counted"))
    assert any("demo: gemini-2.5-flash is in extended access only" in one for one in told(found))


def test_a_bucket_that_may_not_be_made_or_is_anothers(look: Look, put: Any) -> None:
    put("project", {"denied_permissions": ["storage.buckets.create"]})
    (problem,) = told(look())
    command = f"gcloud storage buckets create gs://preflight-bucket --project={PROJECT} --location=us-central1 {CLOSED}"
    assert problem == (
        f"gs://preflight-bucket: there is no such bucket, and you may not make it: ask somebody to: run `{command}`"
    )
    Client(project="another-project").create_bucket("of-another")
    (problem,) = told(look(replace(TARGET, bucket="of-another")))
    assert problem.startswith(f"gs://of-another: is another project's: give --bucket {PROJECT}-gemini-sft-us-central1")


def test_the_bucket_that_a_run_makes_is_closed_and_in_its_region(look: Look) -> None:
    target = replace(TARGET, bucket="made-by-a-run", location="europe-west4")
    ensure_bucket(target)
    ensure_bucket(target)
    bucket = find_bucket(target)
    assert bucket is not None and bucket.location == "EUROPE-WEST4"
    config = bucket.iam_configuration
    assert (config.uniform_bucket_level_access_enabled, config.public_access_prevention) == (True, "enforced")
    assert (told(look(target)), look(target).remarks) == ([], [])


def test_what_cannot_be_checked_is_said_and_keeps_nobody(look: Look, put: Any) -> None:
    services = ("serviceusage", "cloudresourcemanager", "iam")
    put("project", {"disabled_apis": [f"{one}.googleapis.com" for one in services]})
    found = look()
    assert told(found) == []
    assert len(found.remarks) == 5  # the bucket, which is missing, asks for a permission too
    for remark in found.remarks:
        assert " could not be checked: " in remark
        assert any(
            f"run `gcloud services enable {one}.googleapis.com --project={PROJECT}`" in remark for one in services
        )
    put("project", {"denied_permissions": list(SEES.permissions)})
    for remark in look().remarks:
        assert f"--role={SEES.role}`" in remark
    put("project", {})
    put("faults", [{"path": "services:batchGet", "body": "html", "status": 501}, {"path": "/b$", "status": 403}])
    first, second = look().remarks
    assert "serviceusage.googleapis.com answered 501 and no JSON" in first
    assert first.startswith("which APIs are enabled") and second.startswith("gs://preflight-bucket could not be")


def test_a_quota_project_that_is_missing_is_named_with_its_command(look: Look, put: Any) -> None:
    message = "The cloudresourcemanager.googleapis.com API requires a quota project, which is not set by default."
    put("faults", [{"path": "/v3/projects", "status": 403, "message": message}])
    assert any(
        remark.endswith(f"run `gcloud auth application-default set-quota-project {PROJECT}`")
        for remark in look().remarks
    )


def test_a_service_account_that_is_not_there_or_not_given(look: Look, put: Any) -> None:
    assert look(replace(TARGET, service_account=None)).remarks[0].startswith("the pipeline will run as the project's")
    put("faults", [{"path": "serviceAccounts", "status": 404}])
    (problem,) = told(look())
    assert problem == (
        f"service account: there is no {ROBOT}: run `gcloud iam service-accounts create robot --project={PROJECT}`"
    )


def test_without_credentials_there_is_one_thing_to_do(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "default_credentials", compute_engine.Credentials)
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", "127.0.0.1:1")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    found = look(image="none")
    assert [one.partition(":")[0] for one in told(found)] == ["image", "credentials"]
    assert "run `gcloud auth application-default login`" in told(found)[1]


def test_a_cost_that_vertex_ai_does_not_tell_is_no_mistake_of_the_users(look: Look, put: Any) -> None:
    put("faults", [{"path": "/models$", "status": 501}])
    found = look(base_model="champion")
    assert told(found) == [] and any(one.startswith("model and cost could not be checked") for one in found.remarks)
    put("faults", [])
    (problem,) = told(look(base_model="champion"))
    assert problem.startswith("demo: base_model is champion, but in us-central1 no model")


def test_a_job_that_would_only_wait_is_a_remark(look: Look, put: Any, server: Server) -> None:
    """The jobs of all regions count, and those that have ended do not."""
    sweep = {"sweep": Sweep(grid=Grid(epochs=[1, 2, 3]), concurrent_jobs=2)}
    assert look().remarks == []
    (remark,) = look(**sweep).remarks
    assert remark.startswith(
        f"1 tuning jobs may run at once in {PROJECT}, 0 are under way, and the run asks for 2 more"
    )
    put("tuning", {"concurrent_jobs": 0})
    assert look().remarks[0].startswith("0 tuning jobs may run at once")
    put("tuning", {"concurrent_jobs": 1, "fates": [{"seconds": {"QUEUED": "forever"}}]})
    place = f"/v1/projects/{PROJECT}/locations/europe-west4/tuningJobs"
    bucket = Client(project=PROJECT).create_bucket("of-the-queue")
    turns = [{"role": role, "parts": [{"text": role}]} for role in ("user", "model")]
    bucket.blob("t.jsonl").upload_from_string("\n".join([str({"contents": turns}).replace("'", '"')] * 12))
    body = {
        "baseModel": "gemini-2.5-flash",
        "supervisedTuningSpec": {"trainingDatasetUri": "gs://of-the-queue/t.jsonl"},
    }
    name = server.http.post(place, json=body).raise_for_status().json()["name"]
    (remark,) = look().remarks
    assert ", 1 are under way, and the run asks for 1 more" in remark and f"quotas?project={PROJECT}" in remark
    server.http.post(f"/v1/{name}:cancel", json={}).raise_for_status()
    while server.http.get(f"/v1/{name}").json()["state"] != "JOB_STATE_CANCELLED":
        time.sleep(0.05)
    assert look().remarks == []
