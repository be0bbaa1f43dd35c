"""`gemini-sft logs`: what the tasks of a run have written, out of Cloud Logging.

Vertex AI runs each attempt of a task as a custom job, whose lines Cloud Logging has under the resource `ml_job`.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from gemini_sft import vertex
from gemini_sft.errors import DeniedError, UserError
from launcher.found import resolve
from launcher.place import Site, at_place
from launcher.submission import FoundRun
from launcher.target import Target

_PAGE = 1000
_STAMPED = re.compile(r"^\[KFP Executor [^\]]* ([A-Z]+)\]: (.*)$")
_HANDS_OVER = "Got executor_input:"
_KFP_SAYS = ("Looking for component", "Loading KFP component", "Wrote executor output file")
_ROLE = "roles/logging.viewer"
# What would move the cursor, colour the rest or ring a bell. A tabulator may stay.
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def show_logs(site: Site, run: str, task: str | None, console: Console, notes: Console) -> None:
    """Prints the lines of a run's tasks in the order of their times, with the task's name before each.

    Args:
        site: Where the run is.
        run: Which run, see `resolve`.
        task: The only task that is wanted, as `status` calls it; None for all.
        console: Takes the lines.
        notes: Takes what else is to be said.

    Raises:
        UserError: There is no such run or task, or the account may not read the logs.
        RunError: Vertex AI or Cloud Logging did not answer.
    """
    with at_place(site, notes) as place:
        one = resolve(place.target, run)
        submitted = FoundRun(one.id, place.target)
        tasks = submitted.custom_jobs()
        if task is not None:
            if task not in tasks:
                raise UserError(f"--task {task}: the run {one.id} has {', '.join(tasks) or 'no tasks yet'}")
            tasks = {task: tasks[task]}
        names = {job: name for name, jobs in tasks.items() for job in jobs}
        width = max(map(len, names.values()), default=0)
        written = False
        for name, line in _lines(place.target, one.id, names, one.created):
            console.print(Text(f"{name:<{width}} ", "cyan").append(f"| {line}", "default"), soft_wrap=True)
            written = True
        if not written:
            notes.print("Nothing has been written yet." if names else "There are no logs of it.")


def _lines(target: Target, run_id: str, names: Mapping[str, str], since: datetime) -> Iterator[tuple[str, str]]:
    """Yields task and line.

    Args:
        target: Project and region.
        run_id: Whose logs these are.
        names: Names of tasks, by the ids of their custom jobs.
        since: When the first line may have been written: the service looks through no more than it must.
    """
    if not names:
        return
    spoken = {name: KfpLines() for name in names.values()}
    try:
        for entry in _entries(target.project, names, since):
            name = names[entry["resource"]["labels"]["job_id"]]
            for line in message_of(entry).splitlines() or [""]:
                clean = _CONTROLS.sub("", line)
                if (shown := spoken[name].shown(clean)) is not None:
                    yield name, shown
    except DeniedError as error:
        raise UserError(
            f"the logs of project {target.project} may not be read: give your account {_ROLE} there, with `gcloud"
            f" projects add-iam-policy-binding {target.project} --member=user:YOU --role={_ROLE}`, or let somebody look"
            f" who has it: {vertex.console_link(target.project, target.location, run_id)} ({error})"
        ) from error


def _entries(project: str, names: Mapping[str, str], since: datetime) -> Iterator[dict[str, Any]]:
    host = os.environ.get("CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING") or "https://logging.googleapis.com/"
    jobs = " OR ".join(f'"{job}"' for job in names)
    terms = ('resource.type="ml_job"', f"resource.labels.job_id=({jobs})", f'timestamp>="{since.isoformat()}"')
    body = {
        "resourceNames": [f"projects/{project}"],
        "filter": " AND ".join(terms),
        "orderBy": "timestamp asc",
        "pageSize": _PAGE,
    }
    while True:
        page = vertex.ask(f"{host.rstrip('/')}/v2/entries:list", body, "Cloud Logging")
        yield from page.get("entries", [])
        if not page.get("nextPageToken"):
            return
        body["pageToken"] = page["nextPageToken"]


class KfpLines:
    """The lines of one task without what kfp puts among them.

    That is how it finds the task, what it hands over, a page of JSON, and a stamp before each line that is logged: its
    name, a time, a level, of which only a level that warns is left.
    """

    def __init__(self) -> None:
        """Begins before the first line."""
        self._handing_over = False

    def shown(self, line: str) -> str | None:
        """Returns what is left of the next line; None for nothing."""
        if stamped := _STAMPED.match(line):
            level, said = stamped.groups()
            self._handing_over = said == _HANDS_OVER
            if self._handing_over or said.startswith(_KFP_SAYS):
                return None
            return said if level == "INFO" else f"{level}: {said}"
        within = self._handing_over
        if line == "}":
            self._handing_over = False
        return None if within else line


def message_of(entry: dict[str, Any]) -> str:
    """Returns the text of a log entry, whichever form its payload has."""
    if "textPayload" in entry:
        return str(entry["textPayload"])
    payload = entry.get("jsonPayload", entry.get("protoPayload", {}))
    return str(payload["message"]) if "message" in payload else json.dumps(payload)
