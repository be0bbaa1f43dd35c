"""The lines of tasks as log entries.

Vertex AI runs each attempt of a task as a custom job, with one worker. What that writes is in Cloud Logging under the
monitored resource `ml_job`: a line an entry, those of standard error with the severity ERROR.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vertex_emulator.database import Database
from vertex_emulator.names import project_number

if TYPE_CHECKING:
    from vertex_emulator.logs.query import Query

KIND = "taskLogs"
FOLDER = "logs"
"""Below the data directory: one file an attempt of a task, one JSON object a line."""
_WORKER = "workerpool0-0"

Entry = dict[str, Any]


def keep(database: Database, custom_job: str, file: str) -> None:
    """Remembers which file has the lines of a custom job.

    Args:
        database: Where it is remembered.
        custom_job: Its canonical resource name.
        file: Name of the file in `FOLDER`.
    """
    parent = "/".join(custom_job.split("/")[:2])
    database.put(KIND, parent, {"name": f"{custom_job}/logs/{_WORKER}", "job": custom_job, "file": file})


def messages_of(database: Database, data_dir: Path, custom_job: str) -> list[str]:
    """Returns the lines of a custom job as they were written, the first one first; none if it is not known."""
    kept = database.get(f"{custom_job}/logs/{_WORKER}")
    path = data_dir / FOLDER / kept["file"] if kept else None
    if path is None or not path.exists():
        return []
    return [
        str(json.loads(line)["message"]) for line in path.read_bytes().splitlines(keepends=True) if line[-1:] == b"\n"
    ]


def streams_of(database: Database, project: str) -> list[Entry]:
    """Returns what all entries of a stream share, for each stream of a project as the client calls it."""
    return [
        {
            "logName": f"projects/{project}/logs/{_WORKER}",
            "resource": {
                "type": "ml_job",
                "labels": {
                    "job_id": document["job"].rpartition("/")[2],
                    "project_id": project,
                    "task_name": _WORKER,
                },
            },
            "_file": document["file"],
        }
        for document in database.list(KIND, f"projects/{project_number(project)}")
    ]


def read_entries(data_dir: Path, streams: Sequence[Entry], query: "Query") -> list[Entry]:
    """Returns the entries of streams that a query lets through, oldest first, those of one time by their `insertId`."""
    found = [entry for one in streams for entry in _entries(data_dir / FOLDER, one) if query.holds(entry)]
    return sorted(found, key=lambda entry: (str(entry["timestamp"]), str(entry["insertId"])))


def _entries(folder: Path, stream: Entry) -> Iterator[Entry]:
    path = folder / stream["_file"]
    if not path.exists():  # the task has just begun
        return
    shared = {key: value for key, value in stream.items() if key != "_file"}
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if line.endswith(b"\n"):  # or else it is being written
                told = json.loads(line)
                yield {
                    "insertId": f"{stream['resource']['labels']['job_id']}-{number:08}",
                    **shared,
                    "timestamp": told["timestamp"],
                    "receiveTimestamp": told["timestamp"],
                    "severity": told["severity"],
                    "jsonPayload": {"message": told["message"]},
                }
