import errno
import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from gemini_sft import storage
from gemini_sft.errors import ServiceError, UserError


def test_what_was_written_is_read(tmp_path: Path) -> None:
    uri, content = str(tmp_path / "new" / "deep" / "a"), os.urandom(3_000_000)
    with storage.open_writer(uri) as stream:
        for place in range(0, len(content), 100_000):
            stream.write(content[place : place + 100_000])
        assert not Path(uri).exists()
    with storage.open_reader(uri) as stream:
        assert stream.read(10) == content[:10] and stream.read() == content[10:]
    assert [one.name for one in Path(uri).parent.iterdir()] == ["a"]


def test_a_reader_goes_to_any_place(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"0123456789")
    with storage.open_reader(str(tmp_path / "a")) as stream:
        assert stream.seekable() and stream.seek(-2, io.SEEK_END) == 8 and stream.read() == b"89"
        assert stream.seek(3) == 3 and stream.read(2) == b"34"


@pytest.mark.parametrize("error", [UserError("no"), KeyboardInterrupt(), GeneratorExit()])
@pytest.mark.parametrize("size", [1, 3_000_000])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException, size: int) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(type(error)) as caught, storage.open_writer(str(tmp_path / "a")) as stream:
        stream.write(bytes(size))
        raise error
    assert caught.value is error
    assert [one.name for one in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "old"


@pytest.mark.parametrize("size", [1, 3_000_000])
def test_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    (tmp_path / "a").write_text("old")
    with (
        pytest.raises(ServiceError) as caught,
        Path("/dev/full").open("wb", buffering=0) as full,
        storage.open_writer(str(tmp_path / "a")) as stream,
    ):
        # A device that is always full stands in for the temporary file.
        monkeypatch.setattr(stream.raw, "_inner", full)  # type: ignore[attr-defined]
        stream.write(bytes(size))
    assert str(caught.value) == f"{tmp_path}/a could not be written: No space left on device"
    assert [one.name for one in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "old"


def test_the_first_error_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises(UserError, match=r"^no$"),
        Path("/dev/full").open("wb", buffering=0) as full,
        storage.open_writer(str(tmp_path / "a")) as stream,
    ):
        monkeypatch.setattr(stream.raw, "_inner", full)  # type: ignore[attr-defined]
        stream.write(b"x")
        raise UserError("no")


def test_an_error_of_the_body_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="elsewhere") as caught, storage.open_writer(str(tmp_path / "a")):
        raise OSError(errno.EIO, "elsewhere")
    assert type(caught.value) is OSError
    (tmp_path / "b").touch()
    with pytest.raises(OSError, match="elsewhere") as caught, storage.open_reader(str(tmp_path / "b")):
        raise OSError(errno.EIO, "elsewhere")
    assert type(caught.value) is OSError


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(ServiceError, match="/a/b could not be written: "), storage.open_writer(f"{tmp_path}/a/b"):
        pass


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught, storage.open_reader(str(tmp_path / "absent")):
        pass
    assert str(caught.value) == f"{tmp_path}/absent: there is no such file"
    with pytest.raises(UserError) as caught, storage.open_reader(str(tmp_path)):
        pass
    assert str(caught.value) == f"{tmp_path}: is a directory, not a file"


class TestCloudStorage:
    @pytest.fixture(autouse=True)
    def fresh_client(self) -> Iterator[None]:
        storage._client.cache_clear()
        yield
        storage._client.cache_clear()

    def test_no_permission_to_write(self, serve: Callable[[Sequence[BaseRoute]], str]) -> None:
        serve([Route("/upload/storage/v1/b/bucket/o", lambda _: JSONResponse({}, 403), methods=["POST"])])
        with pytest.raises(UserError) as caught, storage.open_writer("gs://bucket/object") as stream:
            stream.write(b"x")
        assert str(caught.value).startswith(
            "gs://bucket/object could not be written: 403: give the account that runs this roles/storage.objectUser on"
        )
