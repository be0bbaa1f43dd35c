"""A secret, read where an experiment says that it is kept."""

import base64
import binascii
import contextlib
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gemini_sft.errors import ServiceError, UserError
from gemini_sft.rest import session

if TYPE_CHECKING:
    import requests

_VARIABLE = "env:"
_ENDPOINT = "https://secretmanager.googleapis.com"
_TIMEOUT_SECONDS = 30
_ATTEMPTS = 3


def read_secret(place: str) -> str:
    """Returns a secret, without the spaces and line breaks around it.

    Args:
        place: `env:NAME` for a variable of this process, or `projects/PROJECT/secrets/NAME[/versions/VERSION]` in
            Secret Manager, of which the latest version if none is named. Where Secret Manager is, the variable
            `SECRET_MANAGER_ENDPOINT` says; unset, it is Google's own.

    Raises:
        UserError: There is none, it may not be read, or there are no credentials.
        ServiceError: Secret Manager did not answer.
    """
    if place.startswith(_VARIABLE):
        name = place.removeprefix(_VARIABLE)
        if value := os.environ.get(name, "").strip():
            return value
        raise UserError(
            f"the variable {name} is not set where the task runs: set it there, or keep the secret in Secret Manager as"
            " projects/PROJECT/secrets/NAME"
        )
    with unheard():
        return _accessed(place if "/versions/" in place else f"{place}/versions/latest")


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Turns off all logs: libraries of HTTP log addresses and answers, and here either may be a secret."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _accessed(version: str) -> str:
    """Returns what Secret Manager holds; see https://cloud.google.com/secret-manager/docs/reference/rest."""
    response = _answer(version)
    match response.status_code:
        case 200:
            with contextlib.suppress(ValueError, KeyError, TypeError, binascii.Error):
                return base64.b64decode(response.json()["payload"]["data"], validate=True).decode().strip()
            raise ServiceError(f"{version}: Secret Manager did not answer with a text")
        case 400:
            raise UserError(f"{version}: Secret Manager refuses it (400): is the version disabled or destroyed?")
        case 403:
            role = "roles/secretmanager.secretAccessor"
            raise UserError(f"{version}: may not be read (403): give the account that runs this {role} on the secret")
        case 404:
            raise UserError(f"{version}: there is no such secret, or no such version of it, in Secret Manager (404)")
        case code:
            raise ServiceError(f"{version}: Secret Manager answered {code}")


def _answer(version: str) -> "requests.Response":
    url = f"{os.environ.get('SECRET_MANAGER_ENDPOINT', _ENDPOINT)}/v1/{version}:access"
    with session(url, "Secret Manager", _ATTEMPTS) as opened:
        response: requests.Response = opened.get(url, timeout=_TIMEOUT_SECONDS)
    return response
