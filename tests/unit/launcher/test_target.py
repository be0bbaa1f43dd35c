import pytest

from gemini_sft.errors import UserError
from launcher.target import Target, choose_target


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    monkeypatch.delenv("GOOGLE_CLOUD_LOCATION", raising=False)


def test_what_is_left_out_follows_from_the_project() -> None:
    target = choose_target("my-project", None, None)
    assert target == Target("my-project", "us-central1", "my-project-gemini-sft", None)
    assert target.pipeline_root == "gs://my-project-gemini-sft/pipelines"


def test_the_environment_is_asked_and_the_command_line_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "of-the-shell")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "europe-west4")
    assert choose_target(None, None, None) == Target("of-the-shell", "europe-west4", "of-the-shell-gemini-sft")
    chosen = choose_target("p", "us-central1", "bucket", "robot@p.iam.gserviceaccount.com")
    assert chosen == Target("p", "us-central1", "bucket", "robot@p.iam.gserviceaccount.com")


def test_no_project_at_all() -> None:
    with pytest.raises(UserError) as caught:
        choose_target(None, "us-central1", "bucket")
    assert str(caught.value) == "no Google Cloud project: give --project or set GOOGLE_CLOUD_PROJECT"


@pytest.mark.parametrize(("given", "bucket"), [("gs://b.c_d-1/", "b.c_d-1"), ("gs://abc", "abc"), ("a" * 63, "a" * 63)])
def test_a_bucket_in_either_spelling(given: str, bucket: str) -> None:
    assert choose_target("p", None, given).bucket == bucket


@pytest.mark.parametrize("bucket", ["ab", "-abc", "abc-", "ABC", "a/b/c", "a b", "ä-bucket", "a" * 64])
def test_a_bucket_that_cannot_be(bucket: str) -> None:
    with pytest.raises(UserError) as caught:
        choose_target("p", None, bucket)
    assert str(caught.value) == f"--bucket {bucket}: not a name that a Cloud Storage bucket can have"
