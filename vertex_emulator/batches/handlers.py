"""The REST methods of batch prediction jobs: create, get, list, cancel, delete."""

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.batches.request import read_request
from vertex_emulator.batches.resource import KIND, BatchJob
from vertex_emulator.names import location_of
from vertex_emulator.protobuf import types
from vertex_emulator.resources import fetch, item_path, listing, name_of, operation
from vertex_emulator.routing import LOCATION, emulator_of, vertex
from vertex_emulator.wire import Json, read_json

_JOBS = f"{LOCATION}/{KIND}"
_JOB = item_path(KIND)
_FILTERABLE = frozenset({"create_time", "display_name", "labels", "model", "state", "update_time"})


async def _create(request: Request) -> Response:
    emulator = emulator_of(request)
    location = location_of(request)
    body = await read_json(request)
    fields = read_request(body, location, emulator.database, emulator.objects, emulator.serving)
    return Json(emulator.batches.create(location, fields).document)


async def _get(request: Request) -> Response:
    return Json(_job_of(request).document)


async def _list(request: Request) -> Response:
    jobs = emulator_of(request).database.list(KIND, location_of(request))
    return listing(request, KIND, jobs[::-1], types.BatchPredictionJob, filterable=_FILTERABLE)


async def _cancel(request: Request) -> Response:
    emulator_of(request).batches.cancel(_job_of(request))
    return Json({})


async def _delete(request: Request) -> Response:
    emulator_of(request).batches.delete(_job_of(request))
    return operation(request, {}, "Empty")


def _job_of(request: Request) -> BatchJob:
    database = emulator_of(request).database
    return BatchJob(database, fetch(database, name_of(request))["name"])


routes = [
    *vertex("POST", f"{_JOB}:cancel", _cancel),
    *vertex("POST", _JOBS, _create),
    *vertex("GET", _JOBS, _list),
    *vertex("GET", _JOB, _get),
    *vertex("DELETE", _JOB, _delete),
]
