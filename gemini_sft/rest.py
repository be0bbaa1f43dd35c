"""Requests to Google's REST services, with whatever credentials there are."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gemini_sft.errors import UnansweredError, UserError
from gemini_sft.refusals import no_credentials

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.auth.transport.requests import AuthorizedSession

PASSING = (408, 429, 500, 502, 503, 504)
"""HTTP statuses of faults that may pass by themselves."""
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def default_credentials(place: str = "Vertex AI") -> "Credentials":
    """Returns Google's application default credentials.

    Args:
        place: What they are for, as an error names it.

    Raises:
        UserError: There are none.
    """
    import google.auth
    from google.auth.exceptions import GoogleAuthError

    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except GoogleAuthError as error:
        raise UserError(no_credentials(place, error)) from error
    return credentials


@contextlib.contextmanager
def session(
    url: str, place: str = "Vertex AI", attempts: int = 1, *, posts: bool = False
) -> "Iterator[AuthorizedSession]":
    """Gives a session with credentials, and raises what keeps it from an answer as an error that says where.

    Args:
        url: What will be asked.
        place: Whose it is, as an error names it.
        attempts: How often a request that changes nothing and meets a passing fault is sent, the first time included.
        posts: Whether those by POST change nothing either.

    Raises:
        UserError: There are no credentials, also when asking.
        UnansweredError: The service could not be reached; when asking.
    """
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import AuthorizedSession
    from requests import RequestException
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    try:
        with AuthorizedSession(default_credentials(place)) as opened:
            if attempts > 1:
                retry = Retry(
                    total=attempts - 1,
                    backoff_factor=1,
                    status_forcelist=PASSING,
                    raise_on_status=False,
                    allowed_methods=None if posts else Retry.DEFAULT_ALLOWED_METHODS,
                )
                opened.mount(url, HTTPAdapter(max_retries=retry))
            yield opened
    except GoogleAuthError as error:
        raise UserError(no_credentials(place, error)) from error
    except RequestException as error:
        raise UnansweredError(f"{url} could not be reached: {error}") from error
