"""Clients of Vertex AI.

Where the services are comes from the environment alone: google-genai reads `GOOGLE_VERTEX_BASE_URL` by itself, and
`VERTEX_API_ENDPOINT` does the same for the REST calls here. Unset, both are Google's own.
"""

import json
import os
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gemini_sft.errors import AbsentError, DeniedError, ServiceError, UnansweredError
from gemini_sft.rest import PASSING, session

if TYPE_CHECKING:
    import requests
    from google.auth.credentials import Credentials
    from google.genai import Client

_LOCATION = re.compile(r"^projects/[^/]+/locations/([^/]+)/")
_ENDPOINT = re.compile(r"^projects/[^/]+/locations/[^/]+/endpoints/[^/]+$")
_MULTI_REGIONS = ("us", "eu")
_TIMEOUT_SECONDS = 60
_ATTEMPTS = 4
_NOT_YET = (404, 503)
_PAUSE_SECONDS = 5.0


def location_of(resource: str, default: str) -> str:
    """Returns the location inside a full resource name; `default` for a short name such as a base model's.

    A tuned model answers only there: tuned Gemini 3.x models live in `us` or `eu`, not in the region of the job.
    """
    match = _LOCATION.match(resource)
    return match.group(1) if match else default


def is_endpoint(model: str) -> bool:
    """Returns whether a model's name is that of an endpoint, that is of a tuned model."""
    return bool(_ENDPOINT.match(model))


def genai_client(
    project: str,
    location: str,
    *,
    timeout_seconds: float = _TIMEOUT_SECONDS,
    attempts: int = 5,
    credentials: "Credentials | None" = None,
) -> "Client":
    """Returns a google-genai client of Vertex AI.

    Args:
        project: Google Cloud project.
        location: Where the model or job is.
        timeout_seconds: Of one request.
        attempts: How often a request that met 408, 429 or a 5xx is sent, the first time included.
        credentials: Whose; None for the default ones.
    """
    from google import genai
    from google.genai import types

    return genai.Client(
        vertexai=True,
        project=project,
        location=location,
        credentials=credentials,
        http_options=types.HttpOptions(
            timeout=round(timeout_seconds * 1000), retry_options=types.HttpRetryOptions(attempts=attempts)
        ),
    )


def host(location: str) -> str:
    """Returns the address of Vertex AI for a location.

    A region has a host of its own, the multi-regions `us` and `eu` have regional endpoint hosts, `global` has neither.
    """
    if endpoint := os.environ.get("VERTEX_API_ENDPOINT"):
        return endpoint
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return "https://" + ("" if location == "global" else f"{location}-") + "aiplatform.googleapis.com"


def resource_uri(name: str) -> str:
    """Returns the HTTPS address of a Vertex AI resource, by which it stands in the lineage."""
    return f"{host(location_of(name, ''))}/v1/{name}"


def console_link(project: str, location: str, run_id: str) -> str:
    """Returns where Vertex AI's console shows the run of a pipeline."""
    project, location, run_id = (quote(one, safe="") for one in (project, location, run_id))
    console = "https://console.cloud.google.com/vertex-ai"
    return f"{console}/locations/{location}/pipelines/runs/{run_id}?project={project}"


def get(
    path: str, location: str, parameters: dict[str, Any] | None = None, *, patience_seconds: float = 0.0
) -> dict[str, Any]:
    """Returns a resource of the Vertex AI REST API.

    Args:
        path: Resource name or collection below the API's version.
        location: Whose host serves it.
        parameters: Of the query; a list repeats its key.
        patience_seconds: How long it may not be there: a tuned model's endpoint is not, just after its job.

    Raises:
        ServiceError: The service refused or could not be reached.
    """
    return _document(_response(path, location, parameters, patience_seconds))


def find(path: str, location: str) -> dict[str, Any] | None:
    """Returns a resource, or None if there is none of that name; for the rest see `get`."""
    try:
        return get(path, location)
    except AbsentError:
        return None


def listed(path: str, location: str, kind: str, query: str = "", fields: str = "") -> Iterator[dict[str, Any]]:
    """Yields the resources of a collection that a filter lets through; for errors see `get`.

    Args:
        path: The collection, such as `projects/P/locations/L/models`.
        location: Whose host serves it.
        kind: Its last word, under which a page has its items.
        query: The filter, in the service's own language; empty for all.
        fields: The only ones that are wanted, with commas between; empty for all.
    """
    parameters: dict[str, Any] = {"pageSize": 100}
    parameters |= ({"filter": query} if query else {}) | ({"readMask": fields} if fields else {})
    while True:
        page = get(path, location, parameters)
        yield from page.get(kind, [])
        if not page.get("nextPageToken"):
            return
        parameters = parameters | {"pageToken": page["nextPageToken"]}


def send(
    method: str,
    path: str,
    location: str,
    body: dict[str, Any] | None = None,
    parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Changes something through the Vertex AI REST API: asks once, whatever becomes of it.

    Args:
        method: `POST`, `PATCH` or `DELETE`.
        path: Resource name below the API's version, with the verb if it has one.
        location: Whose host serves it.
        body: What is sent, as JSON; None for nothing.
        parameters: Of the query.

    Raises:
        UnansweredError: No whole answer came, or the service has no time: whether it was done is not known.
        AbsentError: There is no such resource.
        ServiceError: The service refused; nothing was changed.
    """
    url = f"{host(location)}/v1/{path}"
    with session(url) as opened:
        response = opened.request(method, url, json=body, params=parameters, timeout=_TIMEOUT_SECONDS)
    return _document(response)


def ask(url: str, body: dict[str, Any], service: str) -> dict[str, Any]:
    """Asks a Google service something by POST that changes nothing: after what passes, it is asked again.

    Args:
        url: The whole address.
        body: What is sent, as JSON.
        service: What the service is called.

    Raises:
        UserError: There are no credentials.
        DeniedError: The account may not ask this.
        ServiceError: The service refused or could not be reached.
    """
    with session(url, service, _ATTEMPTS, posts=True) as opened:
        response = opened.post(url, json=body, timeout=_TIMEOUT_SECONDS)
    return _document(response)


def _response(
    path: str, location: str, parameters: dict[str, Any] | None, patience_seconds: float
) -> "requests.Response":
    url = f"{host(location)}/v1/{path}"
    # Hours of tuning may lie before this call: what passes is waited for.
    deadline = time.monotonic() + patience_seconds
    with session(url, attempts=_ATTEMPTS) as opened:
        while True:
            response: requests.Response = opened.get(url, params=parameters, timeout=_TIMEOUT_SECONDS)
            if response.status_code not in _NOT_YET or time.monotonic() > deadline:
                return response
            time.sleep(_PAUSE_SECONDS)


def _document(response: "requests.Response") -> dict[str, Any]:
    url = response.url.partition("?")[0]
    if response.status_code != 200:
        kinds = {403: DeniedError, 404: AbsentError} | dict.fromkeys(PASSING, UnansweredError)
        raise kinds.get(response.status_code, ServiceError)(
            f"{url} answered {response.status_code}: {response.text[:500]}"
        )
    try:
        document: dict[str, Any] = response.json()
    except ValueError as error:
        raise UnansweredError(f"{url} answered something that is not JSON: {error}") from error
    return document


def transport_errors() -> tuple[type[Exception], ...]:
    """Returns what Google's libraries raise when no whole answer came: it may come another time."""
    import aiohttp
    import httpx
    from google.auth.exceptions import TransportError
    from google.genai.errors import UnknownApiResponseError

    # A body that is cut off in the middle reaches us as JSON that does not end, or as half a character.
    cut_off = (json.JSONDecodeError, UnicodeDecodeError, UnknownApiResponseError)
    return (aiohttp.ClientError, TimeoutError, ConnectionError, httpx.TransportError, TransportError, *cut_off)
