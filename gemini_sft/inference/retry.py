"""Whether a failed request is sent again, as a value."""

import asyncio
import json
from enum import Enum


class Retry(Enum):
    """What to do after a failure."""

    RATE_LIMIT = "the service has no room just now"
    TRANSIENT = "a fault that passes"
    NO = "sending it again changes nothing"


def decide(error: BaseException) -> Retry:
    """Classifies an exception of google-genai or of its transports.

    A 429 is a rate limit, and so is the 503 that Gemini sends with the status RESOURCE_EXHAUSTED. Other 5xx, timeouts
    and broken connections pass. Whatever else the service refuses, it refuses again.
    """
    from google.genai.errors import APIError

    if isinstance(error, APIError):
        if error.code == 429 or (error.code == 503 and error.status == "RESOURCE_EXHAUSTED"):
            return Retry.RATE_LIMIT
        return Retry.TRANSIENT if error.code in (408, 500, 502, 503, 504) else Retry.NO
    return Retry.TRANSIENT if isinstance(error, _transport_errors()) else Retry.NO


def _transport_errors() -> tuple[type[BaseException], ...]:
    import aiohttp
    from google.genai.errors import UnknownApiResponseError

    # A body that is cut off in the middle reaches us as JSON that does not end, or as half a character.
    cut_off = (json.JSONDecodeError, UnicodeDecodeError, UnknownApiResponseError)
    return (aiohttp.ClientError, asyncio.TimeoutError, TimeoutError, ConnectionError, *cut_off)
