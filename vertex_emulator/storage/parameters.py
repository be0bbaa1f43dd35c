"""Query parameters of a request."""

from collections.abc import Mapping

from vertex_emulator.storage.errors import bad_request, not_implemented


def integer(query: Mapping[str, str], key: str) -> int | None:
    """Returns a query parameter that must be a number not below 0, or None if it is not there.

    Raises:
        StorageError: 400 for other text.
    """
    text = query.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise bad_request(f"Invalid value for parameter '{key}': '{text}' is not a number.")
    return int(text)


def required(query: Mapping[str, str], key: str) -> str:
    """Returns a query parameter; 400 if it is missing or empty."""
    text = query.get(key)
    if not text:
        raise bad_request(f"Required parameter: {key}", "required")
    return text


def flag(query: Mapping[str, str], key: str) -> bool:
    """Returns a boolean query parameter, False if it is not there."""
    return query.get(key, "").lower() in ("true", "1")


def refuse(query: Mapping[str, str], *keys: str) -> None:
    """Answers 501 if the client asks for one of these, which the emulator cannot honour."""
    for key in keys:
        if query.get(key, "false").lower() not in ("false", ""):
            raise not_implemented(f"The parameter '{key}'")
