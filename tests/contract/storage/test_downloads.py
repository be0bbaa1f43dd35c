"""Ranges, streaming and memory."""

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.cloud import storage

CONTENT = bytes(range(256)) * 8


@pytest.fixture
def url(server: Any, bucket: Any) -> str:
    bucket.blob("x").upload_from_string(CONTENT)
    return f"{server.url}/download/storage/v1/b/{bucket.name}/o/x?alt=media"


@pytest.mark.parametrize(
    ("header", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=10-19", 206, 10, 20),
        ("bytes=2040-", 206, 2040, 2048),
        ("bytes=2040-9999", 206, 2040, 2048),
        ("bytes=-5", 206, 2043, 2048),
        ("bytes=-9999", 206, 0, 2048),
        ("bytes=0-", 206, 0, 2048),
        ("bytes=5-4", 200, 0, 2048),
        ("bytes=0-1,4-5", 200, 0, 2048),
        ("lines=1-2", 200, 0, 2048),
    ],
)
def test_range(url: str, header: str, status: int, start: int, end: int) -> None:
    answer = requests.get(url, headers={"Range": header}, timeout=5)
    assert (answer.status_code, answer.content) == (status, CONTENT[start:end])
    expected = f"bytes {start}-{end - 1}/2048" if status == 206 else None
    assert answer.headers.get("Content-Range") == expected
    assert answer.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize("header", ["bytes=2048-", "bytes=9999-10000", "bytes=-0"])
def test_range_without_a_byte_is_416(url: str, header: str) -> None:
    answer = requests.get(url, headers={"Range": header}, timeout=5)
    assert answer.status_code == 416
    assert answer.json()["error"]["code"] == 416


def test_ranges_through_the_sdk(bucket: Any, url: str) -> None:
    blob = bucket.blob("x")
    assert blob.download_as_bytes(start=3, end=5) == CONTENT[3:6]
    assert blob.download_as_bytes(start=2000) == CONTENT[2000:]
    with pytest.raises(exceptions.RequestRangeNotSatisfiable):
        blob.download_as_bytes(start=4000)


def test_empty_object(bucket: Any) -> None:
    bucket.blob("empty").upload_from_string(b"")
    assert bucket.blob("empty").download_as_bytes() == b""
    with bucket.blob("empty-stream").open("wb"):
        pass
    assert bucket.get_blob("empty-stream").size == 0
    with bucket.blob("empty-stream").open("rb") as file:
        assert file.read() == b""


def test_file_objects(bucket: Any) -> None:
    blob = bucket.blob("stream", chunk_size=256 * 1024)
    content = os.urandom(700_000)
    with blob.open("wb") as file:
        for start in range(0, len(content), 50_000):
            file.write(content[start : start + 50_000])
    with blob.open("rb") as file:
        file.seek(300_000)
        assert file.read(1000) == content[300_000:301_000]
        file.seek(0)
        assert file.read() == content
    with bucket.blob("lines").open("w") as text:
        text.write("ä\nö\n")
    with bucket.blob("lines").open("r") as text:
        assert list(text) == ["ä\n", "ö\n"]


def test_chunked_download_across_blocks(bucket: Any) -> None:
    content = os.urandom(3_500_000)
    bucket.blob("big").upload_from_file(io.BytesIO(content), size=len(content))
    assert bucket.blob("big").download_as_bytes() == content
    sink = io.BytesIO()
    bucket.blob("big", chunk_size=256 * 1024 * 3).download_to_file(sink)
    assert sink.getvalue() == content


def test_headers_tell_the_metadata(server: Any, bucket: Any) -> None:
    blob = bucket.blob("x")
    blob.content_disposition = 'attachment; filename="ü.txt"'
    blob.upload_from_string("text", content_type="text/plain")
    answer = requests.get(f"{server.url}/storage/v1/b/{bucket.name}/o/x?alt=media", timeout=5)
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Content-Disposition"].encode("latin-1").decode() == 'attachment; filename="ü.txt"'
    assert answer.headers["X-Goog-Generation"] == str(blob.generation)
    assert answer.headers["X-Goog-Hash"] == f"crc32c={blob.crc32c},md5={blob.md5_hash}"


def test_compressed_object_is_sent_as_stored_or_not_at_all(server: Any, bucket: Any) -> None:
    blob = bucket.blob("x")
    blob.content_encoding = "gzip"
    blob.upload_from_string(gzip.compress(b"text"))
    assert blob.download_as_bytes() == b"text"
    assert gzip.decompress(blob.download_as_bytes(raw_download=True)) == b"text"
    url = f"{server.url}/storage/v1/b/{bucket.name}/o/x?alt=media"
    assert requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=5).status_code == 501


def test_reader_gets_the_generation_that_it_began_with(server: Any, bucket: Any) -> None:
    content = os.urandom(8 << 20)
    bucket.blob("x").upload_from_string(content)
    url = f"{server.url}/storage/v1/b/{bucket.name}/o/x?alt=media"
    with requests.get(url, stream=True, timeout=5) as answer:
        first = answer.raw.read(1000)
        bucket.blob("x").upload_from_string(b"new")
        assert first + answer.raw.read() == content
    assert bucket.blob("x").download_as_bytes() == b"new"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_memory_does_not_grow_with_the_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "200MB", tmp_path / "back"
    block = os.urandom(1 << 20)
    with source.open("wb") as file:
        for _ in range(200):
            file.write(block)
    script = Path(__file__).with_name("conftest.py")
    with subprocess.Popen([sys.executable, script, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", process.stdout.readline().strip())
        client = storage.Client(project="test-project")
        bucket = client.create_bucket("memory")
        bucket.blob("multipart-copy").upload_from_filename(source, checksum=None)
        bucket.copy_blob(bucket.blob("multipart-copy"), bucket, "copy")
        bucket.blob("copy").download_to_filename(target, checksum=None)
        status = Path(f"/proc/{process.pid}/status").read_text()
        client.close()
        process.terminate()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 150_000, f"{peak} kB"
    assert target.stat().st_size == 200 << 20
    with target.open("rb") as file:
        file.seek(199 << 20)
        assert file.read() == block
