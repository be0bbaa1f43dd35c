"""Token counts that are known already: a count is a property of model and content, and never changes."""

import hashlib
import logging
from typing import Any

import orjson

from gemini_sft import storage
from gemini_sft.errors import GeminiSftError

_log = logging.getLogger(__name__)


def cache_key(model: str, body: dict[str, Any]) -> str:
    """Returns what a count is kept under: the model and a hash of the request, of which no text can be read."""
    return f"{model}:{hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()}"


class TokenCache:
    """Counts in one JSON file: `{"MODEL:SHA256": tokens}`.

    The file spares requests and nothing else: one that is missing, broken or out of reach is as good as an empty one.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._known = _read(uri)
        self._new: dict[str, int] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> int:
        return self._known[key]

    def add(self, key: str, tokens: int) -> None:
        """Keeps a count, in the file from the next `save` on."""
        self._known[key] = self._new[key] = tokens

    def save(self) -> None:
        """Writes what was added into the file, beside what others have written there meanwhile."""
        if not self._new:
            return
        try:
            storage.write_json(self._uri, _read(self._uri) | self._new)
        except GeminiSftError as error:
            _log.warning("token counts are not kept for the next run: %s", error)
        else:
            self._new = {}


def hand_over(source: str, target: str) -> None:
    """Adds the counts of one file to those of another, so that nobody asks for them again."""
    cache = TokenCache(target)
    for key, tokens in _read(source).items():
        if key not in cache:
            cache.add(key, tokens)
    cache.save()


def _read(uri: str) -> dict[str, int]:
    try:
        document = storage.read_json(uri)
    except (GeminiSftError, orjson.JSONDecodeError):
        return {}
    if not isinstance(document, dict) or not all(type(tokens) is int and tokens >= 0 for tokens in document.values()):
        return {}
    return document
