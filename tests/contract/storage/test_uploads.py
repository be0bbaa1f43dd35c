"""Uploads in several requests, and those that fail half-way."""

import errno
import io
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.cloud.storage import transfer_manager

from vertex_emulator.storage.incoming import Incoming

UNIT = 256 * 1024


def _start(server: Any, bucket: Any, name: str = "x", **metadata: Any) -> str:
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o"
    answer = requests.post(url, params={"uploadType": "resumable", "name": name}, json=metadata, timeout=5)
    assert answer.status_code == 200
    return answer.headers["Location"]


def _put(session_url: str, content_range: str | None, data: bytes = b"", **headers: str) -> requests.Response:
    if content_range is not None:
        headers["Content-Range"] = content_range
    return requests.put(session_url, data=data, headers=headers, timeout=5)


@pytest.mark.parametrize("known_size", [True, False])
@pytest.mark.parametrize("size", [UNIT * 3, UNIT * 3 + 5])
def test_sdk_uploads_in_chunks(bucket: Any, known_size: bool, size: int) -> None:
    content = os.urandom(size)
    blob = bucket.blob("x", chunk_size=UNIT)
    blob.metadata = {"a": "1"}
    blob.upload_from_file(io.BytesIO(content), size=size if known_size else None, content_type="text/x", checksum="md5")
    blob = bucket.get_blob("x")
    assert (blob.size, blob.content_type, blob.metadata) == (size, "text/x", {"a": "1"})
    assert bucket.blob("x").download_as_bytes() == content


def test_protocol_of_a_resumable_upload(server: Any, bucket: Any) -> None:
    content = os.urandom(UNIT * 2 + 7)
    total = len(content)
    url = _start(server, bucket, contentType="text/x")
    assert url.startswith(server.url)
    empty = _put(url, f"bytes */{total}")
    assert (empty.status_code, empty.headers.get("Range")) == (308, None)
    first = _put(url, f"bytes 0-{UNIT - 1}/{total}", content[:UNIT])
    assert (first.status_code, first.headers["Range"]) == (308, f"bytes=0-{UNIT - 1}")
    assert not bucket.blob("x").exists()
    assert _put(url, "bytes */*").headers["Range"] == f"bytes=0-{UNIT - 1}"
    gap = _put(url, f"bytes {UNIT + 5}-{total - 1}/{total}", content[UNIT + 5 :])
    assert gap.status_code == 400
    again = _put(url, f"bytes 0-{2 * UNIT - 1}/*", content[: 2 * UNIT])
    assert again.headers["Range"] == f"bytes=0-{2 * UNIT - 1}"
    odd = _put(url, f"bytes {2 * UNIT}-{2 * UNIT + 1}/{total}", content[2 * UNIT : 2 * UNIT + 2])
    assert odd.status_code == 400
    last = _put(url, f"bytes {2 * UNIT}-{total - 1}/{total}", content[2 * UNIT :])
    assert last.status_code == 200
    assert last.json()["size"] == str(total)
    assert _put(url, f"bytes */{total}").json()["generation"] == last.json()["generation"]
    assert bucket.blob("x").download_as_bytes() == content
    assert server.left_over() == []


def test_whole_content_in_one_put(server: Any, bucket: Any) -> None:
    assert _put(_start(server, bucket), None, b"abc").json()["size"] == "3"
    assert _put(_start(server, bucket, "empty"), "bytes */0").json()["size"] == "0"


@pytest.mark.parametrize(
    ("content_range", "data"),
    [("nonsense", b"abc"), ("bytes 2-1/3", b"abc"), ("bytes 0-9/5", b"abc"), ("bytes 0-1/2", b"abc"),
     ("bytes 0-4/5", b"abc")],
)  # fmt: skip
def test_malformed_chunk_is_400(server: Any, bucket: Any, content_range: str, data: bytes) -> None:
    url = _start(server, bucket)
    assert _put(url, content_range, data).status_code == 400
    assert not bucket.blob("x").exists()
    requests.delete(url, timeout=5)


def test_wrong_checksum_in_the_last_chunk(server: Any, bucket: Any) -> None:
    url = _start(server, bucket)
    assert _put(url, "bytes 0-2/3", b"abc", **{"X-Goog-Hash": "crc32c=AAAAAA=="}).status_code == 400
    assert not bucket.blob("x").exists()
    requests.delete(url, timeout=5)


def test_session_ends(server: Any, bucket: Any) -> None:
    url = _start(server, bucket)
    _put(url, f"bytes 0-{UNIT - 1}/*", b"x" * UNIT)
    assert requests.delete(url, timeout=5).status_code == 499
    assert _put(url, "bytes */*").status_code == 404
    assert server.left_over() == []


def _cut_off(server: Any, path: str, headers: str, body: bytes) -> None:
    """Sends a part of a request's body and hangs up."""
    address = server.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as connection:
        connection.sendall(f"{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n{headers}\r\n".encode() + body)
        deadline = time.monotonic() + 5
        while not server.left_over() and time.monotonic() < deadline:
            time.sleep(0.01)


def _wait_until_clean(server: Any) -> None:
    deadline = time.monotonic() + 5
    while server.left_over() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.left_over() == []


def test_upload_cut_off_leaves_nothing_and_the_old_object(server: Any, bucket: Any) -> None:
    bucket.blob("x").upload_from_string("old")
    path = f"POST /upload/storage/v1/b/{bucket.name}/o"
    _cut_off(server, f"{path}?uploadType=media&name=x", "", b"n" * 3_000_000)
    _wait_until_clean(server)
    head = b'--B\r\n\r\n{"name": "x"}\r\n--B\r\n\r\n'
    multipart = "Content-Type: multipart/related; boundary=B\r\n"
    _cut_off(server, f"{path}?uploadType=multipart", multipart, head + b"n" * 3_000_000)
    _wait_until_clean(server)
    assert bucket.blob("x").download_as_bytes() == b"old"


def test_resumable_upload_goes_on_after_a_cut(server: Any, bucket: Any) -> None:
    url = _start(server, bucket)
    content = os.urandom(9_000_000)
    _cut_off(server, "PUT " + url.removeprefix(server.url), "", content[:2_000_000])
    for _ in range(100):
        arrived = int(_put(url, "bytes */9000000").headers.get("Range", "=0--1").rpartition("-")[2]) + 1
        if arrived == 2_000_000:
            break
        time.sleep(0.01)
    assert arrived == 2_000_000
    assert not bucket.blob("x").exists()
    rest = _put(url, f"bytes {arrived}-8999999/9000000", content[arrived:])
    assert rest.status_code == 200
    assert bucket.blob("x").download_as_bytes() == content


@pytest.mark.parametrize("body", [b"", b"--B\r\n\r\n{}\r\n", b'--B\r\n\r\n{"name": "x"}\r\n--B\r\n\r\nabc',
                                  b'--B\r\n\r\n{"name": "x"}\r\n--B\r\n\r\nabc\r\n--B\r\n\r\nd\r\n--B--',
                                  b"--B\r\n\r\nno json\r\n--B\r\n\r\nabc\r\n--B--",
                                  b"--B\r\n\r\n[]\r\n--B\r\n\r\nabc\r\n--B--",
                                  b"--B\r\n\r\n{}\r\n--B\r\n\r\nabc\r\n--B--"])  # fmt: skip
def test_malformed_multipart_body_is_400(server: Any, bucket: Any, body: bytes) -> None:
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    answer = requests.post(url, data=body, headers={"Content-Type": "multipart/related; boundary=B"}, timeout=5)
    assert answer.status_code == 400
    assert not bucket.blob("x").exists()
    assert server.left_over() == []


def test_content_may_look_like_a_boundary(server: Any, bucket: Any) -> None:
    content = b"\r\n--\r\n--Bx"[:6] + b"\r\n-" * 50_000 + b"\r\n--A\r\n"
    body = b'--B\r\n\r\n{"name": "x"}\r\n--B\r\nContent-Type: text/x\r\n\r\n' + content + b"\r\n--B--\r\n"
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    headers = {"Content-Type": "multipart/related; boundary=B"}
    assert requests.post(url, data=body, headers=headers, timeout=5).json()["contentType"] == "text/x"
    assert bucket.blob("x").download_as_bytes() == content


def test_full_disk_is_an_error_and_leaves_nothing(server: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.blob("x").upload_from_string("old")
    real = Incoming.append

    def append(incoming: Incoming, data: bytes) -> None:
        if incoming.size + len(data) > 2_000_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(incoming, data)

    monkeypatch.setattr(Incoming, "append", append)
    content = b"n" * 4_000_000
    with pytest.raises(exceptions.GoogleAPICallError, match="disk is full") as refusal:
        bucket.blob("x").upload_from_string(content)
    assert refusal.value.code == 507
    with pytest.raises(exceptions.GoogleAPICallError, match="disk is full"):
        bucket.blob("x", chunk_size=UNIT).upload_from_string(content)
    assert server.left_over() == []
    assert bucket.blob("x").download_as_bytes() == b"old"


def test_transfer_manager(bucket: Any, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.bin" for number in range(6)]
    for path in paths:
        path.write_bytes(os.urandom(1000))
    names = [path.name for path in paths]
    results = transfer_manager.upload_many_from_filenames(
        bucket, names, source_directory=str(tmp_path), worker_type=transfer_manager.THREAD, max_workers=4
    )
    assert results == [None] * 6
    target = tmp_path / "back"
    transfer_manager.download_many_to_path(
        bucket, names, destination_directory=str(target), worker_type=transfer_manager.THREAD, max_workers=4
    )
    assert [(target / name).read_bytes() for name in names] == [path.read_bytes() for path in paths]


def test_chunks_concurrently(server: Any, bucket: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom((11 << 20) + 3))
    blob = bucket.blob("dir/x y")
    blob.metadata = {"a": "1"}
    transfer_manager.upload_chunks_concurrently(
        str(source), blob, chunk_size=5 << 20, max_workers=2, worker_type=transfer_manager.THREAD
    )
    transfer_manager.download_chunks_concurrently(
        blob, str(target), chunk_size=5 << 20, max_workers=2, worker_type=transfer_manager.THREAD
    )
    assert target.read_bytes() == source.read_bytes()
    blob = bucket.get_blob("dir/x y")
    assert (blob.component_count, blob.md5_hash, blob.metadata) == (3, None, {"a": "1"})
    assert server.left_over() == []


def test_xml_upload_is_checked(server: Any, bucket: Any) -> None:
    url = f"{server.url}/{bucket.name}/x"
    upload_id = requests.post(f"{url}?uploads", timeout=5).text.split("<UploadId>")[1].split("<")[0]
    etags = []
    for number in (1, 2):
        part = requests.put(url, params={"partNumber": number, "uploadId": upload_id}, data=b"small", timeout=5)
        etags.append(part.headers["ETag"])

    def complete(*parts: tuple[int, str]) -> requests.Response:
        listed = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>" for n, etag in parts)
        body = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>"
        return requests.post(url, params={"uploadId": upload_id}, data=body, timeout=5)

    assert "EntityTooSmall" in complete((1, etags[0]), (2, etags[1])).text
    assert "InvalidPartOrder" in complete((2, etags[1]), (1, etags[0])).text
    assert "InvalidPart<" in complete((1, "other")).text
    assert complete((1, etags[0])).status_code == 200
    assert bucket.blob("x").download_as_bytes() == b"small"
    assert requests.delete(url, params={"uploadId": upload_id}, timeout=5).status_code == 404
    assert server.left_over() == []
