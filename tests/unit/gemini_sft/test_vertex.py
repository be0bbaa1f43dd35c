import socket
from collections.abc import Callable, Sequence

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gemini_sft import vertex
from gemini_sft.errors import ServiceError, UnansweredError, UserError
from gemini_sft.vertex import console_link, host, location_of, resource_uri

Serve = Callable[[Sequence[BaseRoute]], str]


@pytest.mark.parametrize(
    ("resource", "location"),
    [
        ("projects/7/locations/us/endpoints/42", "us"),
        ("projects/my-p/locations/europe-west4/models/3@1", "europe-west4"),
        ("gemini-2.5-flash", "default"),
        ("publishers/google/models/gemini-2.5-flash", "default"),
        ("", "default"),
        ("projects/7/locations/us", "default"),
    ],
)
def test_a_resource_is_where_its_name_says(resource: str, location: str) -> None:
    assert location_of(resource, "default") == location


def test_the_address_of_a_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "projects/7/locations/us/endpoints/42"
    monkeypatch.delenv("VERTEX_API_ENDPOINT", raising=False)
    assert resource_uri(name) == f"https://aiplatform.us.rep.googleapis.com/v1/{name}"
    monkeypatch.setenv("VERTEX_API_ENDPOINT", "http://127.0.0.1:1")
    assert resource_uri(name) == f"http://127.0.0.1:1/v1/{name}"


def test_a_resource_is_read_with_credentials_and_every_parameter(serve: Serve) -> None:
    async def echo(request: Request) -> Response:
        return JSONResponse({"query": request.url.query, "credentials": request.headers["authorization"]})

    serve([Route("/v1/a/b", echo)])
    assert vertex.get("a/b", "us", {"x": ["1", "2"], "y": 3}) == {
        "query": "x=1&x=2&y=3",
        "credentials": "Bearer emulator-token",
    }


def test_a_refusal_is_a_service_error(serve: Serve) -> None:
    url = serve([Route("/v1/a", lambda _: JSONResponse({"error": {"message": "told you"}}, 403))])
    with pytest.raises(ServiceError) as caught:
        vertex.get("a", "us")
    assert str(caught.value) == f'{url}/v1/a answered 403: {{"error":{{"message":"told you"}}}}'


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_change_is_asked_for_once_and_may_have_been_made(serve: Serve, status: int) -> None:
    asked: list[tuple[str, bytes]] = []

    async def fail(request: Request) -> Response:
        asked.append((request.url.query, await request.body()))
        return JSONResponse({}, status)

    serve([Route("/v1/a", fail, methods=["PATCH"])])
    with pytest.raises(UnansweredError, match=f"answered {status}"):
        vertex.send("PATCH", "a", "us", {"x": 1}, {"updateMask": "x"})
    assert asked == [("updateMask=x", b'{"x": 1}')]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
def test_a_change_that_is_refused_was_not_made(serve: Serve, status: int) -> None:
    serve([Route("/v1/a", lambda _: JSONResponse({}, status), methods=["POST"])])
    with pytest.raises(ServiceError, match=f"answered {status}") as caught:
        vertex.send("POST", "a", "us", {})
    assert not isinstance(caught.value, UnansweredError)


def test_a_page_in_place_of_json_is_no_answer(serve: Serve) -> None:
    serve([Route("/v1/a", lambda _: Response("<html>", media_type="text/html"), methods=["GET", "POST"])])
    with pytest.raises(UnansweredError, match="something that is not JSON"):
        vertex.get("a", "us")
    with pytest.raises(UnansweredError, match="something that is not JSON"):
        vertex.send("POST", "a", "us", {})


def test_nobody_there(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    serve([])
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("VERTEX_API_ENDPOINT", url)
    with pytest.raises(ServiceError) as caught:
        vertex.get("a", "us")
    assert str(caught.value).startswith(f"{url}/v1/a could not be reached: ")


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    with pytest.raises(UserError) as caught:
        vertex.get("a", "us")
    assert str(caught.value).startswith("Vertex AI: no Google credentials: run `gcloud auth ")


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("us-central1", "https://us-central1-aiplatform.googleapis.com"),
        ("us", "https://aiplatform.us.rep.googleapis.com"),
        ("eu", "https://aiplatform.eu.rep.googleapis.com"),
        ("global", "https://aiplatform.googleapis.com"),
    ],
)
def test_each_location_has_its_own_address(monkeypatch: pytest.MonkeyPatch, location: str, address: str) -> None:
    monkeypatch.delenv("VERTEX_API_ENDPOINT", raising=False)
    assert host(location) == address


def test_the_consoles_link_is_that_of_the_sdk() -> None:
    from google.cloud import aiplatform

    name = "projects/my-p/locations/us-central1/pipelineJobs/demo-20261126-025159-bb32"
    job = aiplatform.PipelineJob.__new__(aiplatform.PipelineJob)
    job._gca_resource = aiplatform.gapic.PipelineJob(name=name)
    assert console_link("my-p", "us-central1", name.rpartition("/")[2]) == job._dashboard_uri()
