"""The five standard methods (create, get, list, update, delete) of a kind of resource, told apart by declarations."""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import proto
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.filters import snake_case
from vertex_emulator.resources import (
    Document,
    apply,
    check_etag,
    check_fields,
    fetch,
    item_path,
    listing,
    masked,
    name_of,
    operation,
    parameters,
    public,
    stamp,
)
from vertex_emulator.routing import emulator_of, vertex
from vertex_emulator.wire import Json, now, parse, read_json


class Collection:
    """One kind of resource. Subclasses declare what is particular to it and override the hooks at the end.

    Attributes:
        path: The collections from the location down to this one, e.g. `("metadataStores", "contexts")`.
        message: The proto-plus class of the resource.
        list_key: Name of the list in a list answer.
        id_parameter: Query parameter with the id that the client chooses, if it can.
        id_pattern: What such an id must match.
        id_made: How an id is made if none is chosen: `number`, `uuid`, or `none` for a 400.
        required: Fields that must be given at creation, in camelCase.
        output_only: Fields of which a client's value is ignored, besides those that every resource has.
        mutable: Fields that can be updated, in camelCase.
        filterable: Fields that a list filter may name, in snake_case.
        derived: See `filters.Vocabulary`.
        functions: See `filters.Vocabulary`.
        slow: The methods, of `create` and `update`, that answer with a long-running operation.
    """

    path: ClassVar[tuple[str, ...]]
    message: ClassVar[type[proto.Message]]
    list_key: ClassVar[str]
    id_parameter: ClassVar[str] = ""
    id_pattern: ClassVar[str] = r"[a-z0-9-]{1,128}"
    id_made: ClassVar[str] = "number"
    required: ClassVar[tuple[str, ...]] = ()
    output_only: ClassVar[frozenset[str]] = frozenset()
    mutable: ClassVar[frozenset[str]]
    filterable: ClassVar[frozenset[str]]
    derived: ClassVar[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {}
    functions: ClassVar[Mapping[str, Callable[[Mapping[str, Any], str], bool]]] = {}
    slow: ClassVar[frozenset[str]] = frozenset()

    @property
    def routes(self) -> list[Route]:
        """The routes of the standard methods; those of custom verbs must be declared before them."""
        item = item_path(*self.path)
        collection = item.rpartition("/")[0]
        return [
            *vertex("POST", collection, self.create),
            *vertex("GET", collection, self.index),
            *vertex("GET", item, self.get),
            *vertex("PATCH", item, self.update),
            *vertex("DELETE", item, self.delete),
        ]

    @property
    def kind(self) -> str:
        """The message's name, e.g. `Context`."""
        return str(self.message.__name__)

    def add(self, database: Database, name: str, fields: Document) -> Document:
        """Stores a new resource and returns its document.

        Raises:
            ApiError: 404 if what the name is under does not exist; 409 if there already is a resource of that name.
        """
        parent, _, _ = name.rsplit("/", 2)
        if len(self.path) > 1:
            fetch(database, parent)
        if database.get(name) is not None:
            raise ApiError("ALREADY_EXISTS", f"{self.kind} `{name}` already exists.")
        document = stamp({"name": name, **fields, "createTime": now()})
        self.prepare(database, document)
        database.put(self.path[-1], parent, document)
        return document

    def save(self, database: Database, document: Document) -> None:
        """Stores a changed resource."""
        parent, _, _ = document["name"].rsplit("/", 2)
        database.put(self.path[-1], parent, stamp(document))

    def under(self, database: Database, parent: str) -> list[Document]:
        """Returns the resources under `parent`, oldest first."""
        return database.list(self.path[-1], parent)

    async def create(self, request: Request) -> Response:
        """POST to the collection."""
        given = parse(await read_json(request), self.message, self._root())
        ignored = {"name", "etag", "createTime", "updateTime"} | self.output_only
        fields = {key: value for key, value in given.items() if key not in ignored}
        check_fields(fields)
        for field in self.required:
            if field not in fields:
                raise invalid(f"Required field is not set: {snake_case(field)}.", snake_case(field))
        database = emulator_of(request).database
        name = f"{name_of(request)}/{self.path[-1]}/{self._new_id(request, database)}"
        document = self.add(database, name, fields)
        return self._answer(request, "create", document)

    def _new_id(self, request: Request, database: Database) -> str:
        chosen = parameters(request, self.id_parameter).get(self.id_parameter, "")
        if chosen:
            if not re.fullmatch(self.id_pattern, chosen):
                message = f"{self.kind} id '{chosen}' is invalid: it must match {self.id_pattern}."
                raise invalid(message, snake_case(self.id_parameter))
            return chosen
        if self.id_made == "none":
            parameter = snake_case(self.id_parameter)
            raise invalid(f"Required field is not set: {parameter}.", parameter)
        return str(uuid.uuid4()) if self.id_made == "uuid" else database.next_id(self.path[-1])

    def _root(self) -> str:
        return snake_case(self.kind).lstrip("_")

    async def get(self, request: Request) -> Response:
        """GET of one resource."""
        database = emulator_of(request).database
        return Json(public(self.view(database, fetch(database, name_of(request)))))

    async def index(self, request: Request) -> Response:
        """GET of the collection."""
        database = emulator_of(request).database
        parent = name_of(request)
        if len(self.path) > 1:
            fetch(database, parent)
        documents = [self.view(database, each) for each in self.under(database, parent)]
        return listing(
            request,
            self.list_key,
            documents,
            self.message,
            filterable=self.filterable,
            derived=self.derived,
            functions=self.functions,
        )

    async def update(self, request: Request) -> Response:
        """PATCH of one resource."""
        given = parse(await read_json(request), self.message, self._root())
        database = emulator_of(request).database
        document = fetch(database, name_of(request))
        check_etag(self.kind, given, document["etag"])
        apply(document, masked(request, given, self.mutable))
        self.prepare(database, document)
        self.save(database, document)
        return self._answer(request, "update", document)

    async def delete(self, request: Request) -> Response:
        """DELETE of one resource."""
        given = parameters(request, "force", "etag")
        database = emulator_of(request).database
        document = fetch(database, name_of(request))
        check_etag(self.kind, dict(given), document["etag"])
        self.remove(database, document)
        return operation(request, {}, "Empty")

    def _answer(self, request: Request, method: str, document: Document) -> Response:
        shown = public(self.view(emulator_of(request).database, document))
        return operation(request, shown, self.kind) if method in self.slow else Json(shown)

    def prepare(self, database: Database, document: Document) -> None:
        """Hook: checks and completes a document that is about to be stored."""

    def view(self, database: Database, document: Document) -> Document:
        """Hook: the document with what is computed when it is read."""
        return document

    def remove(self, database: Database, document: Document) -> None:
        """Hook: deletes a resource and what hangs on it."""
        database.delete(document["name"])
