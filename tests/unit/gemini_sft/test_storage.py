import errno
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gemini_sft import storage
from gemini_sft.errors import ServiceError, UserError

NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def powerless() -> Iterator[Path]:
    """Gives up root's right to ignore permissions, and returns a folder of the user that is left."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    root = os.geteuid() == 0
    if root:
        os.chown(folder, 65534, -1)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        folder.chmod(0o755)
        if root:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_a_write_replaces_the_whole_file_and_makes_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "new" / "deep" / "a.txt"
    storage.write_text(str(file), "first, and longer\n")
    storage.write_text(str(file), "zweite ☃")
    assert storage.read_text(str(file)) == "zweite ☃" and file.read_bytes() == "zweite ☃".encode()
    assert [one.name for one in file.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(step, full)
    with pytest.raises(ServiceError) as caught:
        storage.write_text(str(file), "new")
    monkeypatch.undo()
    assert str(caught.value) == f"{file} could not be written: No space left on device"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"] and file.read_text() == "old"


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.txt"
    file.write_text("old")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        storage.write_text(str(file), "new")
    monkeypatch.undo()
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"] and file.read_text() == "old"


def test_a_reader_never_meets_half_a_file(tmp_path: Path) -> None:
    uri = str(tmp_path / "a")
    versions = [letter * 300_000 for letter in (b"a", b"b")]
    storage.write_bytes(uri, versions[0])
    done = threading.Event()

    def write() -> None:
        for turn in range(20):
            storage.write_bytes(uri, versions[turn % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    reads = 0
    while not done.is_set():
        assert storage.read_bytes(uri) in versions
        reads += 1
    writer.join()
    assert reads > 0


def test_a_read_only_folder(powerless: Path) -> None:
    powerless.chmod(0o555)
    file = powerless / "a.txt"
    with pytest.raises(ServiceError) as caught:
        storage.write_text(str(file), "x")
    assert str(caught.value) == f"{file} could not be written: Permission denied"
    assert list(powerless.iterdir()) == []


def test_a_file_that_may_not_be_read(powerless: Path) -> None:
    file = powerless / "a.txt"
    file.touch(0o000)
    with pytest.raises(UserError) as caught:
        storage.read_text(str(file))
    assert str(caught.value) == f"{file}: could not be read: Permission denied"


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    with pytest.raises(ServiceError) as caught:
        storage.write_text(str(tmp_path / "a" / "b"), "y")
    assert str(caught.value).startswith(f"{tmp_path}/a/b could not be written: ")
    assert (tmp_path / "a").read_text() == "x"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent", "{path}: there is no such file"),
        ("folder", "{path}: is a directory, not a file"),
        ("latin", "{path}: is not UTF-8 (byte 1): save the file as UTF-8"),
        ("file/below", "{path}: could not be read: Not a directory"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin").write_bytes("aé".encode("latin-1"))
    (tmp_path / "file").touch()
    with pytest.raises(UserError) as caught:
        storage.read_text(str(tmp_path / name))
    assert str(caught.value) == message.format(path=tmp_path / name)


@given(st.lists(JSON, max_size=6), JSON)
@settings(deadline=None, max_examples=25)
def test_documents_come_back_as_they_went(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Any], document: Any
) -> None:
    folder = tmp_path_factory.mktemp("storage")
    storage.write_jsonl(str(folder / "a.jsonl"), documents)
    assert list(storage.read_jsonl(str(folder / "a.jsonl"))) == documents
    assert (folder / "a.jsonl").read_bytes().count(b"\n") == len(documents)
    storage.write_json(str(folder / "a.json"), document)
    assert storage.read_json(str(folder / "a.json")) == document


def test_blank_lines_of_jsonl_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'\n{"a":1}\r\n  \n2')
    assert list(storage.read_jsonl(str(tmp_path / "a.jsonl"))) == [{"a": 1}, 2]


class TestCloudStorage:
    @pytest.fixture(autouse=True)
    def fresh_client(self) -> Iterator[None]:
        storage._client.cache_clear()
        yield
        storage._client.cache_clear()

    @pytest.mark.parametrize("uri", ["gs://", "gs://bucket", "gs://bucket/", "gs:///object"])
    def test_an_address_without_bucket_or_object(self, uri: str) -> None:
        with pytest.raises(UserError) as caught:
            storage.read_bytes(uri)
        assert str(caught.value) == f"{uri}: expected gs://BUCKET/OBJECT"

    @pytest.mark.parametrize("access", [storage.read_bytes, lambda uri: storage.write_bytes(uri, b"")])
    def test_no_credentials(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, access: Callable[[str], object]
    ) -> None:
        monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
        with pytest.raises(UserError) as caught:
            access("gs://bucket/object")
        assert str(caught.value).startswith(
            "gs://bucket/object: no Google credentials: run `gcloud auth application-default login` ("
        )

    def test_what_the_service_answers(self, serve: Callable[[Sequence[BaseRoute]], str]) -> None:
        async def answer(request: Request) -> Response:
            status = {"there": 200, "gone": 404}.get(request.path_params["name"], 403)
            return Response("☃") if status == 200 else JSONResponse({"error": {"code": status}}, status)

        serve(
            [
                Route("/download/storage/v1/b/bucket/o/{name}", answer),
                Route("/upload/storage/v1/b/bucket/o", lambda _: JSONResponse({}, 403), methods=["POST"]),
            ]
        )
        assert storage.read_text("gs://bucket/there") == "☃"
        with pytest.raises(UserError) as missing:
            storage.read_bytes("gs://bucket/gone")
        assert str(missing.value) == "gs://bucket/gone: there is no such object in Cloud Storage"
        with pytest.raises(ServiceError) as forbidden:
            storage.read_bytes("gs://bucket/secret")
        assert str(forbidden.value).startswith("gs://bucket/secret could not be read: 403")
        with pytest.raises(ServiceError) as refused:
            storage.write_bytes("gs://bucket/secret", b"x")
        assert str(refused.value).startswith("gs://bucket/secret could not be written: 403")
