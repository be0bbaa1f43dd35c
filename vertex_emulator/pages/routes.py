"""The addresses of the pages."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from vertex_emulator.errors import ApiError
from vertex_emulator.pages.artifacts import shown
from vertex_emulator.pages.compare import compare
from vertex_emulator.pages.content import content_of
from vertex_emulator.pages.drawing import drawing
from vertex_emulator.pages.guard import OBJECT_POLICY, PAGE_POLICY, headers
from vertex_emulator.pages.logs import log_of
from vertex_emulator.pages.render import FOLDER, page
from vertex_emulator.pages.runs import PAGE_SIZE, Run, find_run, overview
from vertex_emulator.pages.tasks import Task, task_tree
from vertex_emulator.routing import emulator_of
from vertex_emulator.wire import Json

_VIEWS = {".md": "markdown", ".html": "html"}
_FILES = {"style.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}


class _Problem(Exception):
    """What is wrong with a request for a page, and how to mend it."""

    def __init__(self, status: int, title: str, text: str) -> None:
        super().__init__(title)
        self.status, self.title, self.text = status, title, text


def _told(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Tells problems on a page."""

    async def told(request: Request) -> Response:
        try:
            return await handler(request)
        except _Problem as problem:
            return page("problem.html.j2", problem.status, title=problem.title, text=problem.text)

    return told


def refuse(request: Request) -> Response:
    """Answers a page of somebody else: a person who came by another name with a page, a program with JSON."""
    port = int((request.scope.get("server") or ("", 0))[1] or 0)
    text = f"The emulator is for programs and browsers on this machine: open http://127.0.0.1:{port}/ instead."
    if "text/html" in request.headers.get("accept", ""):
        return page("problem.html.j2", 403, title="Not from here", text=text)
    return Json(ApiError("PERMISSION_DENIED", text).body(), 403)


async def _index(request: Request) -> Response:
    given = request.query_params.get("skip", "0")
    skipped = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
    emulator = emulator_of(request)
    seen = overview(emulator.database, skipped)
    return page("index.html.j2", seen=seen, url=emulator.url, data_dir=str(emulator.data_dir), page_size=PAGE_SIZE)


async def _run(request: Request) -> Response:
    emulator, path = emulator_of(request), request.path_params
    run = _found(request, f"{path['project']}/{path['location']}/{path['job']}")
    root = task_tree(run.job)
    task = _chosen(root, request.query_params.get("task", ""))
    outputs = [shown(emulator.objects, *one) for one in task.artifacts("outputs")] if task else []
    log = log_of(emulator, task) if task else None
    tasks = [one for one in root.walk() if one.detail and not one.holds]

    def rendered() -> Response:
        return page("run.html.j2", run=run, drawing=drawing(root), tasks=tasks, task=task, outputs=outputs, log=log)

    # With hundreds of tasks this takes seconds, in which the tasks themselves would get no answer.
    return await asyncio.to_thread(rendered)


def _chosen(root: Task, wanted: str) -> Task | None:
    """Returns the task that was asked for; if none was, the first that failed by itself."""
    tasks = [task for task in root.walk() if task.path]
    if wanted:
        return next((task for task in tasks if wanted in (task.id, task.path)), None)
    return next((task for task in tasks if task.failed and not task.holds), None)


async def _compare(request: Request) -> Response:
    keys = [request.query_params.get(side, "") for side in ("a", "b")]
    if not all(keys):
        raise _Problem(400, "Which runs?", "Choose two runs, A and B, in the list of runs.")
    return page("compare.html.j2", seen=compare(*(_found(request, key) for key in keys)))


async def _object(request: Request) -> Response:
    uri = request.query_params.get("uri", "")
    content = content_of(emulator_of(request).objects, uri)
    if content.kind == "absent":
        raise _Problem(404, "No such object", f"There is no object, and nothing below, {uri or 'an empty URI'}.")
    view = _VIEWS.get(PurePath(uri).suffix, "plain")
    return await asyncio.to_thread(page, "object.html.j2", content=content, view=view)


async def _raw(request: Request) -> Response:
    """An object as it is: as text, or with `as=html` as a page that can neither reach the API nor leave its frame."""
    uri = request.query_params.get("uri", "")
    try:
        path = emulator_of(request).objects.path_of(uri)
    except ApiError as error:
        raise _Problem(404, "No such object", error.message) from error
    if request.query_params.get("as") == "html":
        return FileResponse(path, headers=headers(OBJECT_POLICY), media_type="text/html; charset=utf-8")
    if content_of(emulator_of(request).objects, uri).kind == "text":
        return FileResponse(path, headers=headers(OBJECT_POLICY), media_type="text/plain; charset=utf-8")
    name = quote(uri.rpartition("/")[2])
    attached = {"Content-Disposition": f"attachment; filename*=utf-8''{name}"}
    return FileResponse(path, headers=headers(OBJECT_POLICY) | attached, media_type="application/octet-stream")


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _FILES:
        raise _Problem(404, "No such page", f"The emulator has no {request.url.path}.")
    return FileResponse(FOLDER / name, headers=headers(PAGE_POLICY), media_type=_FILES[name])


def _found(request: Request, key: str) -> Run:
    run = find_run(emulator_of(request).database, key)
    if run is None:
        raise _Problem(404, "No such run", f"There is no run {key}. It may have been deleted.")
    return run


class _ForBrowsers(Route):
    """Matches a request only if a browser asks for a page: the SDKs' credentials come from the same address."""

    def matches(self, scope: Scope) -> tuple[Match, Mapping[str, Any]]:  # type: ignore[override]
        """Tells whether a request is meant."""
        given = dict(scope.get("headers", []))
        meant = b"metadata-flavor" not in given and b"text/html" in given.get(b"accept", b"")
        return super().matches(scope) if meant else (Match.NONE, {})


routes: list[BaseRoute] = [
    _ForBrowsers("/", _told(_index)),
    Route("/runs/{project}/{location}/{job}", _told(_run)),
    Route("/compare", _told(_compare)),
    Route("/objects", _told(_object)),
    Route("/raw", _told(_raw)),
    Route("/pages/{name}", _told(_file)),
]
