"""What has no say in the verdict, and could not be had: the run goes on and says so."""

import logging
from typing import Any

from gemini_sft import storage

_KEY = "absent"
_ERROR = "error"

_log = logging.getLogger(__name__)


def write_absent(uri: str, what: str, error: Exception) -> None:
    """Writes, in place of a result, why there is none."""
    why = f"{what} could not be had: {error}"
    _log.warning("%s", why)
    storage.write_json(uri, {_KEY: why, _ERROR: type(error).__name__})


def why_absent(document: dict[str, Any]) -> str | None:
    """Returns why there is no result; None if there is one."""
    return document.get(_KEY)


def class_of_absence(document: dict[str, Any]) -> str:
    """Returns the class of the error for which there is no result: all of it that may be told outside the project."""
    return str(document[_ERROR])
