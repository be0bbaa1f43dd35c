"""Posting to a webhook, whose address is a secret: whoever knows it can post there."""

import ipaddress
import json
import re
from dataclasses import dataclass
from time import sleep
from typing import Any

import requests

from gemini_sft.errors import ServiceError, UserError
from gemini_sft.inference.retry import retry_after
from gemini_sft.notification.secret import unheard

# So narrow that no two programs can read another host in it.
_URL = re.compile(r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[!-~]*)?")
_TIMEOUT_SECONDS = 10.0
_ATTEMPTS = 3
_LONGEST_PAUSE_SECONDS = 30.0


def on_this_machine(url: str) -> bool:
    """Returns whether an address leads to this very machine, that is to a loopback address or to `localhost`."""
    parts = _URL.fullmatch(url)
    if parts is None:
        return False
    host = parts[2].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def post(url: str, document: dict[str, Any], *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
    """Posts a JSON document to a webhook.

    What passes is tried again twice: no connection, 429 and 5xx. Where no answer came in time, the document may have
    arrived, and is not sent again. Redirects are not followed. The address stands in no log and in no error.

    Args:
        url: An `https://` address; `http://` only on this machine.
        document: What to post.
        timeout_seconds: For how long nothing may come back.

    Raises:
        UserError: It is no such address, or the webhook does not take what is posted.
        ServiceError: It could not be reached, or had no room.
    """
    parts = _URL.fullmatch(url)
    here = on_this_machine(url)
    if parts is None or not (parts[1] == "https" or here):
        raise UserError("the webhook's address must begin with https://, and have no blanks: mend it where it is kept")
    body = json.dumps(document).encode()
    with unheard(), requests.Session() as session:
        session.trust_env = not here  # no proxy carries what is meant for this machine
        refusal = _refusal(session, url, body, timeout_seconds)
        for attempt in range(1, _ATTEMPTS):
            if refusal is None or not refusal.passes:
                break
            sleep(min(_LONGEST_PAUSE_SECONDS, 2.0**attempt if refusal.after is None else refusal.after))
            refusal = _refusal(session, url, body, timeout_seconds)
    # Raised here, it has no cause: the text of one would have the address.
    if refusal:
        raise (ServiceError if refusal.passes else UserError)(f"the webhook {refusal.what}")


@dataclass(frozen=True)
class _Refusal:
    what: str
    passes: bool
    after: float | None = None


def _refusal(session: requests.Session, url: str, body: bytes, timeout_seconds: float) -> _Refusal | None:
    """Posts once; returns what went wrong, if something did."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    try:
        with session.post(
            url, data=body, headers=headers, timeout=timeout_seconds, allow_redirects=False, stream=True
        ) as response:
            code, after = response.status_code, retry_after(response.headers)
    except requests.ConnectionError as error:
        return _Refusal(f"could not be reached ({type(error).__name__})", passes=True)
    except requests.RequestException as error:
        return _Refusal(f"did not answer ({type(error).__name__})", passes=False)
    if code < 300:
        return None
    if code == 429 or code >= 500:
        return _Refusal(f"answered {code}", passes=True, after=after)
    if code < 400:
        return _Refusal(f"answered {code}, a redirect, which is not followed: keep the address itself", passes=False)
    return _Refusal(f"answered {code}: is the address that is kept still right?", passes=False)
