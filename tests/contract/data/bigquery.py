"""A BigQuery of this project's own, over real HTTP: tables are looked up and their rows listed, and nothing else."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Field = dict[str, Any]

_LISTING = {"maxResults", "pageToken", "formatOptions.useInt64Timestamp", "prettyPrint"}


class Refusal(Exception):
    """An error in Google's shape."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        status = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
        detail = {"message": message, "domain": "global", "reason": reason}
        self.code = code
        self.body = {
            "error": {"code": code, "message": message, "errors": [detail], "status": status.get(code, "UNAVAILABLE")}
        }


@dataclass
class Table:
    """What a table holds.

    Attributes:
        schema: Fields as the API describes them.
        rows: For each row the values as the API spells them: texts, None, lists for repeated fields, and lists of
            values for records.
        kind: `TABLE` or `VIEW`.
        page: Most rows in one answer, whatever is asked for.
        modified: When it was last modified, in milliseconds since 1970.
        streaming: Whether it has rows in its streaming buffer.
    """

    schema: list[Field]
    rows: list[list[Any]]
    kind: str = "TABLE"
    page: int = 3
    modified: int = 1_600_000_000_000
    streaming: bool = False


@dataclass
class BigQuery:
    """The service.

    Attributes:
        tables: By `project.dataset.table`.
        forbidden: Names of tables that nobody may read.
        refusals: Raised by the next requests, one each.
        asked: Path and query of every request.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    refusals: list[Refusal] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        """Returns the resource that a path stands for."""
        self.asked.append((path, query))
        if self.refusals:
            raise self.refusals.pop(0)
        match path.split("/"):
            case ["", "bigquery", "v2", "projects", project, "datasets", dataset, "tables", table]:
                self._only(query, {"prettyPrint"})
                return self._resource(project, dataset, table)
            case ["", "bigquery", "v2", "projects", project, "datasets", dataset, "tables", table, "data"]:
                self._only(query, _LISTING)
                return self._data(project, dataset, table, query)
        raise Refusal(404, "notFound", f"The requested URL {path} was not found.")

    @staticmethod
    def _only(query: dict[str, str], known: set[str]) -> None:
        unknown = query.keys() - known
        if unknown:
            raise Refusal(400, "invalidParameter", f"Unknown parameters: {sorted(unknown)}")

    def _find(self, project: str, dataset: str, table: str) -> Table:
        name = f"{project}.{dataset}.{table}"
        if name in self.forbidden:
            raise Refusal(403, "accessDenied", f"Access Denied: Table {project}:{dataset}.{table}: Permission denied")
        if not any(one.startswith(f"{project}.{dataset}.") for one in self.tables):
            raise Refusal(404, "notFound", f"Not found: Dataset {project}:{dataset}")
        if name not in self.tables:
            raise Refusal(404, "notFound", f"Not found: Table {project}:{dataset}.{table}")
        return self.tables[name]

    def _resource(self, project: str, dataset: str, table: str) -> dict[str, Any]:
        found = self._find(project, dataset, table)
        buffer = {"streamingBuffer": {"estimatedRows": "1", "oldestEntryTime": str(found.modified)}}
        return (buffer if found.streaming else {}) | {
            "kind": "bigquery#table",
            "etag": f"etag-{found.modified}",
            "lastModifiedTime": str(found.modified),
            "id": f"{project}:{dataset}.{table}",
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
            "schema": {"fields": found.schema},
            "numRows": str(len(found.rows)),
            "type": found.kind,
            "location": "US",
        }

    def _data(self, project: str, dataset: str, table: str, query: dict[str, str]) -> dict[str, Any]:
        found = self._find(project, dataset, table)
        if found.kind != "TABLE":
            raise Refusal(400, "invalid", f"Cannot list a table of type {found.kind}.")
        if query.get("formatOptions.useInt64Timestamp") != "True":
            raise Refusal(400, "invalid", "This service knows timestamps in microseconds only.")
        start = self._start(query.get("pageToken", ""))
        end = start + min(found.page, int(query.get("maxResults", found.page)))
        answer: dict[str, Any] = {"kind": "bigquery#tableDataList", "totalRows": str(len(found.rows))}
        if found.rows:
            answer["rows"] = [_cells(found.schema, row) for row in found.rows[start:end]]
        if end < len(found.rows):
            answer["pageToken"] = base64.b64encode(b"from %d" % end).decode()
        return answer

    @staticmethod
    def _start(token: str) -> int:
        try:
            return int(base64.b64decode(token, validate=True).removeprefix(b"from ") or b"0")
        except ValueError as error:
            raise Refusal(400, "invalid", "Invalid page token") from error


def _cells(fields: list[Field], values: list[Any]) -> dict[str, Any]:
    return {"f": [{"v": _cell(one, value)} for one, value in zip(fields, values, strict=True)]}


def _cell(described: Field, value: Any) -> Any:
    if described.get("mode") == "REPEATED":
        return [{"v": _cell({**described, "mode": "NULLABLE"}, one)} for one in value]
    if value is not None and described["type"] == "RECORD":
        return _cells(described["fields"], value)
    return value


@contextmanager
def serve() -> Iterator[BigQuery]:
    """Serves an empty BigQuery on 127.0.0.1."""
    service = BigQuery()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # or every answer would wait 40 ms for an acknowledgement of its head

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            try:
                if not self.headers.get("Authorization", "").startswith("Bearer "):
                    raise Refusal(401, "required", "Login Required.")
                code, body = 200, service.answer(parts.path, dict(parse_qsl(parts.query)))
            except Refusal as refusal:
                code, body = refusal.code, refusal.body
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        service.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield service
        http.shutdown()
        thread.join()
