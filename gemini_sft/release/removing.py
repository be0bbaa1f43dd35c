"""Deleting on Vertex AI: what is gone already is no error, and what takes its time is waited for."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gemini_sft import vertex
from gemini_sft.errors import ServiceError, UserError
from gemini_sft.refusals import no_credentials

if TYPE_CHECKING:
    import requests

_ATTEMPTS = 4
_TIMEOUT_SECONDS = 60
_PASSING = (408, 429, 500, 502, 503, 504)
_LONGEST_SECONDS = 600.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0


def delete(name: str, location: str) -> None:
    """Deletes a resource, by its name or by a method such as `NAME:deleteVersion`; that there is none is no error.

    Raises:
        UserError: There are no credentials.
        ServiceError: Vertex AI refused it, did not answer, or was not done within ten minutes.
    """
    _finish(_send("DELETE", name, location), name, location)


def undeploy_all(endpoint: str, deployments: Sequence[str], location: str) -> None:
    """Takes all deployed models from an endpoint; that there is none of an id is no error. For errors see `delete`.

    Args:
        endpoint: Its resource name.
        deployments: The ids that the models have there.
        location: Where the endpoint is.
    """
    method = f"{endpoint}:undeployModel"
    for number, deployment in enumerate(deployments, 1):
        body: dict[str, Any] = {"deployedModelId": deployment}
        # A model that has traffic is not undeployed: what is left takes all of it.
        body |= {"trafficSplit": {deployments[-1]: 100}} if number < len(deployments) else {}
        _finish(_send("POST", method, location, body), method, location)


def _finish(response: "requests.Response", what: str, location: str) -> None:
    if response.status_code == 404:
        return
    if response.status_code != 200:
        raise ServiceError(f"{what} answered {response.status_code}: {response.text[:500]}")
    operation: dict[str, Any] = response.json()
    deadline, pause = time.monotonic() + _LONGEST_SECONDS, _FIRST_PAUSE_SECONDS
    while not operation.get("done"):
        if time.monotonic() > deadline:
            raise ServiceError(f"{what} was not done within {_LONGEST_SECONDS:.0f} s: {operation.get('name')}")
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        operation = vertex.get(operation["name"], location)
    if error := operation.get("error"):
        raise ServiceError(f"{what} failed: {error.get('message') or error}")


def _send(method: str, path: str, location: str, body: dict[str, Any] | None = None) -> "requests.Response":
    """Asks again after what passes: what the first request did, the second finds done."""
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import AuthorizedSession
    from requests import RequestException

    url = f"{vertex.host(location)}/v1/{path}"
    for attempt in range(_ATTEMPTS):
        last = attempt == _ATTEMPTS - 1
        try:
            with AuthorizedSession(vertex.default_credentials()) as session:
                response: requests.Response = session.request(method, url, json=body, timeout=_TIMEOUT_SECONDS)
            if response.status_code == 200:
                response.json()  # half of an answer says nothing
            if response.status_code not in _PASSING:
                return response
        except GoogleAuthError as error:
            raise UserError(no_credentials("Vertex AI", error)) from error
        except RequestException as error:
            if last:
                raise ServiceError(f"{url} did not answer: {error}") from error
        if not last:
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    return response
