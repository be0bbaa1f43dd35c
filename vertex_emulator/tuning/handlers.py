"""The REST methods of tuning jobs: create, get, list, cancel. There is no delete. And what befalls them on demand."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vertex_emulator.errors import invalid
from vertex_emulator.names import location_of
from vertex_emulator.protobuf import types
from vertex_emulator.resources import fetch, listing
from vertex_emulator.routing import LOCATION, emulator_of, vertex
from vertex_emulator.tuning.fates import read_control
from vertex_emulator.tuning.request import read_request
from vertex_emulator.tuning.resource import KIND, JobResource
from vertex_emulator.wire import Json, read_json

_JOBS = f"{LOCATION}/{KIND}"
_JOB = f"{_JOBS}/{{job}}"
_FILTERABLE = frozenset({"base_model", "create_time", "labels", "state", "tuned_model_display_name", "update_time"})


async def _create(request: Request) -> Response:
    emulator = emulator_of(request)
    location = location_of(request)
    body = await read_json(request)
    fields = read_request(body, location, emulator.database, emulator.objects, emulator.serving)
    return Json(emulator.tuning.create(location, fields).document)


async def _get(request: Request) -> Response:
    return Json(_job_of(request).document)


async def _list(request: Request) -> Response:
    jobs = emulator_of(request).database.list(KIND, location_of(request))
    return listing(request, KIND, jobs[::-1], types.TuningJob, filterable=_FILTERABLE)


async def _cancel(request: Request) -> Response:
    emulator_of(request).tuning.cancel(_job_of(request))
    return Json({})


def _job_of(request: Request) -> JobResource:
    database = emulator_of(request).database
    name = f"{location_of(request)}/{KIND}/{request.path_params['job']}"
    return JobResource(database, fetch(database, name)["name"])


async def _put_control(request: Request) -> Response:
    try:
        emulator_of(request).tuning.put(read_control(await request.json()))
    except (ValueError, msgspec.ValidationError) as error:
        raise invalid(str(error)) from error
    return await _get_control(request)


async def _get_control(request: Request) -> Response:
    return Json(emulator_of(request).tuning.control)


routes = [
    Route("/emulator/tuning", _put_control, methods=["PUT"]),
    Route("/emulator/tuning", _get_control, methods=["GET"]),
    *vertex("POST", f"{_JOB}:cancel", _cancel),
    *vertex("POST", _JOBS, _create),
    *vertex("GET", _JOBS, _list),
    *vertex("GET", _JOB, _get),
]
