"""Records that are only asked: all that they need to be read like the others is an answer."""

from typing import Any

from gemini_sft.data.reading import Reading, Shape

_PLACEHOLDER = "{}"
"""Never sent; JSON, because the target of an extraction is."""
_ANSWERING = ("model", "assistant")


def with_placeholder(record: dict[str, Any], shape: Shape, reading: Reading) -> dict[str, Any]:
    """Returns a record that has a placeholder as its answer, in place of one that is there, be it right or empty.

    What cannot be given one is returned as it is: the reading of the record says what is wrong with it.

    Args:
        record: As parsed from JSON, or a row of a table.
        shape: Of the file's first record.
        reading: What the experiment says.
    """
    match shape:
        case Shape.MESSAGES:
            return _with_turn(record, "messages", {"role": "assistant", "content": _PLACEHOLDER})
        case Shape.CONTENTS:
            return _with_turn(record, "contents", {"role": "model", "parts": [{"text": _PLACEHOLDER}]})
        case Shape.COLUMNS:
            columns = reading.columns(set(record))
            return record if columns is None else record | {columns[1]: _PLACEHOLDER}


def _with_turn(record: dict[str, Any], key: str, turn: dict[str, Any]) -> dict[str, Any]:
    turns = record.get(key)
    if type(turns) is not list or not turns:
        return record
    last = turns[-1]
    asked = turns[:-1] if type(last) is dict and last.get("role") in _ANSWERING else turns
    return record | {key: [*asked, turn]}
