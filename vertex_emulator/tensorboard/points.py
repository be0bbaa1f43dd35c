"""The points of time series: written to a run, read by series.

All points of a series are one document below it, `{series}/points/all`, in the order of their steps.
"""

import math
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.database import Database
from vertex_emulator.errors import invalid
from vertex_emulator.names import canonical
from vertex_emulator.protobuf import types
from vertex_emulator.resources import Document, fetch, item_path, name_of, parameters
from vertex_emulator.routing import emulator_of, vertex
from vertex_emulator.tensorboard.tree import time_series_named
from vertex_emulator.wire import Json, now, parse, read_json

_MAX_READ = 1000  # "the number of data points stored per time series is less or equal 1000", of batchRead


def _step(point: Document) -> int:
    return int(point.get("step", 0))


def _stored(database: Database, series: str) -> list[Document]:
    return list((database.get(f"{series}/points/all") or {}).get("values", []))


def _append(database: Database, series: Document, points: list[Document]) -> None:
    name = series["name"]
    values = sorted([*_stored(database, name), *points], key=_step)
    database.put("points", name, {"name": f"{name}/points/all", "values": values})
    times = [point["wallTime"] for point in values if "wallTime" in point]
    if values:
        series["metadata"] = {"maxStep": str(_step(values[-1]))} | ({"maxWallTime": max(times)} if times else {})
    database.put("timeSeries", name.rsplit("/", 2)[0], series)


def _data(database: Database, series: Document, limit: int) -> dict[str, Any]:
    """Returns `TimeSeriesData` with at most `limit` points, evenly spaced from the first to the last; all if -1."""
    values = _stored(database, series["name"])
    if 0 < limit < len(values):
        gaps = max(limit - 1, 1)
        values = [values[round(index * (len(values) - 1) / gaps)] for index in range(limit)]
    data = {"tensorboardTimeSeriesId": series["name"].rpartition("/")[2], "valueType": series["valueType"]}
    return data | ({"values": values} if values else {})


def write_scalars(
    database: Database,
    run_name: str,
    tag: str,
    points: Sequence[tuple[int, float]],
    wall_times: Sequence[str] | None = None,
) -> None:
    """Appends points to a run's scalar time series, which is made if it is missing.

    Args:
        database: Where it is kept.
        run_name: Full name of the TensorBoard run.
        tag: Display name of the time series, e.g. `/train_total_loss`.
        points: Steps and values.
        wall_times: RFC 3339 time of each point; now if not given.

    Raises:
        ApiError: 404 if there is no such run.
    """
    times = wall_times if wall_times is not None else [now()] * len(points)
    values: list[Document] = []
    for (step, value), wall_time in zip(points, times, strict=True):
        # As protobuf writes in JSON what JSON has no number for.
        number = value if math.isfinite(value) else {"nan": "NaN", "inf": "Infinity"}.get(str(value), "-Infinity")
        values.append({"step": str(step), "wallTime": wall_time, "scalar": {"value": number}})
    _append(database, time_series_named(database, canonical(run_name), tag), values)


async def _write(request: Request) -> Response:
    given = parse(await read_json(request), types.WriteTensorboardRunDataRequest)
    database, run = emulator_of(request).database, name_of(request)
    fetch(database, run)
    writes: list[tuple[Document, list[Document]]] = []
    for data in given.get("timeSeriesData", []):
        series = fetch(database, f"{run}/timeSeries/{data.get('tensorboardTimeSeriesId', '')}")
        if data.get("valueType") != series["valueType"]:
            message = f"Time series `{series['name']}` has values of type {series['valueType']}."
            raise invalid(message, "time_series_data.value_type")
        field = {"SCALAR": "scalar", "TENSOR": "tensor", "BLOB_SEQUENCE": "blobs"}[series["valueType"]]
        if any(field not in point for point in data.get("values", [])):
            raise invalid(f"Every point must have a {field}.", "time_series_data.values")
        writes.append((series, data.get("values", [])))
    for series, points in writes:
        # Read again: one request may write twice to a series.
        _append(database, fetch(database, series["name"]), points)
    return Json({})


async def _batch_read(request: Request) -> Response:
    parameters(request, repeated="timeSeries")
    database, tensorboard = emulator_of(request).database, name_of(request)
    fetch(database, tensorboard)
    query = request.query_params
    names = [canonical(name) for key in ("timeSeries", "time_series") for name in query.getlist(key)]
    if not names:
        raise invalid("Required field is not set: time_series.", "time_series")
    for name in names:
        if not name.startswith(f"{tensorboard}/") or name.split("/")[-2] != "timeSeries":
            raise invalid(f"`{name}` is not a time series of `{tensorboard}`.", "time_series")
    return Json({"timeSeriesData": [_data(database, fetch(database, name), _MAX_READ) for name in names]})


async def _read(request: Request) -> Response:
    text = parameters(request, "maxDataPoints").get("maxDataPoints", "0")
    if not text.removeprefix("-").isdigit() or int(text) < -1:
        raise invalid(f"max_data_points must be a positive integer, or -1 for all, not {text!r}.", "max_data_points")
    database = emulator_of(request).database
    return Json({"timeSeriesData": _data(database, fetch(database, name_of(request)), int(text) or _MAX_READ)})


_RUN = item_path("tensorboards", "experiments", "runs")

routes = [
    *vertex("POST", f"{_RUN}:write", _write),
    *vertex("GET", f"{item_path('tensorboards')}:batchRead", _batch_read),
    *vertex("GET", f"{_RUN}/timeSeries/{{timeSeries}}:read", _read),
]
