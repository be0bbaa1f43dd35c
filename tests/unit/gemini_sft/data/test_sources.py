import gzip
import io
import os
import re
import socket
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from gemini_sft import storage
from gemini_sft.data import web
from gemini_sft.data.sources import File, Format, expand, open_file
from gemini_sft.errors import DataError, ServiceError, UserError

Serve = Callable[[Sequence[BaseRoute]], str]

LINES = b'{"a": 1}\n{"a": "\xe2\x98\x83"}\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(uri: str) -> bytes:
    (file,) = expand(uri)
    with open_file(file) as stream:
        return stream.read()


def complaint(action: Callable[[], object], kind: type[Exception] = UserError) -> str:
    with pytest.raises(kind) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestLocalNames:
    def test_one_file(self, here: Path) -> None:
        (here / "data").mkdir()
        (here / "data" / "a.jsonl").write_bytes(LINES)
        expected = [File(str(here / "data" / "a.jsonl"), "data/a.jsonl", Format.JSONL, False, len(LINES))]
        assert expand("data/a.jsonl") == expand(f"{here}/data/a.jsonl") == expand("data/../data/a.jsonl") == expected

    def test_a_file_elsewhere_is_called_by_its_whole_path(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "work").mkdir()
        (tmp_path / "a.csv").touch()
        monkeypatch.chdir(tmp_path / "work")
        (file,) = expand("../a.csv")
        assert (file.uri, file.name) == (f"{tmp_path}/a.csv", f"{tmp_path}/a.csv")

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("a.jsonl", (Format.JSONL, False)),
            ("a.jsonl.gz", (Format.JSONL, True)),
            ("A.CSV", (Format.CSV, False)),
            ("a.csv.GZ", (Format.CSV, True)),
            ("a.tsv", (Format.TSV, False)),
            ("a.b.parquet", (Format.PARQUET, False)),
        ],
    )
    def test_the_suffix_says_the_format(self, here: Path, name: str, expected: tuple[Format, bool]) -> None:
        (here / name).touch()
        (file,) = expand(name)
        assert (file.format, file.compressed) == expected

    @pytest.mark.parametrize("name", ["a.txt", "a", "a.parquet.gz", "a.bigquery", "a.gz", "ajsonl"])
    def test_another_suffix(self, here: Path, name: str) -> None:
        (here / name).touch()
        expected = f"{name}: must end in .jsonl, .csv, .tsv, .parquet, or in .gz after one of the first three"
        assert complaint(lambda: expand(name)) == expected
        assert complaint(lambda: expand(f"https://host/{name}?b.jsonl")) == f"https://host/{expected}"

    def test_globs(self, here: Path) -> None:
        for name in ["b.csv", "a.csv", "a.tsv", ".hidden.csv", "in/c.csv", "in/deep/d.csv", "a1.csv"]:
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).touch()
        (here / "folder.csv").mkdir()

        def names(pattern: str) -> list[str]:
            return [file.name for file in expand(pattern)]

        assert names("*.csv") == ["a.csv", "a1.csv", "b.csv"]
        assert names(f"{here}/?.csv") == ["a.csv", "b.csv"]
        assert names("[!a].*v") == ["b.csv"]
        assert names("in/**/*.csv") == ["in/c.csv", "in/deep/d.csv"]

    def test_a_name_that_only_looks_like_a_glob(self, here: Path) -> None:
        for name in ["a[1].csv", "a1.csv"]:
            (here / name).touch()
        assert [file.name for file in expand("a[1].csv")] == ["a[1].csv"]

    def test_a_glob_that_matches_nothing(self, here: Path) -> None:
        assert complaint(lambda: expand("*.csv")) == "*.csv: matches no file"
        assert complaint(lambda: expand("in/no/*.csv")) == "in/no/*.csv: matches no file: there is no folder in/no"

    def test_a_link_to_nowhere_is_not_left_out(self, here: Path) -> None:
        (here / "a.csv").touch()
        (here / "b.csv").symlink_to("gone")
        assert complaint(lambda: expand("*.csv")) == "b.csv: there is no such file: it is a link to gone"

    def test_a_missing_file_and_its_neighbours(self, here: Path) -> None:
        for name in ["train.jsonl", "test.jsonl", "readme.md"]:
            (here / name).touch()
        assert complaint(lambda: expand("trian.jsonl")) == (
            "trian.jsonl: there is no such file: did you mean train.jsonl or test.jsonl?"
        )
        assert complaint(lambda: expand("zzz.csv")) == "zzz.csv: there is no such file"
        assert complaint(lambda: expand("no/zzz.csv")) == "no/zzz.csv: there is no such file, nor a folder no"

    def test_what_is_no_file(self, here: Path) -> None:
        (here / "folder.csv").mkdir()
        os.mkfifo(here / "pipe.csv")
        (here / "a.csv").touch()
        assert complaint(lambda: expand("folder.csv")) == (
            "folder.csv: is a directory: name its files, such as folder.csv/*.jsonl"
        )
        assert complaint(lambda: expand("pipe.csv")) == ("pipe.csv: is a device or pipe: write its content to a file")
        assert complaint(lambda: expand("a.csv/b.csv")) == "a.csv/b.csv: could not be read: Not a directory"

    def test_no_permission(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (here / "a.csv").touch(0o000)
        here.chmod(0o755)
        root = os.geteuid() == 0
        # The folders above belong to root alone: what is asked for is below the working directory.
        try:
            if root:
                os.seteuid(65534)
            text = complaint(lambda: expand("a.csv"))
        finally:
            if root:
                os.seteuid(0)
        assert text == "a.csv: may not be read: give yourself permission to read it and its folder"

    @pytest.mark.parametrize("uri", ["ftp://host/a.csv", "s3://bucket/a.csv"])
    def test_another_scheme(self, uri: str) -> None:
        assert complaint(lambda: expand(uri)) == f"{uri}: must be a path or begin with gs://, https://, http://, bq://"

    def test_a_table_of_bigquery(self) -> None:
        (file,) = expand("bq://project.data.table")
        assert file == File("bq://project.data.table", "project.data.table", Format.BIGQUERY, False, None)
        with pytest.raises(ValueError, match="is a table"), open_file(file):
            pass


class TestLocalContent:
    @pytest.mark.parametrize("content", [b"", b"a", LINES, b"\n" * 3_000_000])
    def test_as_it_is(self, here: Path, content: bytes) -> None:
        (here / "a.jsonl").write_bytes(content)
        assert read("a.jsonl") == content

    @given(pieces=st.lists(st.binary(max_size=50), min_size=1, max_size=3), name=st.sampled_from(["a.csv.gz", "a.csv"]))
    @settings(deadline=None, max_examples=30)
    def test_compressed_whatever_its_name(
        self, tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], name: str
    ) -> None:
        file = tmp_path_factory.mktemp("gzip") / name
        # Several gzip files one after the other are one, too.
        file.write_bytes(b"".join(map(gzip.compress, pieces)))
        assert read(str(file)) == b"".join(pieces)

    @pytest.mark.parametrize("cut", [3, 12, 200, -4])
    def test_a_compressed_file_that_breaks_off(self, here: Path, cut: int) -> None:
        (here / "a.csv.gz").write_bytes(gzip.compress(os.urandom(1000))[:cut])
        assert complaint(lambda: read("a.csv.gz"), DataError) == (
            "a.csv.gz: breaks off in the middle of its gzip data: fetch it again"
        )

    @pytest.mark.parametrize("place", [2, 10, 15, -6])
    def test_a_damaged_compressed_file(self, here: Path, place: int) -> None:
        content = bytearray(gzip.compress(b"abcdefghijklmnopqrstuvwxyz" * 100))
        content[place] ^= 0xFF
        (here / "a.csv").write_bytes(content)
        assert complaint(lambda: read("a.csv"), DataError).startswith("a.csv: is no intact gzip file: fetch it again (")

    @pytest.mark.parametrize("content", [b"", b"a,b\n", zlib.compress(b"a,b\n")])
    def test_not_compressed_as_its_name_says(self, here: Path, content: bytes) -> None:
        (here / "a.csv.gz").write_bytes(content)
        assert complaint(lambda: read("a.csv.gz"), DataError) == (
            "a.csv.gz: is not compressed with gzip, as its name says: rename it, or fetch it again"
        )

    def test_memory_does_not_grow_with_the_file(self, here: Path) -> None:
        with gzip.open("a.csv.gz", "wb", compresslevel=1) as packed:
            for _ in range(64):
                packed.write(bytes(1 << 20))
        (file,) = expand("a.csv.gz")
        tracemalloc.start()
        with open_file(file) as stream:
            size = sum(iter(lambda: len(stream.read(1 << 16)), 0))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert size == 64 << 20 and peak < 8 << 20

    def test_it_can_be_read_in_any_order(self, here: Path) -> None:
        (here / "a.parquet").write_bytes(LINES)
        with open_file(expand("a.parquet")[0]) as stream:
            stream.read()
            assert stream.seekable() and stream.seek(-3, io.SEEK_END) == len(LINES) - 3
            assert stream.tell() == len(LINES) - 3 and stream.read() == LINES[-3:]
            stream.seek(1)
            assert stream.read(4) == LINES[1:5]

    def test_it_was_deleted_before_it_was_opened(self, here: Path) -> None:
        (here / "a.csv").touch()
        (file,) = expand("a.csv")
        (here / "a.csv").unlink()
        with pytest.raises(UserError, match=r"^a\.csv: there is no such file$"), open_file(file):
            pass


CHANGED = "a.jsonl: changed while it was read: run again when nobody writes to it"


class TestLocalChange:
    @pytest.fixture
    def file(self, here: Path) -> File:
        (here / "a.jsonl").write_bytes(LINES)
        return expand("a.jsonl")[0]

    @staticmethod
    def append(path: str) -> None:
        with Path(path).open("ab") as file:
            file.write(b"x")

    @staticmethod
    def rewrite(path: str) -> None:
        status = Path(path).stat()
        Path(path).write_bytes(LINES.replace(b"1", b"2"))
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))

    @staticmethod
    def exchange(path: str) -> None:
        status = Path(path).stat()
        Path(path + "2").write_bytes(LINES)
        os.utime(path + "2", ns=(status.st_atime_ns, status.st_mtime_ns))
        Path(path + "2").replace(path)

    @pytest.mark.parametrize("change", ["append", "rewrite", "exchange", "unlink"])
    def test_a_file_that_changes(self, file: File, change: str) -> None:
        def meanwhile() -> None:
            with open_file(file) as stream:
                stream.read(1)
                if change == "unlink":
                    Path(file.uri).unlink()
                else:
                    getattr(self, change)(file.uri)
                stream.read()

        assert complaint(meanwhile, DataError) == CHANGED

    def test_a_change_explains_what_was_found(self, file: File) -> None:
        def meanwhile() -> None:
            with open_file(file):
                self.append(file.uri)
                raise UserError("line 3 is not JSON")

        assert complaint(meanwhile, DataError) == CHANGED

    def test_without_a_change_the_finding_is_told(self, file: File) -> None:
        def meanwhile() -> None:
            with open_file(file):
                raise UserError("line 3 is not JSON")

        assert complaint(meanwhile) == "line 3 is not JSON"

    def test_another_file_may_change(self, file: File, here: Path) -> None:
        with open_file(file) as stream:
            (here / "b.jsonl").touch()
            assert stream.read() == LINES


class TestWeb:
    @pytest.fixture(autouse=True)
    def hasty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(web, "_BACKOFF", 0)
        monkeypatch.setattr(web, "_LONGEST_RETRY_AFTER", 0)

    def answer(self, serve: Serve, *answers: Response) -> tuple[str, list[Request]]:
        """Serves the answers in turn, the last for ever, and returns the address and what was asked."""
        asked: list[Request] = []

        async def respond(request: Request) -> Response:
            asked.append(request)
            return answers[min(len(asked), len(answers)) - 1]

        return serve([Route("/{path:path}", respond)]), asked

    def test_a_file(self, serve: Serve) -> None:
        url, asked = self.answer(serve, Response(LINES))
        uri = f"{url}/da%20ta/a%20b.JSONL?key=1.csv"
        assert expand(uri) == [File(uri, "a b.JSONL", Format.JSONL, False, None)]
        assert read(uri) == LINES
        assert asked[0].headers["Accept-Encoding"] == "identity" and asked[0].url.query == "key=1.csv"

    def test_compressed_files_stay_as_they_are_on_the_way(self, serve: Serve) -> None:
        packed = gzip.compress(LINES)
        url, _ = self.answer(serve, Response(packed), Response(packed, headers={"Content-Encoding": "gzip"}))
        assert read(f"{url}/a.jsonl.gz") == LINES
        assert read(f"{url}/a.jsonl.gz") == LINES
        assert read(f"{url}/a.jsonl") == LINES

    def test_it_is_read_while_it_arrives(self, serve: Serve) -> None:
        sent = 0

        async def pieces() -> Iterator[bytes]:  # type: ignore[misc]
            nonlocal sent
            for _ in range(400):
                sent += 1
                yield bytes(1 << 20)

        url, _ = self.answer(serve, StreamingResponse(pieces()))
        with open_file(expand(f"{url}/a.jsonl")[0]) as stream:
            assert stream.read(10) == bytes(10) and not stream.seekable()
            assert sent < 200

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_failures_that_pass(self, serve: Serve, status: int) -> None:
        url, asked = self.answer(
            serve, *[Response(status_code=status, headers={"Retry-After": "3600"})] * 3, Response(LINES)
        )
        assert read(f"{url}/a.jsonl") == LINES and len(asked) == 4

    @pytest.mark.parametrize(
        ("answer", "expected", "requests"),
        [
            (Response(status_code=404), "there is no such file (404): check the address", 1),
            (
                Response(status_code=403),
                "may not be read (403): download it with your account, and name its path",
                1,
            ),
            (
                Response(status_code=503),
                "the server answered 503: try again later, or download it and name its path",
                4,
            ),
            (
                Response(status_code=204),
                "the server answered 204: try again later, or download it and name its path",
                1,
            ),
            (
                Response("<html>", media_type="text/html"),
                "is a web page, not a file: take the address of the file itself",
                1,
            ),
            (
                Response(b"", headers={"Content-Encoding": "br"}),
                "was sent with the encoding br: download it, and name its path",
                1,
            ),
            (Response(LINES, headers={"Content-Length": "100"}), "broke off before its end: run again", 1),
            (
                RedirectResponse("ftp://host/a.jsonl"),
                "leads to an address that begins with neither http:// nor https://: download it, and name its path",
                1,
            ),
        ],
    )
    def test_refusals(self, serve: Serve, answer: Response, expected: str, requests: int) -> None:
        url, asked = self.answer(serve, answer)
        secret = url.replace("//", "//user:password@") + "/a.jsonl?signature=secret"
        assert complaint(lambda: read(secret)) == f"{url}/a.jsonl: {expected}"
        assert len(asked) == requests

    def test_redirects(self, serve: Serve) -> None:
        url, _ = self.answer(serve, RedirectResponse("/b"), Response(LINES))
        assert read(f"{url}/a.jsonl") == LINES
        url, asked = self.answer(serve, RedirectResponse("/b"))
        assert "30 redirects" in complaint(lambda: read(f"{url}/a.jsonl")) and len(asked) > 10

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}/a.csv"
        assert complaint(lambda: read(f"{url}?secret")) == (
            f"{url}: could not be fetched (Connection refused): check address and connection, or try again later"
        )

    def test_an_address_without_a_server(self) -> None:
        text = complaint(lambda: read("http:///a.csv?secret"))
        assert text.startswith("http:///a.csv: could not be fetched (") and "secret" not in text

    def test_no_answer_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(web, "_TIMEOUTS", (0.1, 0.1))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.csv"
            text = complaint(lambda: read(f"{url}?secret"))
        assert re.fullmatch(re.escape(url) + r": could not be fetched \(timed out\): .*", text)


class TestCloudStorage:
    @pytest.fixture(autouse=True)
    def fresh_client(self) -> Iterator[None]:
        storage._client.cache_clear()
        yield
        storage._client.cache_clear()

    @pytest.mark.parametrize("uri", ["gs://bucket/a.csv", "gs://bucket/*.csv"])
    @pytest.mark.parametrize(
        ("status", "message", "kind", "expected"),
        [
            (
                403,
                "me does not have storage.objects.get access",
                UserError,
                "{uri} could not be read: 403: give the account that runs this roles/storage.objectViewer on the ",
            ),
            (
                400,
                "Bucket is a requester pays bucket but no user project provided.",
                UserError,
                "{uri} could not be read: whoever reads its bucket must pay for it (requester pays): copy the object "
                "into a bucket of your own",
            ),
            (
                404,
                "The specified bucket does not exist.",
                UserError,
                "{uri}: there is no bucket bucket in Cloud Storage",
            ),
            (401, "Anonymous caller", UserError, "{uri}: no Google credentials: run `gcloud auth"),
            (400, "Invalid argument.", ServiceError, "{uri} could not be read: 400 "),
        ],
    )
    def test_refusals(
        self, serve: Serve, uri: str, status: int, message: str, kind: type[Exception], expected: str
    ) -> None:
        def refuse(request: Request) -> Response:
            return JSONResponse({"error": {"code": status, "message": message}}, status)

        serve([Route("/storage/v1/b/bucket/o", refuse), Route("/storage/v1/b/bucket/o/a.csv", refuse)])
        text = complaint(lambda: expand(uri), kind)
        assert text.startswith(expected.format(uri=uri))

    def test_no_credentials(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
        assert complaint(lambda: expand("gs://bucket/*.csv")).startswith(
            "gs://bucket/*.csv: no Google credentials: run `gcloud auth application-default login` ("
        )

    def test_a_bucket_that_cannot_be(self, serve: Serve) -> None:
        serve([])
        assert complaint(lambda: expand("gs://-/a.csv")).startswith("gs://-/a.csv: there can be no such bucket: ")

    def test_a_glob_for_the_bucket(self) -> None:
        assert complaint(lambda: expand("gs://buck*/a.csv")) == (
            "gs://buck*/a.csv: the bucket must be named: only what follows it can be a glob"
        )
