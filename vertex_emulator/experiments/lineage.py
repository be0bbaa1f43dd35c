"""How nodes hang together: children and members of contexts, and the events between artifacts and executions."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vertex_emulator.database import Database
from vertex_emulator.errors import invalid
from vertex_emulator.names import canonical
from vertex_emulator.protobuf import types
from vertex_emulator.resources import Document, fetch, item_path, name_of, public
from vertex_emulator.routing import emulator_of, vertex
from vertex_emulator.wire import Json, now, parse, read_json

_MAX_PARENTS = 10


def _store_of(name: str) -> str:
    return name.rsplit("/", 2)[0]


def _nodes(database: Database, store: str, kind: str, names: list[str]) -> list[Document]:
    """Returns the named nodes of a store; 404 for one that is missing, 400 for one of another kind or store."""
    full_names = [canonical(name) for name in names]
    for name in full_names:
        if not name.startswith(f"{store}/{kind}/"):
            raise invalid(f"`{name}` is not one of the {kind} of `{store}`.", kind)
    return [fetch(database, name) for name in full_names]


def _put(database: Database, node: Document) -> None:
    """Stores a node with a changed relation, which leaves its etag as it is: the SDK still holds that one."""
    store, kind, _ = node["name"].rsplit("/", 2)
    database.put(kind, store, node)


def _ancestors(database: Database, name: str) -> set[str]:
    parents = (database.get(name) or {}).get("parentContexts", [])
    return {name}.union(*(_ancestors(database, parent) for parent in parents))


async def _children(request: Request, message: type[Any]) -> tuple[Database, str, list[Document]]:
    given = parse(await read_json(request), message)
    database, context = emulator_of(request).database, name_of(request)
    fetch(database, context)
    return database, context, _nodes(database, _store_of(context), "contexts", given.get("childContexts", []))


async def _add_children(request: Request) -> Response:
    database, context, children = await _children(request, types.AddContextChildrenRequest)
    ancestors = _ancestors(database, context)
    for child in children:
        if child["name"] in ancestors:
            raise invalid(f"`{child['name']}` as a child of `{context}` would make a cycle.", "child_contexts")
        parents = child.setdefault("parentContexts", [])
        if context not in parents:
            parents.append(context)
        if len(parents) > _MAX_PARENTS:
            raise invalid(f"`{child['name']}` would have more than {_MAX_PARENTS} parents.", "child_contexts")
    for child in children:
        _put(database, child)
    return Json({})


async def _remove_children(request: Request) -> Response:
    database, context, children = await _children(request, types.RemoveContextChildrenRequest)
    for child in children:
        child["parentContexts"] = [each for each in child.get("parentContexts", []) if each != context]
        _put(database, child)
    return Json({})


async def _add_members(request: Request) -> Response:
    given = parse(await read_json(request), types.AddContextArtifactsAndExecutionsRequest)
    database, context = emulator_of(request).database, name_of(request)
    fetch(database, context)
    store = _store_of(context)
    members = [
        node for kind in ("artifacts", "executions") for node in _nodes(database, store, kind, given.get(kind, []))
    ]
    for node in members:
        if context not in node.setdefault("_contexts", []):
            node["_contexts"].append(context)
            _put(database, node)
    return Json({})


async def _add_events(request: Request) -> Response:
    given = parse(await read_json(request), types.AddExecutionEventsRequest)
    database, execution = emulator_of(request).database, name_of(request)
    fetch(database, execution)
    store = _store_of(execution)
    events = given.get("events", [])
    artifacts = _nodes(database, store, "artifacts", [event.get("artifact", "") for event in events])
    for event, artifact in zip(events, artifacts, strict=True):
        name = f"{execution}/events/{artifact['name'].rpartition('/')[2]}"
        if database.get(name) is None:
            ends = {"artifact": artifact["name"], "execution": execution}
            database.put("events", store, {**event, **ends, "name": name, "eventTime": now()})
    return Json({})


def _subgraph(database: Database, store: str, executions: list[Document], artifacts: list[Document]) -> Response:
    """Answers with executions, artifacts, and the events (with their other ends) that touch them."""
    nodes = {node["name"]: node for node in (*executions, *artifacts)}
    executions_named = {execution["name"] for execution in executions}
    events = [event for event in database.list("events", store) if event["execution"] in executions_named]
    for event in events:
        nodes.setdefault(event["artifact"], fetch(database, event["artifact"]))
    answer: dict[str, list[Document]] = {"artifacts": [], "executions": []}
    for name, node in nodes.items():
        answer[name.rsplit("/", 2)[1]].append(public(node))
    answer["events"] = [{key: value for key, value in event.items() if key != "name"} for event in events]
    return Json({key: value for key, value in answer.items() if value})


async def _inputs_and_outputs(request: Request) -> Response:
    database, name = emulator_of(request).database, name_of(request)
    return _subgraph(database, _store_of(name), [fetch(database, name)], [])


async def _context_subgraph(request: Request) -> Response:
    database, context = emulator_of(request).database, name_of(request)
    fetch(database, context)
    store = _store_of(context)
    within = {each["name"] for each in database.list("contexts", store) if context in each.get("parentContexts", [])}
    within.add(context)
    executions, artifacts = (
        [node for node in database.list(kind, store) if within & set(node.get("_contexts", []))]
        for kind in ("executions", "artifacts")
    )
    return _subgraph(database, store, executions, artifacts)


_CONTEXT = item_path("metadataStores", "contexts")
_EXECUTION = item_path("metadataStores", "executions")

routes = [
    *vertex("POST", f"{_CONTEXT}:addContextChildren", _add_children),
    *vertex("POST", f"{_CONTEXT}:removeContextChildren", _remove_children),
    *vertex("POST", f"{_CONTEXT}:addContextArtifactsAndExecutions", _add_members),
    *vertex("GET", f"{_CONTEXT}:queryContextLineageSubgraph", _context_subgraph),
    *vertex("POST", f"{_EXECUTION}:addExecutionEvents", _add_events),
    *vertex("GET", f"{_EXECUTION}:queryExecutionInputsAndOutputs", _inputs_and_outputs),
]
