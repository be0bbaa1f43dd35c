"""The Logging query language, as far as it is needed: comparisons that must all hold.

    resource.type="ml_job" AND resource.labels.job_id=("1" OR "2") severity>=ERROR timestamp>="2026-11-26T08:00:00Z"

Google's documents say more (https://cloud.google.com/logging/docs/view/logging-query-language): `AND` may be left out,
text is compared without regard to case, `:` finds a part of a text. What is not understood is refused; a query is never
taken for "everything".
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vertex_emulator.errors import ApiError, invalid

_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")|(?P<operator><=|>=|!=|=~|!~|[=<>:])|(?P<bracket>[()])|(?P<word>[^\s"()=<>!:~,]+)'
)
_COMMENT = re.compile(r"--.*")
_LONGEST = 20_000
_FIELDS = ("logName", "resource.type", "severity", "timestamp", "insertId", "jsonPayload.message")
_LABELS = "resource.labels."
_SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Entry = Mapping[str, Any]
Token = tuple[str, str]


@dataclass(frozen=True)
class _Comparison:
    field: str
    symbol: str
    values: tuple[Any, ...]

    def holds(self, entry: Entry) -> bool:
        found: Any = entry
        for step in self.field.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is None:
            return False
        if self.symbol == ":":
            return any(value in str(found).lower() for value in self.values)
        return any(_ORDER[self.symbol](_comparable(self.field, str(found)), value) for value in self.values)


@dataclass(frozen=True)
class Query:
    """Comparisons of which every one must hold."""

    comparisons: tuple[_Comparison, ...]

    def holds(self, entry: Entry) -> bool:
        """Tells whether an entry, a JSON object, is let through."""
        return all(one.holds(entry) for one in self.comparisons)

    def may_be_in(self, stream: Entry) -> bool:
        """Tells whether what all entries of a stream share would let them through."""
        return all(
            one.holds(stream) for one in self.comparisons if one.field == "logName" or one.field.startswith("resource.")
        )


def compile_query(text: str) -> Query:
    """Reads a query; an empty one lets everything through.

    Raises:
        ApiError: 400 for a syntax, field, operator or value that is not supported.
    """
    if len(text) > _LONGEST:
        raise _refuse(f"it is longer than {_LONGEST:,} characters.")
    tokens = _tokens(text)
    comparisons = []
    while tokens[0][0] != "end":
        comparisons.append(_comparison(tokens))
        if tokens[0] == ("word", "AND"):
            tokens.pop(0)
            if tokens[0][0] == "end":
                raise _refuse("nothing follows AND.")
    return Query(tuple(comparisons))


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    while position < len(text):
        comment = _COMMENT.match(text, position)
        if comment or text[position].isspace():
            position = comment.end() if comment else position + 1
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise _refuse(f"unexpected {text[position]!r} at position {position}.")
        found.append((str(match.lastgroup), match[0]))
        position = match.end()
    return [*found, ("end", "the end")]


def _comparison(tokens: list[Token]) -> _Comparison:
    kind, field = tokens.pop(0)
    if kind != "word" or field in ("NOT", "OR", "AND") or tokens[0][0] != "operator":
        raise _refuse(f"expected FIELD OPERATOR VALUE, found {field!r}; the emulator has no OR, NOT and search terms.")
    if field not in _FIELDS and not field.startswith(_LABELS):
        raise _refuse(f"field {field!r} is none of {', '.join(_FIELDS)}, {_LABELS}KEY, which the emulator has.")
    _, symbol = tokens.pop(0)
    ordered = field in ("severity", "timestamp")
    if symbol not in (("=", "!=", "<", "<=", ">", ">=") if ordered else ("=", "!=", ":")):
        raise _refuse(f"the emulator does not compare {field!r} by {symbol!r}.")
    present = symbol == ":" and tokens[0] == ("word", "*")
    texts = _values(tokens)
    if present:  # `field:*` asks whether there is anything, and is no search for a star
        return _Comparison(field, symbol, ("",))
    if symbol == "!=" and len(texts) > 1:
        raise _refuse("the emulator has no list of values after '!='.")
    try:
        values = tuple(text.lower() if symbol == ":" else _comparable(field, text) for text in texts)
    except ValueError as error:
        raise _refuse(f"{field!r} has no such value: {error}.") from error
    return _Comparison(field, symbol, values)


def _values(tokens: list[Token]) -> list[str]:
    if tokens[0] != ("bracket", "("):
        return [_value(tokens)]
    tokens.pop(0)
    values = [_value(tokens)]
    while tokens[0] == ("word", "OR"):
        tokens.pop(0)
        values.append(_value(tokens))
    if tokens.pop(0) != ("bracket", ")"):
        raise _refuse("expected OR or ')' after a value in brackets.")
    return values


def _value(tokens: list[Token]) -> str:
    kind, text = tokens.pop(0)
    if kind == "string":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if kind != "word":
        raise _refuse(f"expected a value, found {text!r}.")
    return text


def _comparable(field: str, text: str) -> Any:
    if field == "severity":
        if text.upper() not in _SEVERITIES:
            raise ValueError(f"'{text}' is none of {', '.join(_SEVERITIES)}")
        return _SEVERITIES.index(text.upper())
    if field == "timestamp":
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return text.lower()


def _refuse(why: str) -> ApiError:
    return invalid(f"Unparseable filter: {why}", "filter")
