"""Which version of its data an experiment would read: of local files and of the web."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gemini_sft import storage
from gemini_sft.errors import UserError
from gemini_sft.steps import find_data as step
from gemini_sft.steps.find_data import find_data
from gemini_sft.steps.places import CLEANED, beside

Serve = Callable[[Sequence[BaseRoute]], str]


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """An experiment with files of everything that its data depend on."""
    for name in ("a.csv", "b.csv", "t.csv", "own.py"):
        (tmp_path / name).write_text("x")
    return say(tmp_path)


def say(folder: Path, **data: Any) -> str:
    document = {
        "name": "demo",
        "task": "chat",
        "base_model": "gemini-2.5-flash",
        "data": {"train": str(folder / "?.csv"), "test": str(folder / "t.csv")} | data,
        "evaluation": {"metrics": [f"{folder / 'own.py'}:score"]},
    }
    uri = str(folder / "staging" / "0f" / "x.yaml")
    storage.write_json(uri, document)
    return uri


def found(uri: str, run_id: str = "run-1") -> str:
    version = find_data(experiment_uri=uri, run_id=run_id)
    assert len(version) == 32 and int(version, 16)
    return version


def test_the_same_data_have_the_same_version_in_every_run(uri: str) -> None:
    assert found(uri) == found(uri, "run-2")


@pytest.mark.parametrize("name", ["a.csv", "t.csv", "own.py", "c.csv"])
def test_another_file_is_another_version(uri: str, tmp_path: Path, name: str) -> None:
    before = found(uri)
    (tmp_path / name).write_text("y")
    os.utime(tmp_path / name, ns=(1, 1))
    assert found(uri) != before


def test_a_file_less_is_another_version(uri: str, tmp_path: Path) -> None:
    before = found(uri)
    (tmp_path / "b.csv").unlink()
    assert found(uri) != before


def test_what_moves_between_the_splits_is_another_version(uri: str, tmp_path: Path) -> None:
    before = found(
        say(tmp_path, train=str(tmp_path / "a.csv"), test=[str(tmp_path / "b.csv"), str(tmp_path / "t.csv")])
    )
    assert found(say(tmp_path, train=[str(tmp_path / "a.csv"), str(tmp_path / "b.csv")])) != before


def test_a_file_that_is_not_there(uri: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").unlink()
    with pytest.raises(UserError, match=r"t\.csv: there is no such file"):
        found(uri)


def test_a_cleanup_and_a_week_end_a_version(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The days are counted from a Thursday on.
    days = ["2030-01-02T23:59:59", "2030-01-03T00:00:00", "2030-01-09T23:59:59", "2030-01-10T00:00:00"]
    versions = []
    for day in days:
        monkeypatch.setattr(step, "time", datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp)
        versions.append(found(uri))
    assert versions[0] != versions[1] == versions[2] != versions[3]
    storage.write_text(beside(uri, CLEANED), "1")
    cleaned = found(uri)
    storage.write_text(beside(uri, CLEANED), "2")
    assert len({versions[3], cleaned, found(uri)}) == 3


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (200, {"ETag": '"1"'}, True),
        (200, {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}, True),
        (200, {"Content-Length": "3"}, False),
        (403, {"ETag": '"1"'}, False),
        (405, {}, False),
    ],
)
def test_the_web_tells_by_its_headers(
    serve: Serve,
    tmp_path: Path,
    uri: str,
    caplog: pytest.LogCaptureFixture,
    status: int,
    headers: dict[str, str],
    told: bool,
) -> None:
    asked: list[Request] = []

    async def answer(request: Request) -> Response:
        asked.append(request)
        return Response(b"" if told else b"abc", status, headers=headers)

    url = serve([Route("/a.csv", answer, methods=["GET", "HEAD"])]) + "/a.csv?token=SECRET"
    uri = say(tmp_path, train=url)
    with caplog.at_level("INFO"):
        assert (found(uri) == found(uri, "run-2")) == told
    assert found(uri) == found(uri), "another attempt is the same run"
    assert {one.method for one in asked} == {"HEAD"}
    assert ("the data are prepared anew" in caplog.text) == (not told) and "SECRET" not in caplog.text
    if told:
        before = found(uri)
        headers.update(dict.fromkeys(headers, "another"))
        assert found(uri) != before


def test_a_server_that_is_not_there_tells_nothing(tmp_path: Path, uri: str) -> None:
    uri = say(tmp_path, train="http://127.0.0.1:9/a.csv")
    assert found(uri) != found(uri, "run-2")
