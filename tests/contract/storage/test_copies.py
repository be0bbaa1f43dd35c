"""Copy, rewrite, compose, rename, batches."""

import base64
from typing import Any

import google_crc32c
import pytest
import requests
from google.api_core import exceptions


def test_copy_keeps_the_metadata(client: Any, bucket: Any) -> None:
    blob = bucket.blob("a/b c")
    blob.metadata = {"k": "v"}
    blob.upload_from_string(b"content", content_type="text/x")
    other = client.create_bucket(f"{bucket.name}-other")
    bucket.copy_blob(blob, other, "d/ü")
    copy = other.get_blob("d/ü")
    assert (copy.content_type, copy.metadata, copy.md5_hash) == (
        "text/x",
        {"k": "v"},
        bucket.get_blob("a/b c").md5_hash,
    )
    assert copy.download_as_bytes() == b"content"


def test_rewrite_may_change_the_metadata(bucket: Any) -> None:
    bucket.blob("x").upload_from_string(b"content", content_type="text/x")
    blob = bucket.blob("y")
    blob.content_type = "text/y"
    token, done, total = blob.rewrite(bucket.blob("x"))
    assert (token, done, total) == (None, 7, 7)
    assert bucket.get_blob("y").content_type == "text/y"
    blob.update_storage_class("COLDLINE")
    assert bucket.get_blob("y").storage_class == "COLDLINE"


def test_rename(bucket: Any) -> None:
    bucket.rename_blob(_put(bucket, "n", "1"), "n/child")
    assert [blob.name for blob in bucket.list_blobs()] == ["n/child"]


def test_copy_of_what_is_not_there(client: Any, bucket: Any) -> None:
    with pytest.raises(exceptions.NotFound):
        bucket.copy_blob(bucket.blob("x"), bucket, "y")
    with pytest.raises(exceptions.NotFound):
        bucket.copy_blob(_put(bucket, "x", "1"), client.bucket("no-such-bucket"), "y")


def test_compose(bucket: Any) -> None:
    parts = [_put(bucket, f"part-{number}", str(number) * 3) for number in range(4)]
    whole = bucket.blob("whole")
    whole.content_type = "text/x"
    whole.compose(parts)
    whole = bucket.get_blob("whole")
    assert whole.download_as_bytes() == b"000111222333"
    assert (whole.component_count, whole.md5_hash, whole.content_type) == (4, None, "text/x")
    assert base64.b64decode(whole.crc32c) == google_crc32c.value(b"000111222333").to_bytes(4, "big")
    whole.compose([whole, parts[0]])
    assert bucket.get_blob("whole").component_count == 5
    assert whole.download_as_bytes() == b"000111222333000"


def test_compose_is_refused(bucket: Any) -> None:
    part = _put(bucket, "part", "1")
    with pytest.raises(exceptions.BadRequest):
        bucket.blob("whole").compose([part] * 33)
    with pytest.raises(exceptions.BadRequest):
        bucket.blob("whole").compose([])
    with pytest.raises(exceptions.NotFound):
        bucket.blob("whole").compose([part, bucket.blob("nothing")])
    assert not bucket.blob("whole").exists()


def test_batch(client: Any, bucket: Any) -> None:
    for number in range(3):
        _put(bucket, f"dir/ü{number}", "x")
    with client.batch():
        for number in range(3):
            bucket.delete_blob(f"dir/ü{number}")
    assert list(bucket.list_blobs()) == []


def test_batch_answers_each_call(client: Any, bucket: Any) -> None:
    blob = _put(bucket, "x", "x")
    with client.batch(raise_exception=False) as batch:
        blob.metadata = {"a": "1"}
        blob.patch()
        bucket.delete_blob("nothing")
        bucket.delete_blob("x", if_generation_match=1)
    assert [answer.status_code for answer in batch._responses] == [200, 404, 412]
    assert batch._responses[1].json()["error"]["errors"][0]["reason"] == "notFound"
    assert blob.metadata == {"a": "1"}
    with pytest.raises(exceptions.NotFound), client.batch():
        bucket.delete_blob("nothing")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed; boundary=B", b"--B\r\n\r\nGET /storage/v1/b/bkt/o/x?alt=media HTTP/1.1\r\n\r\n\r\n--B--"),
        ("multipart/mixed; boundary=B", b"--B\r\n\r\nPOST /batch/storage/v1 HTTP/1.1\r\n\r\n\r\n--B--"),
        ("text/plain", b""),
        ("multipart/mixed; boundary=B", b""),
        ("multipart/mixed; boundary=B", b"--B\r\n\r\n--B--"),
    ],
)
def test_malformed_batch_is_400(server: Any, content_type: str, body: bytes) -> None:
    url = f"{server.url}/batch/storage/v1"
    answer = requests.post(url, data=body, headers={"Content-Type": content_type}, timeout=5)
    assert answer.status_code == 400


def _put(bucket: Any, name: str, content: str) -> Any:
    blob = bucket.blob(name)
    blob.upload_from_string(content)
    return blob
