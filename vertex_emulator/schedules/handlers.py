"""The REST methods of schedules, and the route that sets their clock."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.filters import snake_case
from vertex_emulator.names import location_of, new_name
from vertex_emulator.resources import apply, fetch, item_path, listing, masked, name_of, operation, parameters
from vertex_emulator.routing import LOCATION, emulator_of, vertex
from vertex_emulator.schedules.clock import read_setting
from vertex_emulator.schedules.request import REQUEST, SETTABLE, check_whole, checked, parse_schedule
from vertex_emulator.schedules.resource import KIND, Schedule
from vertex_emulator.wire import Json, parse, read_json, timestamp

_SCHEDULES = f"{LOCATION}/{KIND}"
_SCHEDULE = item_path(KIND)
_FILTERABLE = ("display_name", "state", "create_time", "start_time", "end_time", "next_run_time")
_ORDERABLE = ("createTime", "startTime", "endTime", "nextRunTime")


async def _create(request: Request) -> Response:
    parameters(request)
    emulator = emulator_of(request)
    location, body = location_of(request), await read_json(request)
    fields = await checked(emulator, location, parse_schedule(body), body)
    now = emulator.schedules.clock.now()
    made = {"createTime": timestamp(now), "startTime": timestamp(now), "state": "ACTIVE", "startedRunCount": "0"}
    schedule = Schedule({"name": new_name(emulator.database, location, KIND), **made, **fields})
    check_whole(schedule, now)
    schedule.arm(now)
    emulator.schedules.save(schedule)
    return Json(schedule.document)


async def _get(request: Request) -> Response:
    parameters(request)
    return Json(_schedule_of(request).document)


async def _list(request: Request) -> Response:
    from vertex_emulator.protobuf import types

    schedules = emulator_of(request).database.list(KIND, location_of(request))
    return listing(
        request,
        KIND,
        schedules[::-1],
        types.Schedule,
        filterable=_FILTERABLE,
        orderable=_ORDERABLE,
        derived={snake_case(REQUEST): lambda schedule: str(schedule[REQUEST]["parent"])},
    )


async def _update(request: Request) -> Response:
    emulator = emulator_of(request)
    if not parameters(request, "updateMask").get("updateMask"):
        raise invalid("Required field is not set: update_mask.", "update_mask")
    body = await read_json(request)
    changes = masked(request, parse_schedule(body), SETTABLE)
    given = {field: value for field, value in changes.items() if value is not None}
    changes |= await checked(emulator, location_of(request), given, body)
    schedule = _schedule_of(request)
    _check_state(schedule, "updated", "ACTIVE", "PAUSED")
    for field, value in changes.items():
        if value is None and field in schedule.document and field != "allowQueueing":
            message = f"{snake_case(field)} is set and cannot be unset."
            raise invalid(message, f"schedule.{snake_case(field)}")
    apply(schedule.document, changes)
    now = emulator.schedules.clock.now()
    check_whole(schedule, now)
    schedule.arm(now)  # what was due and has not been started is left out
    schedule.complete(now)
    emulator.schedules.save(schedule)
    return Json(schedule.document)


async def _pause(request: Request) -> Response:
    from vertex_emulator.protobuf import types

    parameters(request)
    parse(await read_json(request), types.PauseScheduleRequest)
    schedule = _schedule_of(request)
    _check_state(schedule, "paused", "ACTIVE")
    schedules = emulator_of(request).schedules
    schedule.document |= {"state": "PAUSED", "lastPauseTime": timestamp(schedules.clock.now())}
    schedules.save(schedule)
    return Json({})


async def _resume(request: Request) -> Response:
    from vertex_emulator.protobuf import types

    parameters(request)
    catch_up = bool(parse(await read_json(request), types.ResumeScheduleRequest).get("catchUp"))
    schedule = _schedule_of(request)
    _check_state(schedule, "resumed", "PAUSED")
    schedules = emulator_of(request).schedules
    now = schedules.clock.now()
    schedule.document |= {"state": "ACTIVE", "lastResumeTime": timestamp(now), "catchUp": catch_up}
    if not catch_up:
        schedule.arm(now)
    schedules.save(schedule)
    return Json({})


async def _delete(request: Request) -> Response:
    parameters(request)
    emulator_of(request).database.delete(_schedule_of(request).name)  # jobs that it has started stay
    return operation(request, {}, "Empty")


def _schedule_of(request: Request) -> Schedule:
    return Schedule(fetch(emulator_of(request).database, name_of(request)))


def _check_state(schedule: Schedule, verb: str, *states: str) -> None:
    if schedule.state not in states:
        message = f"The Schedule `{schedule.name}` is in state {schedule.state} and cannot be {verb}."
        raise ApiError("FAILED_PRECONDITION", message)


async def _put_clock(request: Request) -> Response:
    schedules = emulator_of(request).schedules
    if not schedules.fires:
        message = "This emulator lives as long as one command, and its schedules start nothing: start one of your own."
        raise ApiError("FAILED_PRECONDITION", message)
    try:
        schedules.set_clock(read_setting(await request.json()))
    except (ValueError, msgspec.ValidationError) as error:
        raise invalid(str(error)) from error
    return await _get_clock(request)


async def _get_clock(request: Request) -> Response:
    return Json(emulator_of(request).schedules.clock.shown)


routes = [
    Route("/emulator/schedules", _put_clock, methods=["PUT"]),
    Route("/emulator/schedules", _get_clock, methods=["GET"]),
    *vertex("POST", f"{_SCHEDULE}:pause", _pause),
    *vertex("POST", f"{_SCHEDULE}:resume", _resume),
    *vertex("POST", _SCHEDULES, _create),
    *vertex("GET", _SCHEDULES, _list),
    *vertex("GET", _SCHEDULE, _get),
    *vertex("PATCH", _SCHEDULE, _update),
    *vertex("DELETE", _SCHEDULE, _delete),
]
