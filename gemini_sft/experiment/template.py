"""Prompt templates: text with `{column}` for each column, and `{{` and `}}` for braces."""

import string
from collections.abc import Mapping

_FORMATTER = string.Formatter()


def columns_of(template: str) -> tuple[str, ...]:
    """Returns the columns that a template names, in order, each once.

    Raises:
        ValueError: A brace is left open, or something else than a column's name stands in braces.
    """
    columns: dict[str, None] = {}
    try:
        parts = list(_FORMATTER.parse(template))
    except ValueError:
        raise ValueError("has a brace without its other half: write {{ and }} for braces") from None
    for _, name, spec, conversion in parts:
        if name is None:
            continue
        if not name or spec or conversion or any(sign in name for sign in ".[]!:"):
            raise ValueError("a name of a column must stand in braces, such as {question}; write {{ and }} for braces")
        columns[name] = None
    if not columns:
        raise ValueError("names no column: write {question} where the column question belongs")
    return tuple(columns)


def render(template: str, row: Mapping[str, str]) -> str:
    """Returns the template with each column's text in its place; what the texts hold is not looked into."""
    return "".join(before + ("" if name is None else row[name]) for before, name, _, _ in _FORMATTER.parse(template))
