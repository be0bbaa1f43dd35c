"""What Cloud Storage and BigQuery tell of their contents."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gemini_sft import storage
from gemini_sft.data.versions import versions_of
from gemini_sft.errors import UserError
from gemini_sft.steps.find_data import find_data
from tests.contract.conftest import Server
from tests.contract.data.bigquery import BigQuery, Table, serve
from tests.contract.data.test_bigquery import TEXTS
from tests.contract.data.test_storage_sources import bucket as bucket  # noqa: PLC0414
from tests.contract.data.test_storage_sources import put


@pytest.fixture
def bigquery(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQuery]:
    with serve() as service:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", service.url)
        yield service


def test_an_object_by_its_generation(bucket: Any) -> None:
    uris = [put(bucket, f"in/{name}.csv", b"x") for name in "ab"]
    pattern = f"gs://{bucket.name}/in/*.csv"
    before = dict(versions_of([pattern]))
    assert list(before) == uris and dict(versions_of(uris)) == before
    put(bucket, "in/b.csv", b"y")
    after = dict(versions_of([pattern]))
    assert after[uris[0]] == before[uris[0]] and after[uris[1]] != before[uris[1]]
    with pytest.raises(UserError, match="there is no such object"):
        list(versions_of([f"gs://{bucket.name}/in/c.csv"]))


def test_a_table_by_the_time_of_its_change_unless_rows_are_streamed_in(bigquery: BigQuery) -> None:
    table = Table(TEXTS, [], modified=1_700_000_000_000)
    bigquery.tables["p-1.data.table"] = table

    def version() -> str | None:
        ((uri, told),) = versions_of(["bq://p-1.data.table"])
        assert uri == "bq://p-1.data.table"
        return told

    before = version()
    assert before is not None and version() == before
    table.modified += 1
    assert version() not in (before, None)
    bigquery.tables["p-1.data.table"] = replace(table, streaming=True)
    assert version() is None
    assert not any(path.endswith("/data") for path, _ in bigquery.asked), "no row is read"
    bigquery.forbidden.add("p-1.data.table")
    with pytest.raises(UserError, match=r"roles/bigquery\.dataViewer"):
        version()


def test_an_experiment_in_a_bucket(bucket: Any) -> None:
    train, own = put(bucket, "train.jsonl", b"x"), put(bucket, "own.py", b"x")
    document = {"name": "demo", "task": "chat", "base_model": "gemini-2.5-flash", "data": {"train": train}}
    document |= {"evaluation": {"metrics": [f"{own}:score"]}}
    uri = put(bucket, "staging/demo/0f/x.yaml", json.dumps(document).encode())

    def version() -> str:
        return find_data(experiment_uri=uri, run_id="run-1")

    versions = [version(), version()]
    for change in ("train.jsonl", "own.py", "staging/demo/cleaned.txt"):
        put(bucket, change, b"y")
        versions.append(version())
    assert versions[0] == versions[1] and len(set(versions)) == 4
    assert storage.read_text(f"gs://{bucket.name}/staging/demo/cleaned.txt") == "y"
