"""Buckets."""

from typing import Any

import pytest
import requests
from google.api_core import exceptions

from vertex_emulator.names import project_number


def test_bucket_has_what_was_asked_for(client: Any) -> None:
    bucket = client.bucket("asked-for")
    bucket.storage_class = "NEARLINE"
    bucket.labels = {"team": "x"}
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    client.create_bucket(bucket, location="europe-west4")
    bucket = client.get_bucket("asked-for")
    assert bucket.location == "EUROPE-WEST4"
    assert bucket.location_type == "region"
    assert bucket.storage_class == "NEARLINE"
    assert bucket.labels == {"team": "x"}
    assert bucket.iam_configuration.uniform_bucket_level_access_enabled
    assert str(bucket.project_number) == project_number("test-project")
    assert bucket.metageneration == 1
    assert bucket.time_created is not None
    bucket.blob("x").upload_from_string("x")
    assert bucket.get_blob("x").storage_class == "NEARLINE"


def test_patch_and_update(client: Any, bucket: Any) -> None:
    bucket.labels = {"a": "1", "b": "2"}
    bucket.patch()
    bucket = client.get_bucket(bucket.name)
    assert (bucket.labels, bucket.metageneration) == ({"a": "1", "b": "2"}, 2)
    labels = bucket.labels
    del labels["a"]
    bucket.labels = labels
    bucket.patch(if_metageneration_match=2)
    assert client.get_bucket(bucket.name).labels == {"b": "2"}
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.patch(if_metageneration_match=2)
    bucket.update()
    assert client.get_bucket(bucket.name).metageneration == 4


def test_preconditions(client: Any, bucket: Any) -> None:
    with pytest.raises(exceptions.PreconditionFailed):
        client.get_bucket(bucket.name, if_metageneration_match=7)
    with pytest.raises(exceptions.NotModified):
        client.get_bucket(bucket.name, if_metageneration_not_match=1)
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.delete(if_metageneration_match=7)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "Upper",
        "under_",
        "-dash",
        "a..b",
        "a.-b",
        "1.2.3.4",
        "goog-x",
        "my-google-x",
        "my-g00gle",
        "a" * 64,
        "ä-ö",
    ],
)
def test_bad_bucket_name_is_400(server: Any, name: str) -> None:
    url = f"{server.url}/storage/v1/b"
    answer = requests.post(url, params={"project": "p"}, json={"name": name}, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]["errors"][0]["reason"] == "invalid"


@pytest.mark.parametrize("name", ["a.b.c", "under_score", "1-2", "a" * 63, f"{'a' * 63}.{'b' * 63}"])
def test_good_bucket_names(client: Any, name: str) -> None:
    client.create_bucket(name).delete()


def test_unsupported_features_are_501(server: Any) -> None:
    url = f"{server.url}/storage/v1/b?project=p"
    assert requests.post(url, json={"name": "abc", "versioning": {"enabled": True}}, timeout=5).status_code == 501
    assert requests.post(url, json={"name": "abc", "nonsense": 1}, timeout=5).status_code == 400
    assert requests.post(url, json={"name": "abc", "location": "not a place"}, timeout=5).status_code == 400
    assert requests.post(f"{server.url}/storage/v1/b", json={"name": "abc"}, timeout=5).status_code == 400
    assert requests.get(f"{server.url}/storage/v1/b/abc", timeout=5).status_code == 404
    assert requests.get(f"{server.url}/storage/v1/b/abc/notificationConfigs", timeout=5).status_code == 501


def test_same_name_twice_is_409(client: Any, bucket: Any) -> None:
    with pytest.raises(exceptions.Conflict):
        client.create_bucket(bucket.name)


def test_only_an_empty_bucket_is_deleted(server: Any, client: Any, bucket: Any) -> None:
    bucket.blob("a/b").upload_from_string("x")
    with pytest.raises(exceptions.Conflict):
        bucket.delete()
    bucket.blob("a/b").delete()
    bucket.delete()
    assert not bucket.exists()
    assert not (server.root / bucket.name).exists()
    with pytest.raises(exceptions.NotFound):
        bucket.delete()


def test_bucket_with_a_stray_file_that_is_no_object_stays(server: Any, bucket: Any) -> None:
    (server.root / bucket.name).mkdir(exist_ok=True)
    (server.root / bucket.name / "link").symlink_to("/tmp")
    with pytest.raises(exceptions.Conflict):
        bucket.delete()


def test_force_delete(bucket: Any) -> None:
    for number in range(5):
        bucket.blob(f"d/{number}").upload_from_string("x")
    bucket.delete(force=True)
    assert not bucket.exists()


def test_listing_is_by_project_and_paged(fresh_server: Any) -> None:
    client = fresh_server.client()
    for number in range(5):
        client.create_bucket(f"listed-{number}")
    client.create_bucket("elsewhere", project="another-project")
    assert [bucket.name for bucket in client.list_buckets()] == [f"listed-{number}" for number in range(5)]
    assert len(list(client.list_buckets(max_results=2))) == 2
    assert [len(list(page)) for page in client.list_buckets(page_size=2).pages] == [2, 2, 1]
    assert [bucket.name for bucket in client.list_buckets(prefix="listed-3")] == ["listed-3"]
    assert [bucket.name for bucket in client.list_buckets(project=project_number("another-project"))] == ["elsewhere"]


def test_iam_policy(client: Any, bucket: Any) -> None:
    policy = bucket.get_iam_policy(requested_policy_version=3)
    policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"allUsers"}})
    bucket.set_iam_policy(policy)
    kept = client.bucket(bucket.name).get_iam_policy()
    assert kept["roles/storage.objectViewer"] == {"allUsers"}
    assert kept.etag != policy.etag
    with pytest.raises(exceptions.PreconditionFailed):
        bucket.set_iam_policy(policy)
    assert bucket.test_iam_permissions(["storage.objects.get"]) == ["storage.objects.get"]
