"""Deleting what takes its time on Vertex AI, against a server that answers as it does."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gemini_sft.errors import ServiceError
from gemini_sft.release import removing, writing

Serve = Callable[[Sequence[BaseRoute]], str]
NAME = "projects/1/locations/us/endpoints/2"
OPERATION = f"{NAME}/operations/3"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(writing, "PAUSES", (0.001,) * 3)


def slow(*answers: dict[str, Any]) -> tuple[list[BaseRoute], list[str]]:
    """A deletion that is an operation: its states, one for each look; and what was asked."""
    asked, left = [], list(answers)

    async def answer(request: Request) -> Response:
        asked.append(f"{request.method} {request.url.path.removeprefix('/v1/')}")
        return JSONResponse({"name": OPERATION} | left.pop(0))

    routes: list[BaseRoute] = [
        Route(f"/v1/{NAME}", answer, methods=["DELETE"]),
        Route(f"/v1/{NAME}:undeployModel", answer, methods=["POST"]),
        Route(f"/v1/{OPERATION}", answer),
    ]
    return routes, asked


def test_the_end_of_an_operation_is_waited_for(serve: Serve) -> None:
    routes, asked = slow({}, {"done": False}, {"done": True, "response": {}})
    serve(routes)
    removing.delete(NAME, "us")
    assert asked == [f"DELETE {NAME}", f"GET {OPERATION}", f"GET {OPERATION}"]


def test_an_operation_that_fails_says_why(serve: Serve) -> None:
    routes, _ = slow({}, {"done": True, "error": {"code": 9, "message": "The endpoint is in use."}})
    serve(routes)
    with pytest.raises(ServiceError, match=f"{NAME} failed: The endpoint is in use."):
        removing.delete(NAME, "us")


def test_an_operation_without_an_end_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removing, "_LONGEST_SECONDS", 0.0)
    routes, _ = slow({}, {}, {})
    serve(routes)
    with pytest.raises(ServiceError, match=f"was not done within 0 s: {OPERATION}"):
        removing.delete(NAME, "us")


def test_what_is_gone_is_no_error(serve: Serve) -> None:
    serve([])
    removing.delete(NAME, "us")
    removing.undeploy_all(NAME, ["1"], "us")


@pytest.mark.parametrize(("status", "times"), [(403, 1), (503, 4)])
def test_a_refusal_is_told_and_what_passes_is_asked_for_again(serve: Serve, status: int, times: int) -> None:
    asked = []

    async def refuse(request: Request) -> Response:
        asked.append(request.method)
        return JSONResponse({"error": {"message": "not now"}}, status)

    serve([Route(f"/v1/{NAME}", refuse, methods=["DELETE"])])
    with pytest.raises(ServiceError, match=f"{NAME} answered {status}: .*not now"):
        removing.delete(NAME, "us")
    assert len(asked) == times


def test_of_several_deployed_models_the_last_takes_the_traffic(serve: Serve) -> None:
    bodies = []

    async def undeploy(request: Request) -> Response:
        bodies.append(await request.json())
        return JSONResponse({"done": True})

    serve([Route(f"/v1/{NAME}:undeployModel", undeploy, methods=["POST"])])
    removing.undeploy_all(NAME, ["1", "2"], "us")
    assert bodies == [{"deployedModelId": "1", "trafficSplit": {"2": 100}}, {"deployedModelId": "2"}]
