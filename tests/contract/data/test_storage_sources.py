"""Data in Cloud Storage, as the emulator keeps them."""

import gzip
import io
import os
import tracemalloc
import uuid
from collections.abc import Iterator
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from pyarrow import parquet

from gemini_sft import storage
from gemini_sft.data.sources import File, Format, expand, open_file
from gemini_sft.data.tables import read_parquet
from gemini_sft.errors import DataError, UserError
from tests.contract.conftest import Server


@pytest.fixture
def bucket(server: Server) -> Iterator[Any]:
    """A new bucket, and a client that was made when the environment led to the emulator."""
    storage._client.cache_clear()
    yield storage._client().create_bucket(f"bucket-{uuid.uuid4().hex[:12]}")
    storage._client().close()
    storage._client.cache_clear()


def put(bucket: Any, name: str, content: bytes, **fields: str) -> str:
    blob = bucket.blob(name)
    for key, value in fields.items():
        setattr(blob, key, value)
    blob.upload_from_string(content)
    return f"gs://{bucket.name}/{name}"


def read(uri: str) -> bytes:
    (file,) = expand(uri)
    with open_file(file) as stream:
        return stream.read()


class TestNames:
    def test_one_object(self, bucket: Any) -> None:
        uri = put(bucket, "in/deep/a.jsonl.gz", b"12345")
        assert expand(uri) == [File(uri, "a.jsonl.gz", Format.JSONL, True, 5)]

    def test_globs(self, bucket: Any) -> None:
        for name in ["b.csv", "a.csv", "a.tsv", "in/c.csv", "in/deep/d.csv", "in/deep/e.tsv", "a1.csv"]:
            put(bucket, name, b"")

        def names(pattern: str) -> list[str]:
            return [file.uri.removeprefix(f"gs://{bucket.name}/") for file in expand(f"gs://{bucket.name}/{pattern}")]

        assert names("*.csv") == ["a.csv", "a1.csv", "b.csv"]
        assert names("?.csv") == ["a.csv", "b.csv"]
        assert names("[ab]*.csv") == ["a.csv", "a1.csv", "b.csv"]
        assert names("in/*.csv") == ["in/c.csv"]
        assert names("in/**.csv") == ["in/c.csv", "in/deep/d.csv"]
        assert names("**/e.tsv") == ["in/deep/e.tsv"]

    def test_what_is_missing(self, bucket: Any) -> None:
        uri = put(bucket, "a.csv", b"")
        for wrong, expected in {
            f"{uri}.csv": "there is no such object in Cloud Storage",
            f"gs://{bucket.name}/*.tsv": "matches no object: check bucket and folder",
            "gs://no-such-bucket/*.csv": "there is no bucket no-such-bucket in Cloud Storage",
        }.items():
            with pytest.raises(UserError) as caught:
                expand(wrong)
            assert str(caught.value) == f"{wrong}: {expected}"


class TestContent:
    @pytest.mark.parametrize("size", [0, 1, 100_000, (8 << 20) + 1])
    def test_as_it_is(self, bucket: Any, size: int) -> None:
        content = os.urandom(size)
        assert read(put(bucket, "a.jsonl", content)) == content

    @pytest.mark.parametrize("fields", [{}, {"content_encoding": "gzip"}])
    @pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
    def test_compressed(self, bucket: Any, name: str, fields: dict[str, str]) -> None:
        content = os.urandom(20_000).hex().encode()
        assert read(put(bucket, name, gzip.compress(content), **fields)) == content

    def test_memory_does_not_grow_with_the_object(self, bucket: Any) -> None:
        (file,) = expand(put(bucket, "a.jsonl", bytes(100 << 20)))
        tracemalloc.start()
        with open_file(file) as stream:
            size = sum(iter(lambda: len(stream.read(1 << 16)), 0))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size == 100 << 20 and peak < 50 << 20

    def test_parquet(self, bucket: Any) -> None:
        sink = io.BytesIO()
        parquet.write_table(pa.table({"a": ["x", "y"]}), sink)
        (file,) = expand(put(bucket, "a.parquet", sink.getvalue()))
        with open_file(file) as stream:
            assert list(read_parquet(stream, file.name)) == [(1, {"a": "x"}), (2, {"a": "y"})]

    def test_it_was_deleted_before_it_was_opened(self, bucket: Any) -> None:
        (file,) = expand(put(bucket, "a.csv", b""))
        bucket.delete_blob("a.csv")
        with pytest.raises(UserError, match="there is no such object"), open_file(file):
            pass


class TestChange:
    @pytest.mark.parametrize("size", [10, 20 << 20])
    @pytest.mark.parametrize("change", ["replace", "delete"])
    def test_an_object_that_changes(self, bucket: Any, size: int, change: str) -> None:
        (file,) = expand(put(bucket, "a.jsonl", bytes(size)))
        with pytest.raises(DataError) as caught, open_file(file) as stream:
            stream.read(1)
            if change == "replace":
                put(bucket, "a.jsonl", bytes(size))
            else:
                bucket.delete_blob("a.jsonl")
            stream.read()
        assert str(caught.value) == "a.jsonl: changed while it was read: run again when nobody writes to it"

    def test_another_object_may_change(self, bucket: Any) -> None:
        (file,) = expand(put(bucket, "a.jsonl", b"x"))
        with open_file(file) as stream:
            put(bucket, "b.jsonl", b"y")
            assert stream.read() == b"x"


class TestStreams:
    @pytest.mark.parametrize("size", [0, 1, 8 << 20, (20 << 20) + 5])
    def test_what_was_written_is_read(self, bucket: Any, size: int) -> None:
        content, uri = os.urandom(size), f"gs://{bucket.name}/in/a.jsonl"
        with storage.open_writer(uri, "application/jsonl") as stream:
            for place in range(0, size, 1 << 20):
                stream.write(content[place : place + (1 << 20)])
        with storage.open_reader(uri) as stream:
            assert stream.read() == content
        assert bucket.get_blob("in/a.jsonl").content_type == "application/jsonl"

    @pytest.mark.parametrize("size", [1, 20 << 20])
    def test_an_error_leaves_the_old_object(self, bucket: Any, size: int) -> None:
        uri = put(bucket, "a.jsonl", b"old")
        for error in (UserError("no"), KeyboardInterrupt()):
            with pytest.raises(type(error)), storage.open_writer(uri) as stream:
                stream.write(bytes(size))
                raise error
        assert storage.read_bytes(uri) == b"old"
        with pytest.raises(UserError), storage.open_writer(f"gs://{bucket.name}/b") as stream:
            stream.write(bytes(size))
            raise UserError("no")
        assert [blob.name for blob in bucket.list_blobs()] == ["a.jsonl"]

    def test_nothing_is_finished_by_an_upload_that_could_not_be_ended(
        self, bucket: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lost(_: object) -> None:
            raise OSError("the connection is lost")

        monkeypatch.setattr("google.cloud.storage.fileio.BlobWriter.terminate", lost)
        with pytest.raises(UserError, match=r"^no$"), storage.open_writer(f"gs://{bucket.name}/a") as stream:
            stream.write(bytes(20 << 20))
            raise UserError("no")
        del stream
        assert list(bucket.list_blobs()) == []

    def test_a_bucket_that_does_not_exist(self, bucket: Any) -> None:
        def write() -> None:
            with storage.open_writer("gs://no-such-bucket/a") as stream:
                stream.write(b"x")

        def fetch() -> None:
            with storage.open_reader("gs://no-such-bucket/a"):
                pass

        for action in (write, fetch):
            with pytest.raises(UserError) as caught:
                action()
            assert str(caught.value) == "gs://no-such-bucket/a: there is no bucket no-such-bucket in Cloud Storage"

    def test_an_error_names_the_object_that_made_it(self, bucket: Any) -> None:
        source, target = put(bucket, "a", bytes(20 << 20)), f"gs://{bucket.name}/b"
        with (
            pytest.raises(UserError) as caught,
            storage.open_reader(source) as reader,
            storage.open_writer(target) as writer,
        ):
            writer.write(reader.read(1))
            bucket.delete_blob("a")
            writer.write(reader.read())
        assert str(caught.value) == f"{source}: there is no such object in Cloud Storage"
        assert bucket.get_blob("b") is None
