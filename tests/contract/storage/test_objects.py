"""Objects up and down, their metadata, and where they lie on disk."""

import base64
import hashlib
from typing import Any

import google_crc32c
import pytest
import requests
from google.api_core import exceptions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_simple_object_is_a_plain_file_with_true_checksums(server: Any, bucket: Any) -> None:
    blob = bucket.blob("data/train.jsonl")
    blob.upload_from_string(b'{"a": 1}\n', content_type="application/jsonl")
    assert (server.root / bucket.name / "data/train.jsonl").read_bytes() == b'{"a": 1}\n'
    blob = bucket.get_blob("data/train.jsonl")
    assert blob.size == 9
    assert blob.content_type == "application/jsonl"
    assert blob.md5_hash == base64.b64encode(hashlib.md5(b'{"a": 1}\n').digest()).decode()
    crc = google_crc32c.value(b'{"a": 1}\n').to_bytes(4, "big")
    assert blob.crc32c == base64.b64encode(crc).decode()
    assert blob.metageneration == 1
    assert blob.storage_class == "STANDARD"
    assert blob.media_link.startswith(server.url)
    assert blob.download_as_bytes(checksum="md5") == b'{"a": 1}\n'


def test_media_upload_without_the_sdk(server: Any, bucket: Any) -> None:
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o"
    answer = requests.post(url, params={"uploadType": "media", "name": "x"}, data=b"abc", timeout=5)
    assert answer.status_code == 200
    assert answer.json()["size"] == "3"
    assert bucket.blob("x").download_as_bytes() == b"abc"


@pytest.mark.parametrize(
    "query",
    [{"uploadType": "simple", "name": "x"}, {"name": "x"}, {"uploadType": "media"}, {"uploadType": "multipart"}],
)
def test_bad_upload_is_400(server: Any, bucket: Any, query: dict[str, str]) -> None:
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o"
    answer = requests.post(url, params=query, data=b"abc", timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]["errors"][0]["domain"] == "global"


def test_missing_bucket_and_object_are_404(client: Any, bucket: Any) -> None:
    for bad in (client.bucket("no-such-bucket").blob("x"), bucket.blob("x")):
        with pytest.raises(exceptions.NotFound):
            bad.download_as_bytes()
        with pytest.raises(exceptions.NotFound):
            bad.reload()
        with pytest.raises(exceptions.NotFound):
            bad.delete()
        assert not bad.exists()
    with pytest.raises(exceptions.NotFound):
        client.bucket("no-such-bucket").blob("x").upload_from_string("x")


def test_error_has_googles_shape(server: Any, bucket: Any) -> None:
    error = requests.get(f"{server.url}/storage/v1/b/{bucket.name}/o/nothing", timeout=5).json()["error"]
    message = f"No such object: {bucket.name}/nothing"
    assert error == {
        "code": 404,
        "message": message,
        "errors": [{"domain": "global", "reason": "notFound", "message": message}],
    }


def test_metadata_is_patched_and_updated(bucket: Any) -> None:
    blob = bucket.blob("x")
    blob.metadata = {"a": "1", "b": "2"}
    blob.cache_control = "no-store"
    blob.upload_from_string("x", content_type="text/plain")
    blob = bucket.get_blob("x")
    assert (blob.metadata, blob.cache_control, blob.content_type) == ({"a": "1", "b": "2"}, "no-store", "text/plain")
    generation = blob.generation
    blob.metadata = {"a": None, "c": "3"}
    blob.patch()
    blob = bucket.get_blob("x")
    assert blob.metadata == {"b": "2", "c": "3"}
    assert (blob.generation, blob.metageneration) == (generation, 2)
    blob.content_language = "de"
    blob.update()
    blob = bucket.get_blob("x")
    assert (blob.content_language, blob.metageneration, blob.cache_control) == ("de", 3, "no-store")


def test_field_that_objects_do_not_have_is_400_and_unsupported_is_501(server: Any, bucket: Any) -> None:
    bucket.blob("x").upload_from_string("x")
    url = f"{server.url}/storage/v1/b/{bucket.name}/o/x"
    assert requests.patch(url, json={"colour": "red"}, timeout=5).status_code == 400
    assert requests.patch(url, json={"temporaryHold": True}, timeout=5).status_code == 501
    assert requests.patch(url, json={"metadata": {"a": 1}}, timeout=5).status_code == 400
    assert requests.patch(url, json={"contentType": "a\r\nb: c"}, timeout=5).status_code == 400
    assert requests.patch(url, data=b"[1]", timeout=5).status_code == 400
    assert requests.get(f"{server.url}/storage/v1/b/{bucket.name}/o/x/acl", timeout=5).status_code == 501


def test_wrong_checksum_is_refused_and_nothing_is_kept(server: Any, bucket: Any) -> None:
    blob = bucket.blob("x")
    blob.md5_hash = base64.b64encode(b"0" * 16).decode()
    with pytest.raises(exceptions.BadRequest, match="MD5"):
        blob.upload_from_string("x", checksum=None)
    assert not bucket.blob("x").exists()
    assert server.left_over() == []


def test_head_has_the_headers_and_no_body(server: Any, bucket: Any) -> None:
    bucket.blob("x").upload_from_string(b"12345")
    url = f"{server.url}/download/storage/v1/b/{bucket.name}/o/x?alt=media"
    answer = requests.head(url, timeout=5)
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "5", b"")
    assert requests.head(f"{server.url}/storage/v1/b/{bucket.name}/o/x", timeout=5).status_code == 200
    assert requests.head(f"{server.url}/storage/v1/b/{bucket.name}/o/y", timeout=5).status_code == 404


WEIRD = [
    "n/child", "n", "a//b", "/a", "a/", "a/./b", "a/../b", "../../etc/passwd", "...", "a" * 300, f"d/{'ü' * 200}/x",
    "nul\0byte", ".emulator/x", ".emulator", "tab\there", "%2F", "a%2Fb", "a?b#c&d", "a+b c", "日本/語", "x/compose",
    "x/rewriteTo/b/y/o/z", "~", "\\", "\x7f", "😀", "a" * 1024, "*", "[a]",
]  # fmt: skip


def test_names_that_no_path_can_have(server: Any, bucket: Any) -> None:
    for name in WEIRD:
        bucket.blob(name).upload_from_string(name.encode())
    assert [blob.name for blob in bucket.list_blobs()] == sorted(WEIRD, key=str.encode)
    for name in WEIRD:
        assert bucket.blob(name).download_as_bytes() == name.encode()
        assert server.objects.uri_of(str(server.objects.path_of(f"gs://{bucket.name}/{name}"))) == (
            f"gs://{bucket.name}/{name}"
        )
    assert [path.name for path in server.data_dir.iterdir() if not path.name.startswith("emulator.sqlite")] == [
        "buckets"
    ]
    for name in WEIRD:
        bucket.blob(name).delete()
        assert not bucket.blob(name).exists()
    bucket.delete()
    assert not (server.root / bucket.name).exists()


@pytest.mark.parametrize("name", [".", "..", "a\nb", "a\rb", "a" * 1025, ".well-known/acme-challenge/x"])
def test_impossible_names_are_400(server: Any, bucket: Any, name: str) -> None:
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o"
    answer = requests.post(url, params={"uploadType": "media", "name": name}, data=b"x", timeout=5)
    assert answer.status_code == 400
    assert "Invalid object name" in answer.json()["error"]["message"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1, max_size=80).filter(
        lambda name: name not in (".", "..")
    ),
    content=st.binary(max_size=200),
)
def test_any_name_and_content_make_the_round_trip(bucket: Any, name: str, content: bytes) -> None:
    blob = bucket.blob(name)
    blob.upload_from_string(content)
    assert bucket.blob(name).download_as_bytes() == content
    assert name in [found.name for found in bucket.list_blobs(prefix=name)]
    blob.delete()
    assert not blob.exists()


def test_file_that_another_process_put_or_changed_is_an_object(server: Any, bucket: Any) -> None:
    path = server.root / bucket.name / "run/metrics.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}")
    (path.parent / "link").symlink_to(path)
    assert [blob.name for blob in bucket.list_blobs()] == ["run/metrics.json"]
    blob = bucket.get_blob("run/metrics.json")
    first = blob.generation
    assert (blob.content_type, blob.size) == ("application/json", 2)
    assert blob.md5_hash == base64.b64encode(hashlib.md5(b"{}").digest()).decode()
    assert bucket.get_blob("run/metrics.json").generation == first
    path.write_bytes(b'{"a": 1}')
    blob = bucket.get_blob("run/metrics.json")
    assert blob.generation > first
    assert blob.download_as_bytes() == b'{"a": 1}'
    with pytest.raises(exceptions.PreconditionFailed):
        blob.upload_from_string("late", if_generation_match=first)
    path.unlink()
    assert not blob.exists()
    assert server.objects.exists(f"gs://{bucket.name}/run/metrics.json") is False


def test_symbolic_links_lead_nowhere(server: Any, bucket: Any, tmp_path: Any) -> None:
    (tmp_path / "secret").write_text("secret")
    (server.root / bucket.name).mkdir(exist_ok=True)
    (server.root / bucket.name / "out").symlink_to(tmp_path)
    assert not bucket.blob("out/secret").exists()
    bucket.blob("out/secret").upload_from_string("mine")
    assert (tmp_path / "secret").read_text() == "secret"
    assert bucket.blob("out/secret").download_as_bytes() == b"mine"


def test_empty_folder_gives_way_to_an_object(server: Any, bucket: Any) -> None:
    bucket.blob("n/child").upload_from_string("1")
    bucket.blob("n/child").delete()
    bucket.blob("n").upload_from_string("2")
    assert (server.root / bucket.name / "n").read_bytes() == b"2"


def test_state_survives_a_restart(fresh_server: Any) -> None:
    bucket = fresh_server.bucket()
    bucket.blob("n").upload_from_string("1", content_type="text/x-one")
    bucket.blob("n/child").upload_from_string("2")
    before = bucket.get_blob("n")
    fresh_server.stop()
    (fresh_server.root / ".emulator/incoming/left-by-a-kill").write_bytes(b"half")
    fresh_server.start()
    bucket = fresh_server.client().get_bucket(bucket.name)
    assert [blob.name for blob in bucket.list_blobs()] == ["n", "n/child"]
    after = bucket.get_blob("n")
    assert after.generation == before.generation
    assert (after.content_type, after.crc32c, after.etag) == ("text/x-one", before.crc32c, before.etag)
    assert bucket.blob("n/child").download_as_bytes() == b"2"
    assert fresh_server.left_over() == []
