"""The API server of Kubeflow Pipelines (v2beta1), as strict as it is, with no cluster behind it: runs wait to be told.

Bodies are held against the models of its own client, pipelines against its own protobuf, parameters against the
pipeline, and cron against the parser that it uses: seconds first, and no seventh day.
"""

import json
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

import kfp_server_api
import uvicorn
from cronsim import CronSim, CronSimError
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_SCALARS: dict[str, type | tuple[type, ...]] = {"str": (str, int), "bool": bool, "int": int, "object": dict}
_ENDED = ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELED")


class Refused(Exception):
    """What the server answers to a request that is wrong."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class KubeflowServer:
    """The server, on a free port of 127.0.0.1.

    Args:
        token: That every request must carry.
        multi_user: Whether every request must name a namespace.
    """

    def __init__(self, token: str = "", *, multi_user: bool = False) -> None:
        self._token, self._multi_user = token, multi_user
        self.experiments: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.recurring: dict[str, dict[str, Any]] = {}
        root = "/apis/v2beta1"
        routes = [
            Route(f"{root}/healthz", self._healthz),
            Route(f"{root}/experiments", self._list_experiments),
            Route(f"{root}/experiments", self._make_experiment, methods=["POST"]),
            Route(f"{root}/runs", self._list_runs),
            Route(f"{root}/runs", self._make_run, methods=["POST"]),
            Route(f"{root}/runs/{{id}}", self._get_run),
            Route(f"{root}/runs/{{id}}:terminate", self._terminate, methods=["POST"]),
            Route(f"{root}/recurringruns", self._list_recurring),
            Route(f"{root}/recurringruns", self._make_recurring, methods=["POST"]),
            Route(f"{root}/recurringruns/{{id}}", self._get_recurring),
            Route(f"{root}/recurringruns/{{id}}", self._delete_recurring, methods=["DELETE"]),
            Route(f"{root}/recurringruns/{{id}}:enable", self._enable, methods=["POST"]),
            Route(f"{root}/recurringruns/{{id}}:disable", self._disable, methods=["POST"]),
        ]
        app = Starlette(routes=routes, exception_handlers={Refused: _refusal})
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            pass
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def fire(self, name: str) -> dict[str, Any]:
        """Starts the run that the recurring run of a name is due for."""
        (one,) = [one for one in self.recurring.values() if one["display_name"] == name]
        body = {key: one[key] for key in ("experiment_id", "pipeline_spec", "runtime_config")}
        return self._start({**body, "display_name": f"{name}-{uuid.uuid4().hex[:5]}"}, one["recurring_run_id"])

    def tell(self, state: str, error: str = "", **tasks: str) -> None:
        """Sets the state of the only run, and of its tasks by their names with _ for -."""
        (run,) = self.runs.values()
        details = [{"display_name": name.replace("_", "-"), "state": how} for name, how in tasks.items()]
        run |= {"state": state, "run_details": {"task_details": details}}
        run |= {"error": {"code": 2, "message": error}} if error else {}

    async def _healthz(self, request: Request) -> Response:
        self._check(request, namespace=False)
        return JSONResponse({"multi_user": self._multi_user})

    async def _list_experiments(self, request: Request) -> Response:
        self._check(request)
        return _page(request, "experiments", self._mine(request, self.experiments))

    async def _make_experiment(self, request: Request) -> Response:
        body = await self._body(request, "V2beta1Experiment", required=("display_name",))
        if self._multi_user and not body.get("namespace"):
            raise Refused(400, "Invalid input error: Namespace cannot be empty in multi-user mode")
        if any(_same(one, body, "display_name", "namespace") for one in self.experiments.values()):
            raise Refused(409, f"Already exist error: experiment {body['display_name']}")
        key = str(uuid.uuid4())
        self.experiments[key] = {**body, "experiment_id": key, "created_at": _now()}
        return JSONResponse(self.experiments[key])

    async def _list_runs(self, request: Request) -> Response:
        self._check(request, namespace="experiment_id" not in request.query_params)
        wanted = request.query_params.get("experiment_id")
        runs = {key: one for key, one in self.runs.items() if wanted in (None, one["experiment_id"])}
        return _page(request, "runs", list(runs.values()))

    async def _make_run(self, request: Request) -> Response:
        body = await self._body(request, "V2beta1Run", required=("display_name", "pipeline_spec", "experiment_id"))
        return JSONResponse(self._start(body))

    async def _get_run(self, request: Request) -> Response:
        self._check(request, namespace=False)
        return JSONResponse(_found(self.runs, request))

    async def _terminate(self, request: Request) -> Response:
        self._check(request, namespace=False)
        run = _found(self.runs, request)
        if run["state"] in _ENDED:
            raise Refused(400, f"Failed to terminate the run: it is {run['state']}")
        run["state"] = "CANCELED"
        return JSONResponse({})

    async def _list_recurring(self, request: Request) -> Response:
        self._check(request, namespace="experiment_id" not in request.query_params)
        return _page(request, "recurringRuns", list(self.recurring.values()))

    async def _make_recurring(self, request: Request) -> Response:
        required = ("display_name", "pipeline_spec", "experiment_id", "trigger", "max_concurrency", "mode")
        body = await self._body(request, "V2beta1RecurringRun", required=required)
        self._check_run(body)
        if not 1 <= int(body["max_concurrency"]) <= 10:
            raise Refused(400, "Invalid input error: The max concurrency must be between 1 and 10")
        schedule = body["trigger"].get("cron_schedule") or {}
        _check_cron(schedule.get("cron", ""))
        if schedule.get("start_time") and schedule.get("end_time", "9") <= schedule["start_time"]:
            raise Refused(400, "Invalid input error: The start time must be earlier than the end time")
        if body["mode"] not in ("ENABLE", "DISABLE"):
            raise Refused(400, "Invalid input error: Invalid mode")
        key = str(uuid.uuid4())
        status = "ENABLED" if body["mode"] == "ENABLE" else "DISABLED"
        self.recurring[key] = {**body, "recurring_run_id": key, "created_at": _now(), "status": status}
        return JSONResponse(self.recurring[key])

    async def _get_recurring(self, request: Request) -> Response:
        self._check(request, namespace=False)
        return JSONResponse(_found(self.recurring, request))

    async def _delete_recurring(self, request: Request) -> Response:
        self._check(request, namespace=False)
        del self.recurring[_found(self.recurring, request)["recurring_run_id"]]
        return JSONResponse({})

    async def _enable(self, request: Request) -> Response:
        self._check(request, namespace=False)
        _found(self.recurring, request)["status"] = "ENABLED"
        return JSONResponse({})

    async def _disable(self, request: Request) -> Response:
        self._check(request, namespace=False)
        _found(self.recurring, request)["status"] = "DISABLED"
        return JSONResponse({})

    def _start(self, body: dict[str, Any], recurring_run_id: str = "") -> dict[str, Any]:
        self._check_run(body)
        key = str(uuid.uuid4())
        by = {"recurring_run_id": recurring_run_id} if recurring_run_id else {}
        self.runs[key] = {**body, **by, "run_id": key, "created_at": _now(), "state": "PENDING"}
        return self.runs[key]

    def _check_run(self, body: dict[str, Any]) -> None:
        if body["experiment_id"] not in self.experiments:
            raise Refused(404, f"ResourceNotFoundError: Experiment {body['experiment_id']} not found")
        config = body.get("runtime_config") or {}
        _check_pipeline(body["pipeline_spec"], config.get("parameters") or {})

    def _check(self, request: Request, *, namespace: bool = True) -> None:
        if self._token and request.headers.get("authorization") != f"Bearer {self._token}":
            raise Refused(401, "Failed to authorize with API: Unauthenticated: request header error")
        if namespace and self._multi_user and not request.query_params.get("namespace"):
            raise Refused(400, "Invalid input error: a namespace is needed in multi-user mode")

    def _mine(self, request: Request, found: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        namespace = request.query_params.get("namespace") or None
        return [one for one in found.values() if one.get("namespace") in (None, namespace)]

    async def _body(self, request: Request, model: str, required: tuple[str, ...]) -> dict[str, Any]:
        self._check(request, namespace=False)
        body = await request.json()
        _check_model(body, model, model)
        if missing := [name for name in required if body.get(name) in (None, "", {})]:
            raise Refused(400, f"Invalid input error: {', '.join(missing)} is empty")
        return dict(body)


def _check_model(value: Any, kind: str, where: str) -> None:
    """Refuses what a model does not have, as protobuf's JSON does."""
    if kind.startswith("list["):
        for one in value:
            _check_model(one, kind[5:-1], where)
    elif kind == "datetime":
        datetime.fromisoformat(value)
    elif kind in _SCALARS or kind.startswith("dict("):
        if not isinstance(value, _SCALARS.get(kind, dict)):
            raise Refused(400, f"proto: invalid value for {where}: {value!r}")
    else:
        model = getattr(kfp_server_api, kind)
        if allowed := getattr(model, "allowable_values", None):
            if value not in allowed:
                raise Refused(400, f"proto: invalid value for enum field {where}: {value!r}")
            return
        types = {model.attribute_map[name]: type_ for name, type_ in model.openapi_types.items()}
        for name, one in value.items():
            if name not in types:
                raise Refused(400, f'proto: unknown field "{name}" of {where}')
            if one is not None:
                _check_model(one, types[name], f"{where}.{name}")


def _check_pipeline(document: dict[str, Any], given: dict[str, Any]) -> None:
    try:
        spec = json_format.ParseDict(document.get("pipeline_spec", document), PipelineSpec())
    except json_format.ParseError as error:
        raise Refused(400, f"Failed to fetch a template with an invalid pipeline spec manifest: {error}") from error
    wanted = spec.root.input_definitions.parameters
    if unknown := set(given) - set(wanted):
        raise Refused(400, f"Invalid input error: parameters not in the pipeline: {', '.join(sorted(unknown))}")
    needed = {name for name, one in wanted.items() if not one.is_optional and not one.HasField("default_value")}
    if missing := needed - set(given):
        raise Refused(400, f"Invalid input error: parameters missing: {', '.join(sorted(missing))}")


def _check_cron(cron: str) -> None:
    """Takes what robfig/cron's first version takes: seconds, four fields, and a day of the week that may be missing."""
    fields = cron.split()
    try:
        if len(fields) not in (5, 6) or "7" in "".join(fields[5:]):
            raise CronSimError(f"Expected 5 or 6 fields, found {len(fields)}: {cron}")
        CronSim(" ".join([*fields, "*"][:6]), datetime.now(UTC))
    except CronSimError as error:
        raise Refused(400, f"Invalid input error: Schedule cron is not a supported format: {error}") from error


def _page(request: Request, name: str, found: list[dict[str, Any]]) -> Response:
    """Returns a page of what a filter lets through, as the server does: the first if no token names another."""
    query = request.query_params
    for predicate in json.loads(query.get("filter") or "{}").get("predicates", []):
        if predicate["operation"] not in ("EQUALS", 1) or predicate["key"] not in ("display_name", "name"):
            raise Refused(400, f"Invalid input error: filter {predicate}")
        found = [one for one in found if one["display_name"] == predicate["stringValue"]]
    if query.get("sort_by") == "created_at desc":
        found = sorted(found, key=lambda one: str(one["created_at"]), reverse=True)
    start, size = int(query.get("page_token") or 0), int(query.get("page_size") or 20)
    more = {"next_page_token": str(start + size)} if len(found) > start + size else {}
    return JSONResponse({name: found[start : start + size], "total_size": len(found), **more})


def _found(found: dict[str, dict[str, Any]], request: Request) -> dict[str, Any]:
    key = request.path_params["id"]
    if key not in found:
        raise Refused(404, f"ResourceNotFoundError: {key} not found")
    return found[key]


def _same(one: dict[str, Any], other: dict[str, Any], *keys: str) -> bool:
    return all(one.get(key) == other.get(key) for key in keys)


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"error": str(error), "code": 3, "message": str(error)}, error.status)
