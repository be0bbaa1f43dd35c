"""Contexts, artifacts and executions: the nodes of a metadata store."""

from collections.abc import Mapping, Sequence
from typing import Any

from vertex_emulator.collection import Collection
from vertex_emulator.database import Database
from vertex_emulator.experiments.stores import default_store
from vertex_emulator.names import canonical
from vertex_emulator.protobuf import types
from vertex_emulator.resources import Document, fetch

_COMMON = frozenset({"displayName", "description", "labels", "metadata", "schemaTitle", "schemaVersion"})
_FILTERABLE = frozenset({"name", "display_name", "schema_title", "create_time", "update_time", "metadata"})
_ID = r"[a-z0-9-]{4,128}"


def _in_context(document: Mapping[str, Any], context: str) -> bool:
    return context in document.get("_contexts", ())


class _Contexts(Collection):
    path = ("metadataStores", "contexts")
    message = types.Context
    list_key = "contexts"
    id_parameter = "contextId"
    id_pattern = _ID
    id_made = "uuid"
    output_only = frozenset({"parentContexts"})
    mutable = _COMMON
    filterable = _FILTERABLE | {"parent_contexts"}

    def remove(self, database: Database, document: Document) -> None:
        """Deletes a context; what belonged to it stays."""
        super().remove(database, document)
        store = document["name"].rsplit("/", 2)[0]
        for kind, field in (
            ("contexts", "parentContexts"),
            ("artifacts", "_contexts"),
            ("executions", "_contexts"),
        ):
            for node in database.list(kind, store):
                if document["name"] in node.get(field, ()):
                    node[field].remove(document["name"])
                    database.put(kind, store, node)


class _Members(Collection):
    """What can belong to contexts; the names of these are kept in `_contexts`."""

    id_pattern = _ID
    id_made = "uuid"
    functions = {"in_context": _in_context}  # noqa: RUF012

    def remove(self, database: Database, document: Document) -> None:
        """Deletes a node and the events that it took part in."""
        super().remove(database, document)
        store = document["name"].rsplit("/", 2)[0]
        for event in database.list("events", store):
            if document["name"] in (event["artifact"], event["execution"]):
                database.delete(event["name"])


class _Artifacts(_Members):
    path = ("metadataStores", "artifacts")
    message = types.Artifact
    list_key = "artifacts"
    id_parameter = "artifactId"
    mutable = _COMMON | {"uri", "state"}
    filterable = _FILTERABLE | {"uri", "state"}


class _Executions(_Members):
    path = ("metadataStores", "executions")
    message = types.Execution
    list_key = "executions"
    id_parameter = "executionId"
    mutable = _COMMON | {"state"}
    filterable = _FILTERABLE | {"state"}


_contexts = _Contexts()
routes = [*_contexts.routes, *_Artifacts().routes, *_Executions().routes]


def create_context(
    database: Database,
    location: str,
    *,
    context_id: str,
    schema_title: str,
    display_name: str = "",
    metadata: Mapping[str, Any] | None = None,
    parents: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    description: str = "",
) -> str:
    """Makes a context in the default metadata store of a location, and that store if it is missing.

    Args:
        database: Where it is kept.
        location: Canonical `projects/NUMBER/locations/LOCATION`.
        context_id: Last part of its name.
        schema_title: What it is, e.g. `system.Experiment`.
        display_name: Its name for people; the id if empty.
        metadata: Its properties.
        parents: Full names of the contexts that it belongs to.
        labels: Its labels.
        description: What it is for.

    Returns:
        Its full resource name.

    Raises:
        ApiError: 404 if a parent does not exist; 409 if there is a context of that id.
    """
    for parent in parents:
        fetch(database, canonical(parent))
    name = f"{default_store(database, location)}/contexts/{context_id}"
    fields: Document = {
        "displayName": display_name or context_id,
        "schemaTitle": schema_title,
        "schemaVersion": "0.0.1",
        "metadata": dict(metadata or {}),
        "labels": dict(labels or {}),
        "parentContexts": [canonical(parent) for parent in parents],
        "description": description,
    }
    _contexts.add(database, name, {key: value for key, value in fields.items() if value})
    return name
