"""The REST methods of pipeline jobs."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.errors import ApiError, invalid, not_found
from vertex_emulator.filters import camel_case, compile_filter
from vertex_emulator.names import location_of
from vertex_emulator.pipelines.resource import KIND, JobResource
from vertex_emulator.pipelines.submission import submit
from vertex_emulator.resources import operation, ordered, parameters
from vertex_emulator.routing import LOCATION, emulator_of, vertex
from vertex_emulator.wire import Json, page, parse, read_json

_JOBS = f"{LOCATION}/{KIND}"
_JOB = f"{_JOBS}/{{job}}"
_FILTERABLE = ("display_name", "state", "create_time", "update_time", "end_time", "labels", "schedule_name")
_ORDERABLE = ("createTime", "updateTime", "endTime", "startTime")
_COMPARED = (*_ORDERABLE, *map(camel_case, _FILTERABLE), "pipelineSpec.pipelineInfo")


async def _create(request: Request) -> Response:
    job_id = parameters(request, "pipelineJobId").get("pipelineJobId", "")
    job = await submit(emulator_of(request), location_of(request), await read_json(request), job_id)
    return Json(job.document)


async def _get(request: Request) -> Response:
    parameters(request)
    return Json(_job_of(request).document)


async def _list(request: Request) -> Response:
    from vertex_emulator.protobuf import types

    query = parameters(request, "filter", "orderBy", "pageSize", "pageToken", "readMask")
    holds = compile_filter(
        query.get("filter", ""),
        types.PipelineJob,
        _FILTERABLE,
        derived={
            "pipeline_name": lambda job: str(job["pipelineSpec"]["pipelineInfo"]["name"]),
            "pipeline_job_user_id": lambda job: str(job["name"].rpartition("/")[2]),
        },
    )
    database, mask = emulator_of(request).database, _read_mask(query.get("readMask", ""))
    jobs = [job for job in database.parts(KIND, location_of(request), _COMPARED) if holds(job)]
    answer = page(request, KIND, ordered(jobs, query.get("orderBy", ""), _ORDERABLE))
    if KIND in answer:  # of thousands, only those of the page are read whole
        answer[KIND] = [_masked(_brief(database.get(job["name"]) or job), mask) for job in answer[KIND]]
    return Json(answer)


def _brief(document: dict[str, Any]) -> dict[str, Any]:
    contexts = {key: value for key, value in document["jobDetail"].items() if key != "taskDetails"}
    return {**document, "jobDetail": contexts}


def _read_mask(text: str) -> list[list[str]]:
    """Returns the paths of a read mask, each as its steps in camelCase; none for all fields.

    Raises:
        ApiError: 400 for a path that leads to nothing that a pipeline job can have.
    """
    from vertex_emulator.protobuf import types

    paths = [[camel_case(step) for step in path.strip().split(".")] for path in text.split(",") if path.strip()]
    for path in paths:
        if path != ["*"] and not _leads_somewhere(path, types.PipelineJob.pb().DESCRIPTOR):
            raise invalid(f"Unknown read mask path '{'.'.join(path)}'.", "read_mask")
    return [] if ["*"] in paths else paths


def _leads_somewhere(path: list[str], message: Any) -> bool:
    """Tells whether a path is of fields: in messages by the fields that they have, in maps and structs by any key."""
    field = next((one for one in message.fields if one.json_name == path[0]), None)
    if field is None or len(path) == 1:
        return field is not None
    inner = field.message_type
    if inner is None or inner.full_name == "google.protobuf.Timestamp":
        return False
    if inner.full_name == "google.protobuf.Struct" or inner.GetOptions().map_entry:
        return all(path)
    return not field.is_repeated and _leads_somewhere(path[1:], inner)


def _masked(document: dict[str, Any], mask: list[list[str]]) -> dict[str, Any]:
    """Returns the part of a document that a read mask asks for."""
    kept: dict[str, Any] = {} if mask else document
    for path in mask:
        into, part = kept, document
        for step in path[:-1]:
            part = part.get(step, {})
            if not isinstance(part, dict):  # a struct's key may hold anything
                part = {}
            into = into.setdefault(step, {}) if part else into
        if path[-1] in part:
            into[path[-1]] = part[path[-1]]
    return kept


async def _cancel(request: Request) -> Response:
    from vertex_emulator.protobuf import types

    parameters(request)
    parse(await read_json(request), types.CancelPipelineJobRequest)
    emulator_of(request).pipelines.cancel(_job_of(request))
    return Json({})


async def _delete(request: Request) -> Response:
    parameters(request)
    job = _job_of(request)
    if not job.ended:
        message = f"The PipelineJob `{job.name}` is in state {job.state} and cannot be deleted: cancel it first."
        raise ApiError("FAILED_PRECONDITION", message)
    emulator_of(request).database.delete(job.name)
    return operation(request, {}, "Empty")


def _job_of(request: Request) -> JobResource:
    emulator = emulator_of(request)
    name = f"{location_of(request)}/{KIND}/{request.path_params['job']}"
    document = emulator.database.get(name)
    if document is None:
        raise not_found(f"The PipelineJob `{name}`")
    return JobResource(document, emulator.database, emulator.objects)


routes = [
    *vertex("POST", f"{_JOB}:cancel", _cancel),
    *vertex("POST", _JOBS, _create),
    *vertex("GET", _JOBS, _list),
    *vertex("GET", _JOB, _get),
    *vertex("DELETE", _JOB, _delete),
]
