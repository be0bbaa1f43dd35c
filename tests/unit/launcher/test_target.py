import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gemini_sft.errors import UserError
from launcher.gcloud import gcloud_defaults
from launcher.place import Request, Where
from launcher.target import Target, choose_target, nearest

VARIABLES = ("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GEMINI_SFT_BUCKET", "GEMINI_SFT_SERVICE_ACCOUNT")
ROBOT = "robot@p.iam.gserviceaccount.com"
Gcloud = Callable[..., Path]


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    gcloud_defaults.cache_clear()


@pytest.fixture
def gcloud(tmp_path: Path) -> Gcloud:
    """Makes a gcloud that does what it is told, and leaves a line in a file each time."""

    def make(script: str) -> Path:
        calls, program = tmp_path / "calls", tmp_path / "gcloud"
        program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n{script}\n')
        program.chmod(0o755)
        return calls

    return make


def says(**sections: dict[str, str]) -> str:
    return f"echo '{json.dumps(sections)}'"


def test_what_is_left_out_follows_from_the_project() -> None:
    target = choose_target("my-project", None, None)
    assert target == Target("my-project", "us-central1", "my-project-gemini-sft", None)
    assert target.pipeline_root == "gs://my-project-gemini-sft/pipelines"


def test_the_environment_is_asked_and_the_command_line_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(VARIABLES, ("of-the-shell", "europe-west4", "gs://shelf", ROBOT), strict=True):
        monkeypatch.setenv(name, value)
    found = choose_target(None, None, None)
    assert found == Target("of-the-shell", "europe-west4", "shelf", ROBOT)
    assert found.words == (
        "project of-the-shell (GOOGLE_CLOUD_PROJECT), region europe-west4 (GOOGLE_CLOUD_LOCATION),"
        f" bucket gs://shelf (GEMINI_SFT_BUCKET), service account {ROBOT} (GEMINI_SFT_SERVICE_ACCOUNT)"
    )
    other = ROBOT.replace("robot", "other")
    chosen = choose_target("p", "us-central1", "bucket", other, ask_gcloud=True)
    assert chosen == Target("p", "us-central1", "bucket", other)
    assert chosen.words == (
        "project p (--project), region us-central1 (--location), bucket gs://bucket (--bucket),"
        f" service account {other} (--service-account)"
    )


def test_gcloud_is_asked_once_for_what_is_missing(gcloud: Gcloud) -> None:
    calls = gcloud(says(core={"project": "of-gcloud"}, ai={"region": "europe-west4"}, compute={"region": "us-east1"}))
    found = choose_target(None, None, None, ask_gcloud=True)
    assert found == Target("of-gcloud", "europe-west4", "of-gcloud-gemini-sft")
    assert found.words == (
        "project of-gcloud (gcloud core/project), region europe-west4 (gcloud ai/region),"
        " bucket gs://of-gcloud-gemini-sft (named after the project), the project's default service account"
    )
    assert choose_target("p", None, None, ask_gcloud=True).location == "europe-west4"
    assert calls.read_text() == "config list --format=json\n"


def test_gcloud_is_not_asked_for_nothing(gcloud: Gcloud) -> None:
    calls = gcloud(says(core={"project": "of-gcloud"}))
    choose_target("p", "us-central1", None, ask_gcloud=True)
    choose_target("p", None, None)
    assert not calls.exists()


@pytest.mark.parametrize(
    ("region", "chosen", "why"),
    [
        ("us-central1", "us-central1", ""),
        ("europe-west1", "europe-west4", "stay on that continent"),
        ("europe-north1", "europe-west4", "stay on that continent"),
        ("us-east5", "us-central1", "stay on that continent"),
        ("northamerica-northeast1", "us-central1", "stay on that continent"),
        ("asia-northeast1", "us-central1", "go there"),
        ("global", "us-central1", "go there"),
        ("eu", "europe-west4", "stay on that continent"),
    ],
)
def test_a_region_of_gclouds_that_cannot_tune_gives_way_to_the_nearest(
    gcloud: Gcloud, region: str, chosen: str, why: str
) -> None:
    gcloud(says(core={"project": "p"}, compute={"region": region}))
    found = choose_target(None, None, None, ask_gcloud=True)
    assert found.location == chosen
    said = f"gcloud compute/region), where the model cannot be tuned: data and model {why}" if why else ""
    assert said in found.words and bool(why) == ("cannot be tuned" in found.words)


def test_a_region_that_was_asked_for_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a model can be tuned there is for the preflight to say."""
    assert choose_target("p", "asia-east1", None).location == "asia-east1"
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "us")
    assert choose_target("p", None, None, ask_gcloud=True).location == "us"


def test_regions_are_those_of_the_model(gcloud: Gcloud, tmp_path: Path) -> None:
    gcloud(says(core={"project": "p"}, ai={"region": "europe-west1"}))
    file = tmp_path / "x.yaml"
    text = "name: demo\ntask: chat\nbase_model: {}\ndata: {{train: t.jsonl}}\n"
    places = {
        "gemini-2.5-flash": "europe-west4",
        "champion": "europe-west4",
        "projects/p/locations/us-central1/models/7@1": "us-central1",
    }
    for model, region in places.items():
        file.write_text(text.format(model))
        assert Request(file, on=Where.VERTEX).target().location == region


@pytest.mark.parametrize(
    "script", ["exit 1", "echo no json", "echo '[]'", "echo '{\"core\": null}'", says(core={"project": ""}), None]
)
def test_no_project_at_all_whatever_gcloud_does(gcloud: Gcloud, script: str | None) -> None:
    if script:
        gcloud(script)
    with pytest.raises(UserError) as caught:
        choose_target(None, "us-central1", "bucket", ask_gcloud=True)
    assert str(caught.value) == (
        "no Google Cloud project: give --project or set GOOGLE_CLOUD_PROJECT, or run"
        " `gcloud config set project PROJECT`"
    )


def test_a_slow_gcloud_is_not_waited_for(gcloud: Gcloud, monkeypatch: pytest.MonkeyPatch) -> None:
    gcloud("exec /bin/sleep 20")
    monkeypatch.setattr("launcher.gcloud._SECONDS", 0.2)
    assert choose_target("p", None, None, ask_gcloud=True).location == "us-central1"


def test_the_nearest_region() -> None:
    assert nearest("asia-east1", ("europe-west4", "us-central1")) == "europe-west4"
    assert nearest("us", ("europe-west4", "us-central1")) == "us-central1"


@pytest.mark.parametrize(("given", "bucket"), [("gs://b.c_d-1/", "b.c_d-1"), ("gs://abc", "abc"), ("a" * 63, "a" * 63)])
def test_a_bucket_in_either_spelling(given: str, bucket: str) -> None:
    assert choose_target("p", None, given).bucket == bucket


@pytest.mark.parametrize("bucket", ["ab", "-abc", "abc-", "ABC", "a/b/c", "a b", "ä-bucket", "a" * 64])
def test_a_bucket_that_cannot_be(bucket: str) -> None:
    with pytest.raises(UserError) as caught:
        choose_target("p", None, bucket)
    assert str(caught.value) == f"--bucket {bucket}: not a name that a Cloud Storage bucket can have"


def test_a_service_account_that_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_SFT_SERVICE_ACCOUNT", "robot")
    with pytest.raises(UserError) as caught:
        choose_target("p", None, None)
    assert str(caught.value) == (
        "GEMINI_SFT_SERVICE_ACCOUNT robot: not the e-mail address of a service account, such as"
        " NAME@p.iam.gserviceaccount.com"
    )
