"""What all Vertex resources have in common: names in paths, query parameters, update masks, lists, operations."""

import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import proto
from starlette.requests import Request

from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError, invalid, not_found
from vertex_emulator.filters import camel_case, compile_filter, snake_case
from vertex_emulator.names import location_of, operation_name
from vertex_emulator.routing import LOCATION, emulator_of
from vertex_emulator.wire import Json, done, now, page

Document = dict[str, Any]

_SYSTEM_PARAMETERS = {"alt", "callback", "fields", "key", "prettyPrint", "quotaUser", "access_token"}
_LABEL = re.compile(r"[\w-]{1,63}")
_LABEL_RULE = "at most 63 lowercase letters, digits, underscores and dashes"


def item_path(*collections: str) -> str:
    """Returns the route of one resource below a location; every id is a path parameter named after its collection."""
    return LOCATION + "".join(f"/{collection}/{{{collection}}}" for collection in collections)


def name_of(request: Request) -> str:
    """Returns the canonical name of the resource that a request's path, made by `item_path`, speaks of."""
    ids = ((key, text) for key, text in request.path_params.items() if key not in ("project", "location"))
    return location_of(request) + "".join(f"/{collection}/{text}" for collection, text in ids)


def fetch(database: Database, name: str) -> Document:
    """Returns the document named `name`; 404 if there is none."""
    document = database.get(name)
    if document is None:
        raise not_found(f"Resource `{name}`")
    return document


def stamp(document: Document) -> Document:
    """Sets a document's `updateTime` and a new `etag`, greater than the last, for it is about to be stored."""
    document["updateTime"] = now()
    # The SDK tells an outdated etag from a wrong one by their order as digits (aiplatform.metadata.context).
    document["etag"] = str(max(time.time_ns() // 1000, int(document.get("etag", 0)) + 1))
    return document


def public(document: Document) -> Document:
    """Returns a document without the fields that only the emulator needs."""
    return {key: value for key, value in document.items() if not key.startswith("_")}


def parameters(request: Request, *known: str, repeated: str = "") -> dict[str, str]:
    """Returns the query parameters by their camelCase names.

    Raises:
        ApiError: 400 for a parameter that is neither `known` nor one of Google's own, such as `$alt`, and for one that
            is given twice, if it is not `repeated`.
    """
    found: dict[str, str] = {}
    for given, value in request.query_params.multi_items():
        name = camel_case(given)
        if given.startswith("$") or given in _SYSTEM_PARAMETERS or name == repeated:
            continue
        if name not in known:
            raise invalid(f'Invalid JSON payload received. Unknown name "{given}": Cannot bind query parameter.', given)
        if name in found:
            # As google-genai sends a filter of its caller together with its own; which one would count is not known.
            raise invalid(f"Query parameter '{given}' is given more than once.", given)
        found[name] = value
    return found


def check_fields(document: Document) -> None:
    """Refuses a display name or labels that no resource can have."""
    if len(document.get("displayName", "")) > 128:
        raise invalid("The display name must have at most 128 characters.", "display_name")
    labels = document.get("labels", {})
    if len(labels) > 64:
        raise invalid("A resource can have at most 64 labels.", "labels")
    for key, value in labels.items():
        if not _LABEL.fullmatch(key) or not key[0].isalpha() or key != key.lower():
            raise invalid(f"Label key {key!r} must start with a letter and have {_LABEL_RULE}.", "labels")
        if (value and not _LABEL.fullmatch(value)) or value != value.lower():
            raise invalid(f"Label value {value!r} of key {key!r} must have {_LABEL_RULE}.", "labels")


def check_etag(kind: str, given: Document, etag: str) -> None:
    """Refuses a write that was based on an older state of the resource."""
    if given.get("etag", etag) != etag:
        # The SDK parses this sentence to decide whether to read the resource again and retry.
        raise ApiError("ABORTED", f"Specified {kind} `etag`: `{given['etag']}` does not match server `etag`: `{etag}`")


def masked(request: Request, given: Document, mutable: Collection[str]) -> Document:
    """Returns the changes that a PATCH asks for, by camelCase field; None stands for a field to clear.

    Args:
        request: Its `updateMask` says which fields are meant; without it, those that `given` has.
        given: The request's body in canonical form.
        mutable: The fields that can be changed, in camelCase.

    Raises:
        ApiError: 400 for a path that is unknown or cannot be changed, or a new value that no resource can have.
    """
    mask = parameters(request, "updateMask").get("updateMask", "")
    paths = [camel_case(path.strip()) for path in mask.split(",") if path.strip()]
    if paths == ["*"]:
        paths = list(mutable)
    for path in paths:
        if path not in mutable:
            known = ", ".join(sorted(snake_case(field) for field in mutable))
            message = f"Unsupported update mask path '{snake_case(path)}'; fields that can be updated: {known}."
            raise invalid(message, "update_mask")
    changes = {path: given.get(path) for path in paths or set(given) & set(mutable)}
    check_fields({key: value for key, value in changes.items() if value is not None})
    return changes


def apply(document: Document, changes: Document) -> None:
    """Makes the changes that `masked` returned."""
    for field, value in changes.items():
        if value is None:
            document.pop(field, None)
        else:
            document[field] = value


def listing(
    request: Request,
    key: str,
    documents: list[Document],
    message: type[proto.Message],
    *,
    filterable: Collection[str],
    orderable: Collection[str] = ("createTime", "updateTime", "displayName"),
    derived: Mapping[str, Callable[[Mapping[str, Any]], str]] | None = None,
    functions: Mapping[str, Callable[[Mapping[str, Any], str], bool]] | None = None,
) -> Json:
    """Answers a list request: filter, order, page, read mask.

    Args:
        request: The request.
        key: Name of the list in the answer, e.g. `contexts`.
        documents: Everything that could be listed, oldest first.
        message: The proto-plus class of the documents.
        filterable: Fields that a filter may name, in snake_case.
        orderable: Fields that can be ordered by, in camelCase.
        derived: See `filters.Vocabulary`.
        functions: See `filters.Vocabulary`.
    """
    from vertex_emulator.protobuf import types

    asked = getattr(types, f"List{key[0].upper()}{key[1:]}Request").pb().DESCRIPTOR
    # These types are of v1beta1; v1 can also order models and endpoints.
    query = parameters(request, "orderBy", *(one.json_name for one in asked.fields if one.json_name != "parent"))
    holds = compile_filter(query.get("filter", ""), message, filterable, derived=derived, functions=functions)
    chosen = ordered([each for each in documents if holds(each)], query.get("orderBy", ""), orderable)
    answer = page(request, key, [public(each) for each in chosen])
    wanted = {camel_case(path.strip()) for path in query.get("readMask", "*").split(",")}
    unknown = wanted - {"*"} - {field.json_name for field in message.pb().DESCRIPTOR.fields}
    if unknown:
        raise invalid(f"Unknown read mask path '{min(unknown)}'.", "read_mask")
    if "*" not in wanted and answer:
        answer[key] = [{field: each[field] for field in each if field in wanted} for each in answer[key]]
    return Json(answer)


def ordered(documents: list[Document], order_by: str, orderable: Collection[str]) -> list[Document]:
    """Returns documents in the order that a list request's `orderBy` asks for.

    Args:
        documents: In the order that they have among equals.
        order_by: Field names, each with `asc` or `desc` if wanted, with commas between them; empty for no other order.
        orderable: See `listing`.

    Raises:
        ApiError: 400 for a field that cannot be ordered by, or another direction.
    """
    terms = [term.split() for term in order_by.split(",")] if order_by.strip() else []
    for words in reversed(terms):  # sorting is stable, so the first field comes last
        field, direction = camel_case(words[0]) if words else "", words[1] if len(words) > 1 else "asc"
        if field not in orderable or direction not in ("asc", "desc") or len(words) > 2:
            known = ", ".join(sorted(snake_case(field) for field in orderable))
            raise invalid(f"Invalid order_by {order_by!r}; it can name {known}, each with asc or desc.", "order_by")
        documents = sorted(documents, key=lambda each: str(each.get(field, "")), reverse=direction == "desc")
    return documents


def operation(request: Request, response: Document, type_name: str) -> Json:
    """Answers with a long-running operation that is already done; see `wire.done`."""
    database = emulator_of(request).database
    version = request.url.path.split("/")[1]
    return Json(done(operation_name(database, location_of(request)), response, type_name, version))
