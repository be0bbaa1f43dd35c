"""What has no say in the verdict, and could not be had: the run goes on and says so."""

import logging
from typing import Any

from gemini_sft import storage

_KEY = "absent"

_log = logging.getLogger(__name__)


def write_absent(uri: str, what: str, error: Exception) -> None:
    """Writes, in place of a result, why there is none."""
    why = f"{what} could not be had: {error}"
    _log.warning("%s", why)
    storage.write_json(uri, {_KEY: why})


def why_absent(document: dict[str, Any]) -> str | None:
    """Returns why there is no result; None if there is one."""
    return document.get(_KEY)
