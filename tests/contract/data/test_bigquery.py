"""Tables of BigQuery, read by Google's own client."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gemini_sft.data.findings import Fault
from gemini_sft.data.tables import Row, read_bigquery
from gemini_sft.errors import ServiceError, UserError
from tests.contract.conftest import Server
from tests.contract.data.bigquery import BigQuery, Refusal, Table, serve

TEXTS = [{"name": "prompt", "type": "STRING", "mode": "REQUIRED"}, {"name": "target", "type": "STRING"}]


@pytest.fixture(scope="module")
def running() -> Iterator[BigQuery]:
    with serve() as service:
        yield service


@pytest.fixture
def bigquery(running: BigQuery, server: Server, monkeypatch: pytest.MonkeyPatch) -> BigQuery:
    """An empty BigQuery, and the environment that leads to it; credentials come from the emulator."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", running.url)
    for content in (running.tables, running.forbidden, running.refusals, running.asked):
        content.clear()
    return running


def rows(table: str = "p-1.data.table") -> list[tuple[int, Row | Fault]]:
    return list(read_bigquery(table))


def refusal(kind: type[Exception] = UserError, table: str = "p-1.data.table") -> str:
    with pytest.raises(kind) as caught:
        rows(table)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 10])
def test_pages_hold_every_row_once(bigquery: BigQuery, count: int) -> None:
    bigquery.tables["p-1.data.table"] = Table(TEXTS, [[f"p{n}", f"t{n}"] for n in range(count)])
    assert rows() == [(n + 1, {"prompt": f"p{n}", "target": f"t{n}"}) for n in range(count)]
    pages = [query for path, query in bigquery.asked if path.endswith("/data")]
    assert len(pages) == max(1, -(-count // 3)) and all(query["maxResults"] == "1000" for query in pages)


def test_rows_come_while_the_table_is_read(bigquery: BigQuery) -> None:
    bigquery.tables["p-1.data.table"] = Table(TEXTS, [["p", "t"]] * 100)
    found = read_bigquery("p-1.data.table")
    assert next(found) == (1, {"prompt": "p", "target": "t"})
    assert len(bigquery.asked) == 2
    found.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("described", "value", "expected"),
    [
        ({"type": "STRING"}, "a\n☃", "a\n☃"),
        ({"type": "STRING"}, None, None),
        ({"type": "INTEGER"}, "-7", -7),
        ({"type": "FLOAT"}, "1.5", 1.5),
        ({"type": "BOOLEAN"}, "true", True),
        ({"type": "NUMERIC"}, "12.50", "12.50"),
        ({"type": "BYTES"}, base64.b64encode("ü".encode()).decode(), "ü"),
        ({"type": "DATE"}, "2024-02-29", "2024-02-29"),
        ({"type": "TIME"}, "01:02:03", "01:02:03"),
        ({"type": "DATETIME"}, "2024-02-29T01:02:03", "2024-02-29T01:02:03"),
        ({"type": "TIMESTAMP"}, "1500000", "1970-01-01T00:00:01.500000+00:00"),
        ({"type": "JSON"}, json.dumps({"a": [1, None]}), {"a": [1, None]}),
        ({"type": "STRING", "mode": "REPEATED"}, ["a", "b"], ["a", "b"]),
        ({"type": "STRING", "mode": "REPEATED"}, [], []),
        (
            {"type": "RECORD", "mode": "REPEATED", "fields": [*TEXTS, {"name": "when", "type": "DATE"}]},
            [["p", None, "2024-01-01"]],
            [{"prompt": "p", "target": None, "when": "2024-01-01"}],
        ),
    ],
)
def test_values(bigquery: BigQuery, described: dict[str, Any], value: Any, expected: Any) -> None:
    bigquery.tables["p-1.data.table"] = Table([{"name": "column", "mode": "NULLABLE", **described}], [[value]])
    assert rows() == [(1, {"column": expected})]


def test_bytes_that_are_not_utf8(bigquery: BigQuery) -> None:
    values = [base64.b64encode(value).decode() for value in (b"a", b"\xff", b"c")]
    bigquery.tables["p-1.data.table"] = Table([{"name": "raw", "type": "BYTES"}], [[value] for value in values])
    (_, first), (line, fault), (_, last) = rows()
    assert (first, last) == ({"raw": "a"}, {"raw": "c"})
    assert isinstance(fault, Fault) and (line, fault.rule) == (2, "encoding")
    assert fault.what == "the column 'raw' holds bytes that are not UTF-8"


def test_what_is_missing(bigquery: BigQuery) -> None:
    bigquery.tables["p-1.data.other"] = Table(TEXTS, [])
    assert refusal() == "p-1.data.table: there is no such table in BigQuery (Not found: Table p-1:data.table)"
    assert refusal(table="p-1.no.table") == (
        "p-1.no.table: there is no such table in BigQuery (Not found: Dataset p-1:no)"
    )


def test_no_permission(bigquery: BigQuery) -> None:
    bigquery.forbidden.add("p-1.data.table")
    assert refusal() == (
        "p-1.data.table: may not be read: give the account that runs this roles/bigquery.dataViewer on the table "
        "(Access Denied: Table p-1:data.table: Permission denied)"
    )


def test_a_quota_is_no_lack_of_permission(bigquery: BigQuery) -> None:
    bigquery.refusals.append(Refusal(403, "quotaExceeded", "Quota exceeded: too many requests"))
    assert refusal(ServiceError) == "p-1.data.table could not be read: Quota exceeded: too many requests"


def test_a_view(bigquery: BigQuery) -> None:
    bigquery.tables["p-1.data.table"] = Table(TEXTS, [], "VIEW")
    assert refusal() == (
        "p-1.data.table: BigQuery refused it (Cannot list a table of type VIEW.): save a view as a table"
    )


def test_a_failure_that_passes(bigquery: BigQuery) -> None:
    bigquery.tables["p-1.data.table"] = Table(TEXTS, [["p", "t"]])
    bigquery.refusals.append(Refusal(503, "backendError", "Try again."))
    assert rows() == [(1, {"prompt": "p", "target": "t"})]
    assert len(bigquery.asked) == 3


def test_a_failure_that_stays(bigquery: BigQuery) -> None:
    bigquery.refusals.append(Refusal(501, "notImplemented", "Never."))
    assert refusal(ServiceError).startswith("p-1.data.table could not be read: 501 ")


def test_a_table_that_goes_away(bigquery: BigQuery) -> None:
    bigquery.tables["p-1.data.table"] = Table(TEXTS, [["p", "t"]] * 9)
    found = read_bigquery("p-1.data.table")
    next(found)
    bigquery.tables.clear()
    with pytest.raises(UserError, match="there is no such table in BigQuery"):
        list(found)


def test_no_credentials(bigquery: BigQuery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    assert refusal().startswith("p-1.data.table: no Google credentials: run `gcloud auth application-default login` (")
    assert not bigquery.asked
