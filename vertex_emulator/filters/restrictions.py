"""The meaning of filters: which fields, functions, operators and values there are, and when a document fits."""

import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import proto

from vertex_emulator.errors import ApiError, invalid
from vertex_emulator.filters.spelling import snake_case

Document = Mapping[str, Any]
Predicate = Callable[[Document], bool]

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^."]+')
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Vocabulary:
    """What a filter over one kind of resource may speak of.

    Attributes:
        message: The proto-plus class of the resource; it gives every field its type.
        fields: The fields (snake_case) that can be filtered by.
        derived: Further names whose text is computed from a document, such as `model`, the last part of its name.
        functions: Functions of a document and one string, such as `in_context`.
    """

    message: type[proto.Message]
    fields: Collection[str]
    derived: Mapping[str, Callable[[Document], str]]
    functions: Mapping[str, Callable[[Document, str], bool]]


def refuse(why: str) -> ApiError:
    """Returns a 400 for a filter."""
    return invalid(f"Invalid filter: {why}", "filter")


def unquoted(text: str) -> str:
    """Returns a string token without its quotes and escapes; a word as it is."""
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[:1] in ('"', "'") else text


def restriction(vocabulary: Vocabulary, word: str, symbol: str, value: str) -> Predicate:
    """Returns what `<word> <symbol> <value>` says, by the type that the word's field has.

    Raises:
        ApiError: 400 if the field is not in the vocabulary, or its type does not have that operator or value.
    """
    parts = _PART.findall(word)
    head, *keys = [unquoted(part) for part in parts]
    field = snake_case(head)
    if ".".join(parts) != word or (field not in vocabulary.fields and field not in vocabulary.derived):
        known = ", ".join(sorted((*vocabulary.fields, *vocabulary.derived)))
        raise refuse(f"field {word!r} is not supported; supported are {known}.")
    if field in vocabulary.derived:
        if keys:
            raise _no_parts(word)
        return _compare(word, symbol, vocabulary.derived[field], str, value, "")
    descriptor = vocabulary.message.pb().DESCRIPTOR.fields_by_name[field]
    key = descriptor.json_name
    kind = descriptor.message_type.full_name if descriptor.message_type else ""
    if kind == "google.protobuf.Struct":
        return _metadata(word, key, keys, symbol, value)
    if descriptor.message_type and descriptor.message_type.GetOptions().map_entry:
        return _map(word, key, keys, symbol, value)
    if keys:
        raise _no_parts(word)
    if descriptor.is_repeated:
        if symbol != ":":
            raise refuse(f"{word!r} is a list and has only ':'.")
        return lambda document: bool(document.get(key)) if value == "*" else value in document.get(key, ())
    if kind == "google.protobuf.Timestamp":
        return _compare(word, symbol, lambda document: document.get(key), _moment, value, None)
    default, read = _scalar(word, descriptor)
    return _compare(word, symbol, lambda document: document.get(key, default), read, value, default)


def _no_parts(word: str) -> ApiError:
    return refuse(f"field {word!r} has no parts.")


def _scalar(word: str, descriptor: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Returns a field's default and what makes a comparable value of its JSON or of the filter's text."""
    if descriptor.enum_type:
        words = [value.name for value in descriptor.enum_type.values]

        def enum_word(text: Any) -> str:
            if text not in words:
                raise ValueError(f"expected one of {', '.join(words)}")
            return str(text)

        return words[0], enum_word
    if descriptor.cpp_type == descriptor.CPPTYPE_BOOL:
        return False, _truth
    if descriptor.cpp_type == descriptor.CPPTYPE_STRING:
        return "", str
    if descriptor.cpp_type == descriptor.CPPTYPE_MESSAGE:
        raise _no_parts(word)
    return 0, float


def _truth(value: Any) -> bool:
    if value not in (True, False, "true", "false"):
        raise ValueError("expected true or false")
    return value in (True, "true")


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("expected an RFC 3339 time with its zone")
    return moment


def _metadata(word: str, key: str, keys: list[str], symbol: str, value: str) -> Predicate:
    """`metadata.<key>.<type>_value`, with the key in quotes if it has other characters than a word."""
    types: dict[str, tuple[type, Callable[[Any], Any]]] = {
        "string_value": (str, str),
        "number_value": (float, float),
        "bool_value": (bool, _truth),
    }
    if len(keys) != 2 or keys[1] not in types:
        raise refuse(f"expected metadata.<key>.string_value, number_value or bool_value, found {word!r}.")
    kind, read = types[keys[1]]

    def of_kind(document: Document) -> Any:
        found = document.get(key, {}).get(keys[0])
        if kind is float and isinstance(found, int) and not isinstance(found, bool):
            return float(found)
        return found if isinstance(found, kind) else None

    return _compare(word, symbol, of_kind, read, value, None)


def _map(word: str, key: str, keys: list[str], symbol: str, value: str) -> Predicate:
    """`labels.k=v`, `labels.k!=v`, `labels.k:v`, `labels.k:*` and `labels:k`."""
    if not keys and symbol == ":":
        return lambda document: value in document.get(key, {})
    if len(keys) != 1 or symbol not in ("=", "!=", ":"):
        raise refuse(f"expected {key}.<key>=<value>, {key}.<key>:* or {key}:<key>, found {word}{symbol}{value}.")
    if symbol == ":" and value == "*":
        return lambda document: keys[0] in document.get(key, {})
    if symbol == "!=":
        return lambda document: document.get(key, {}).get(keys[0]) != value
    return lambda document: document.get(key, {}).get(keys[0]) == value


def _compare(
    word: str, symbol: str, find: Callable[[Document], Any], read: Callable[[Any], Any], value: str, default: Any
) -> Predicate:
    """Compares what `find` gives, and `read` makes comparable, with `value`; None is unequal to every value."""
    if symbol == ":":
        if value == "*" and read in (str, _moment):
            return lambda document: find(document) not in (None, default)
        if read is not str:
            raise refuse(f"{word!r} does not support ':'.")
        pattern = re.compile(".*".join(re.escape(piece) for piece in value.split("*")), re.DOTALL)
        return lambda document: pattern.fullmatch(find(document) or "") is not None
    ordered = read in (float, _moment)
    if symbol not in ("=", "!=") and not ordered:
        raise refuse(f"{word!r} supports '=' and '!=' only, not {symbol!r}.")
    try:
        expected = read(value)
    except ValueError as error:
        raise refuse(f"{value!r} is no value for {word!r}: {error}.") from error
    compare = _COMPARE[symbol]

    def holds(document: Document) -> bool:
        found = find(document)
        return symbol == "!=" if found is None else compare(read(found), expected)

    return holds
