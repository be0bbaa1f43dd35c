"""Takes a schedule as a client describes it, or refuses it as Vertex would."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.filters import snake_case
from vertex_emulator.names import canonical
from vertex_emulator.pipelines.submission import check, posted
from vertex_emulator.resources import Document, check_fields
from vertex_emulator.schedules.cron import Cron
from vertex_emulator.schedules.resource import Schedule
from vertex_emulator.wire import parse

if TYPE_CHECKING:
    from vertex_emulator.emulator import Emulator

REQUEST = "createPipelineJobRequest"
SETTABLE = (
    "displayName",
    "cron",
    "startTime",
    "endTime",
    "maxRunCount",
    "maxConcurrentRunCount",
    "maxConcurrentActiveRunCount",
    "allowQueueing",
    REQUEST,
)
"""What a client can give a schedule, and change later."""

_COUNTS = ("maxRunCount", "maxConcurrentRunCount", "maxConcurrentActiveRunCount")
_REQUIRED = ("displayName", "cron", "maxConcurrentRunCount", REQUEST)


def parse_schedule(body: dict[str, Any]) -> Document:
    """Returns what a client gives of a schedule in canonical JSON.

    Raises:
        ApiError: 400 for what no Schedule has; 501 for a schedule of something else than pipeline jobs.
    """
    from vertex_emulator.protobuf import types

    given = parse(body, types.Schedule, "schedule")
    for other in ("createNotebookExecutionJobRequest", "createModelMonitoringJobRequest"):
        if other in given:
            message = f"The emulator schedules pipeline jobs, by create_pipeline_job_request; got {snake_case(other)}."
            raise ApiError("UNIMPLEMENTED", message)
    return {field: given[field] for field in SETTABLE if field in given}


async def checked(emulator: "Emulator", location: str, given: Document, body: dict[str, Any]) -> Document:
    """Returns fields of a schedule that were found good, with the pipeline job as it was posted.

    Args:
        emulator: The emulator.
        location: Where the schedule is, canonical `projects/NUMBER/locations/LOCATION`.
        given: The fields to check, of those that `parse_schedule` has returned.
        body: The Schedule as received.

    Raises:
        ApiError: 400 naming the field that is wrong.
    """
    check_fields(given)
    if "cron" in given:
        try:
            Cron.parse(given["cron"])
        except ValueError as error:
            raise invalid(
                f"Invalid cron '{given['cron']}': {error}. Expected MINUTE HOUR DAY MONTH WEEKDAY, if wanted with the"
                " time zone before it, as in 'TZ=Europe/Berlin 0 6 * * 1'.",
                "schedule.cron",
            ) from error
    for field in _COUNTS:
        if int(given.get(field, 0)) < 0:
            message = f"{snake_case(field)} must be positive, got {given[field]}."
            raise invalid(message, f"schedule.{snake_case(field)}")
    if REQUEST not in given:
        return given
    return {**given, REQUEST: await _read_request(emulator, location, given[REQUEST], posted(body, REQUEST))}


async def _read_request(
    emulator: "Emulator", location: str, given: Mapping[str, Any], body: dict[str, Any]
) -> Document:
    parent, job_id = given.get("parent", ""), given.get("pipelineJobId", "")
    if canonical(parent) != location:
        raise invalid(
            f"create_pipeline_job_request.parent must be where the schedule is, {location}, got '{parent}'.",
            "schedule.create_pipeline_job_request.parent",
        )
    accepted = await check(emulator, posted(body, "pipelineJob") or {}, job_id)
    request = {"parent": location, "pipelineJob": accepted.fields}
    return {**request, "pipelineJobId": job_id} if job_id else request


def check_whole(schedule: Schedule, now: datetime) -> None:
    """Refuses a schedule that, new or with changes made, lacks something or can have no run.

    Args:
        schedule: It.
        now: The present time.

    Raises:
        ApiError: 400 naming the field.
    """
    document = schedule.document
    for field in _REQUIRED:
        if field not in document:
            raise invalid(f"Required field is not set: {snake_case(field)}.", f"schedule.{snake_case(field)}")
    if schedule.end is not None and schedule.end <= max(schedule.start, now):
        message = f"end_time must be later than start_time and than now, got {document['endTime']}."
        raise invalid(message, "schedule.end_time")
