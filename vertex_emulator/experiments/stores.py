"""Metadata stores. The SDK makes the one named `default` before it makes an experiment."""

from vertex_emulator.collection import Collection
from vertex_emulator.database import Database
from vertex_emulator.protobuf import types


class _MetadataStores(Collection):
    path = ("metadataStores",)
    message = types.MetadataStore
    list_key = "metadataStores"
    id_parameter = "metadataStoreId"
    id_pattern = r"[a-z0-9-]{4,128}"
    id_made = "uuid"
    output_only = frozenset({"state", "dataplexConfig"})
    mutable = frozenset[str]()
    filterable = frozenset[str]()
    slow = frozenset({"create"})


_stores = _MetadataStores()
# Vertex has no method that updates a store.
routes = [route for route in _stores.routes if "PATCH" not in (route.methods or ())]


def default_store(database: Database, location: str) -> str:
    """Returns the name of a location's default metadata store, which is made if it is missing."""
    name = f"{location}/metadataStores/default"
    if database.get(name) is None:
        _stores.add(database, name, {})
    return name
