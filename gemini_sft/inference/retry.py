"""Whether a failed request is sent again, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

from gemini_sft.vertex import transport_errors


class Retry(Enum):
    """What to do after a failure."""

    RATE_LIMIT = "the service has no room just now"
    TRANSIENT = "a fault that passes"
    COLD = "the endpoint is new and does not answer yet"
    TOKEN = "the access token has expired"
    NO = "sending it again changes nothing"


@dataclass(frozen=True)
class Decision:
    """What to do after a failure.

    Attributes:
        retry: Whether to send the request again, and as what.
        after: For how many seconds the service wants to hear nothing; None if it did not say.
    """

    retry: Retry
    after: float | None = None


def decide(error: BaseException) -> Decision:
    """Classifies an exception of google-genai or of its transports.

    A 429 is a rate limit, and so is the 503 that Gemini sends with the status RESOURCE_EXHAUSTED. Other 5xx, timeouts
    and broken connections pass; a 401 does with a new token. Whatever else the service refuses, it refuses again.
    """
    from google.auth.exceptions import GoogleAuthError
    from google.genai.errors import APIError

    if isinstance(error, GoogleAuthError) and error.retryable:
        return Decision(Retry.TRANSIENT)
    if not isinstance(error, APIError):
        return Decision(Retry.TRANSIENT if isinstance(error, transport_errors()) else Retry.NO)
    after = retry_after(getattr(error.response, "headers", None) or {})
    if error.code == 429 or (error.code == 503 and error.status == "RESOURCE_EXHAUSTED"):
        return Decision(Retry.RATE_LIMIT, after)
    if error.code in (408, 500, 502, 503, 504):
        return Decision(Retry.TRANSIENT, after)
    return Decision(Retry.TOKEN if error.code == 401 else Retry.NO)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Returns what the header Retry-After asks for, in seconds from now: RFC 9110, section 10.2.3.

    It is a number of seconds or a date; None without the header, or if it is neither.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
