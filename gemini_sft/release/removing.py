"""Deleting on Vertex AI: what is gone already is no error, and what takes its time is waited for."""

import time
from collections.abc import Sequence
from typing import Any

from gemini_sft import vertex
from gemini_sft.errors import AbsentError, ServiceError
from gemini_sft.release.writing import insist

_LONGEST_SECONDS = 600.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0


def delete(name: str, location: str) -> None:
    """Deletes a resource, by its name or by a method such as `NAME:deleteVersion`; that there is none is no error.

    Raises:
        UserError: There are no credentials.
        ServiceError: Vertex AI refused it, did not answer, or was not done within ten minutes.
    """
    _finish("DELETE", name, location)


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
        _finish("POST", method, location, body)


def _finish(method: str, path: str, location: str, body: dict[str, Any] | None = None) -> None:
    """Asks until there is an answer: what the first request did, the second finds done."""
    operation: dict[str, Any] = {}
    try:
        insist(lambda: operation.update(vertex.send(method, path, location, body)))
    except AbsentError:
        return
    deadline, pause = time.monotonic() + _LONGEST_SECONDS, _FIRST_PAUSE_SECONDS
    while not operation.get("done"):
        if time.monotonic() > deadline:
            raise ServiceError(f"{path} was not done within {_LONGEST_SECONDS:.0f} s: {operation.get('name')}")
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        operation = vertex.get(operation["name"], location)
    if error := operation.get("error"):
        raise ServiceError(f"{path} failed: {error.get('message') or error}")
