"""What is read of documents without reading them whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from vertex_emulator.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "vertex.db")
    for number in range(4):
        name, parent = f"p/{number % 2}/jobs/{number}", f"p/{number % 2}"
        spec = {"info": {"name": f"näme {number}"}, "rest": ["x"] * 1000}
        document = {"name": name, "labels": {"a": "b"}, "count": 2**60 + number, "spec": spec, "error": None}
        database.put("jobs", parent, document)
    database.put("others", "p/1", {"name": "p/1/others/1"})
    yield database
    database.close()


def test_some_fields_of_every_document_the_newest_first(database: Database) -> None:
    paths = ["spec.info", "labels", "count", "error", "absent", "absent.too"]
    found = database.parts("jobs", None, paths)
    assert [one["name"] for one in found] == [f"p/{number % 2}/jobs/{number}" for number in (3, 2, 1, 0)]
    assert found[0] == {
        "name": "p/1/jobs/3",
        "spec": {"info": {"name": "näme 3"}},
        "labels": {"a": "b"},
        "count": 2**60 + 3,
    }


def test_of_one_parent_and_a_page_of_them(database: Database) -> None:
    assert [one["count"] - 2**60 for one in database.parts("jobs", "p/1", ["count"])] == [3, 1]
    assert [one["count"] - 2**60 for one in database.parts("jobs", None, ["count"], limit=2, skipped=1)] == [2, 1]
    assert database.parts("jobs", "p/9", ["count"]) == []


def test_resources_of_different_kinds_have_different_numbers(tmp_path: Path) -> None:
    database = Database(tmp_path / "vertex.db")
    numbers = [
        database.next_id(kind) for kind in ("models", "pipelineJobs", "schedules", "tuningJobs") for _ in range(50)
    ]
    assert len(set(numbers)) == 200 and {len(one) for one in numbers} == {19}
    database.close()
