"""How much of a JSON object an answer gets right.

Precision, recall and F1 are those of information extraction (N. Chinchor, "MUC-4 Evaluation Metrics", 1992), counted
over fields: the places in the JSON at which a value stands, each together with its value. `{"a": {"b": 1}, "c": [2]}`
has two of them, `a.b = 1` and `c[0] = 2`; so an element of a list counts at its own position only.
"""

import json
from decimal import Decimal
from typing import Any

NAMES = ("valid_json", "exact_object", "field_precision", "field_recall", "field_f1")
"""Each in [0, 1]."""

PRIMARY = "field_f1"

_Path = tuple[str | int, ...]
_Fields = frozenset[tuple[_Path, tuple[str, Any]]]


class _NotJson(ValueError):
    """What Python's parser takes and RFC 8259 does not, or leaves open."""


def score(answer: str, references: tuple[str, ...]) -> dict[str, float]:
    """Returns the metrics of an answer that should be a JSON object or array.

    An answer is valid if it is one, whole and alone: not inside a Markdown code fence, without NaN or Infinity, with no
    key twice in one object. The rest compares JSON values: `1` is `1.0`, `true` is not `1`, the order of keys does
    not matter, that of lists does. Without valid JSON all metrics are 0.

    Args:
        answer: What the model said.
        references: The right answers, at least one. All scores are those against one of them: the one with the best
            field F1, and of several such the first.
    """
    given = _fields(answer)
    if given is None:
        return dict.fromkeys(NAMES, 0.0)
    return max((_scores(given, _fields(one)) for one in references), key=lambda scores: scores[PRIMARY])


def _scores(given: _Fields, wanted: _Fields | None) -> dict[str, float]:
    wanted = wanted or frozenset()
    right = len(given & wanted)
    return {
        "valid_json": 1.0,
        "exact_object": float(given == wanted),
        "field_precision": right / len(given),
        "field_recall": right / (len(wanted) or 1),
        "field_f1": 2 * right / (len(given) + len(wanted)),
    }


def _fields(text: str) -> _Fields | None:
    """Returns every field of a JSON object or array, at least one; None if the text is not valid."""
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_number, parse_int=_number
        )
    except (ValueError, RecursionError):  # a model that repeats "[" for ever is not deep but wrong
        return None
    return _leaves(value) if isinstance(value, dict | list) else None


def _leaves(whole: Any) -> _Fields:
    """Returns all values that hold no others, with their paths; an empty object or list is such a value."""
    found = []
    open_: list[tuple[_Path, Any]] = [((), whole)]
    while open_:
        path, value = open_.pop()
        if value and isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            open_ += [((*path, key), one) for key, one in items]
        else:
            # The type stands beside the value because Python takes True for 1.
            found.append((path, (type(value).__name__, None if isinstance(value, dict | list) else value)))
    return frozenset(found)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) < len(pairs):
        raise _NotJson("a key stands twice")
    return whole


def _constant(name: str) -> None:
    raise _NotJson(name)


def _number(digits: str) -> Decimal:
    """Returns a number without rounding, however long: 0.1 stays apart from 0.1000000000000000055."""
    try:
        return Decimal(digits)
    except ArithmeticError as error:
        raise _NotJson(digits) from error
