"""Asking Vertex AI how many tokens something has. That costs nothing."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gemini_sft.cost.cache import TokenCache, cache_key
from gemini_sft.errors import GeminiSftError, ServiceError, UserError
from gemini_sft.vertex import genai_client, transport_errors

if TYPE_CHECKING:
    from google.genai.client import AsyncClient
    from google.genai.errors import APIError
    from google.genai.types import Content, CountTokensConfig

_CONCURRENCY = 16
_ATTEMPTS = 5
_BUSY = (408, 429)
_SHOWN_CHARACTERS = 300

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CountRequest:
    """Something to be counted.

    Attributes:
        example_id: Whose it is: an error names it, and never the text.
        body: `contents`, and `systemInstruction`, `tools` and `generationConfig` if there are any, as in a record.
    """

    example_id: str
    body: dict[str, Any]


def count_tokens(
    project: str, location: str, model: str, requests: Sequence[CountRequest], cache: TokenCache
) -> list[int]:
    """Counts tokens as `model` sees them: once for what occurs more than once, and not at all for what is known.

    Returns:
        For each request its tokens.

    Raises:
        UserError: Vertex AI refuses the model or an example, or there are no credentials.
        ServiceError: Vertex AI did not answer. What was counted until then is in the cache.
    """
    keys = [cache_key(model, request.body) for request in requests]
    missing: dict[str, CountRequest] = {}
    for key, request in zip(keys, requests, strict=True):
        if key not in cache:
            missing.setdefault(key, request)
    if missing:
        _log.info("counting tokens: %d requests to %s", len(missing), model)
        try:
            asyncio.run(_count_all(project, location, model, missing, cache))
        finally:
            cache.save()
    return [cache[key] for key in keys]


async def _count_all(
    project: str, location: str, model: str, missing: Mapping[str, CountRequest], cache: TokenCache
) -> None:
    client = genai_client(project, location, attempts=_ATTEMPTS)
    pending = iter(missing.items())

    async def work() -> None:
        for key, request in pending:
            cache.add(key, await _count(client.aio, model, request))

    workers = [asyncio.create_task(work()) for _ in range(min(_CONCURRENCY, len(missing)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await client.aio.aclose()


async def _count(client: "AsyncClient", model: str, request: CountRequest) -> int:
    from google.auth.exceptions import GoogleAuthError
    from google.genai.errors import APIError

    contents, config = _arguments(model, request)
    try:
        response = await client.models.count_tokens(model=model, contents=list(contents), config=config)
    except APIError as error:
        raise _refusal(model, request, error) from None  # the error holds all that the service said
    except GoogleAuthError as error:
        raise UserError(f"no Google credentials: run `gcloud auth application-default login` ({error})") from error
    except transport_errors() as error:
        what = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise ServiceError(f"{_where(model, request)}: Vertex AI did not answer: {what}") from error
    except ValidationError:
        raise ServiceError(f"{_where(model, request)}: Vertex AI answered without a count") from None
    except ValueError as error:
        raise UserError(f"{_where(model, request)}: google-genai does not take it{_said(error, request)}") from None
    if response.total_tokens is None:
        raise ServiceError(f"{_where(model, request)}: Vertex AI answered without a count")
    return response.total_tokens


def _arguments(model: str, request: CountRequest) -> "tuple[list[Content], CountTokensConfig]":
    from google.genai.types import Content, CountTokensConfig

    body = request.body
    settings = {key: value for key, value in body.items() if key != "contents"}
    try:
        contents = [Content.model_validate(one) for one in body["contents"]]
        return contents, CountTokensConfig.model_validate(settings)
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)[:3]
        )
        raise UserError(f"{_where(model, request)}: it is not in Gemini's format: {places}") from None


def _refusal(model: str, request: CountRequest, error: "APIError") -> GeminiSftError:
    said = f"{error.code} {error.status or ''}".strip() + _said(error.message, request)
    if 400 <= error.code < 500 and error.code not in _BUSY:
        return UserError(f"{_where(model, request)}: Vertex AI refused: {said}")
    return ServiceError(f"{_where(model, request)}: Vertex AI did not answer: {said}")


def _said(message: object, request: CountRequest) -> str:
    """Returns a message to be put behind others; nothing if it quotes the example."""
    text = str(message or "")
    quotes = any(one[:20] in text for one in _texts(request.body))
    return f": {text[:_SHOWN_CHARACTERS]}" if text and not quotes else ""


def _texts(value: Any) -> list[str]:
    """Returns every text in a request that somebody wrote."""
    if isinstance(value, dict):
        return [text for key, inner in value.items() if key != "role" for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) and value else []


def _where(model: str, request: CountRequest) -> str:
    return f"tokens of example {request.example_id} could not be counted by {model}"
