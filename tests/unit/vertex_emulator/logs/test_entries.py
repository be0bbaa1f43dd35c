"""The lines of several custom jobs as the entries of a project."""

import json
from pathlib import Path

from vertex_emulator.database import Database
from vertex_emulator.logs.entries import FOLDER, keep, read_entries, streams_of
from vertex_emulator.logs.query import compile_query
from vertex_emulator.names import project_number


def test_lines_of_several_jobs_are_in_the_order_of_their_times(tmp_path: Path) -> None:
    database = Database(tmp_path / "vertex.db")
    parent = f"projects/{project_number('a-project')}/locations/us-central1/customJobs"
    (tmp_path / FOLDER).mkdir()
    for job, seconds in (("1", (1, 4)), ("2", (2, 3)), ("3", ())):
        keep(database, f"{parent}/{job}", f"{job}.jsonl")
        told = [
            {"timestamp": f"2026-11-26T08:00:0{second}.000000Z", "severity": "INFO", "message": f"{second}"}
            for second in seconds
        ]
        text = "".join(json.dumps(one) + "\n" for one in told)
        if told:  # the third has just begun, and has no file yet
            (tmp_path / FOLDER / f"{job}.jsonl").write_text(text + '{"timestamp": "half of a line that is being wri')
    streams = streams_of(database, "a-project")
    found = read_entries(tmp_path, streams, compile_query(""))
    assert [entry["jsonPayload"]["message"] for entry in found] == ["1", "2", "3", "4"]
    assert [entry["resource"]["labels"]["job_id"] for entry in found] == ["1", "2", "2", "1"]
    assert len({entry["insertId"] for entry in found}) == 4
    later = compile_query('timestamp>="2026-11-26T08:00:03Z" resource.labels.job_id=(1 OR 3)')
    assert [entry["jsonPayload"]["message"] for entry in read_entries(tmp_path, streams, later)] == ["4"]
    assert streams_of(database, "another-project") == []
    database.close()
