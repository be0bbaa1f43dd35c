import socket
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from urllib3.util import parse_url

from gemini_sft.errors import GeminiSftError, ServiceError, UserError
from gemini_sft.notification import on_this_machine, post

SECRET = "/services/T00/B00/SECRET"
Webhook = Any  # of conftest.py


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}{SECRET}"


@pytest.fixture
def closed(silent: str) -> str:
    """An address at which nobody is."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}{SECRET}"


def failure(url: str, **options: Any) -> GeminiSftError:
    """What posting raises, in which nothing tells the address, nor in whatever led to it."""
    with pytest.raises(GeminiSftError) as caught:
        post(url, {"text": "x"}, **options)
    error = caught.value
    assert "SECRET" not in "".join(traceback.format_exception(error))
    assert error.__cause__ is None and error.__context__ is None
    return error


def test_a_document_arrives_as_json(webhook: Webhook, pauses: list[float]) -> None:
    post(webhook.url, {"text": "日本 & <x>"})
    assert webhook.told == [{"text": "日本 & <x>"}]
    assert webhook.heads[0]["content-type"] == "application/json; charset=utf-8"
    assert "authorization" not in webhook.heads[0]
    assert pauses == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(webhook: Webhook, pauses: list[float], status: int) -> None:
    webhook.answers = [(status, {}), (status, {"Retry-After": "7"})]
    post(webhook.url, {"text": "x"})
    assert len(webhook.told) == 3
    assert pauses == [2.0, 7.0]


@pytest.mark.parametrize("hours", [-1, 1])
def test_nobody_is_waited_for_longer_than_half_a_minute(webhook: Webhook, pauses: list[float], hours: int) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    webhook.answers = [(429, {"Retry-After": date}), (429, {"Retry-After": "no date"})]
    post(webhook.url, {"text": "x"})
    assert pauses == [30.0 if hours > 0 else 0.0, 4.0]


def test_what_does_not_pass_in_three_tries_is_a_service_error(webhook: Webhook, pauses: list[float]) -> None:
    webhook.answers = [(502, {})] * 9
    error = failure(webhook.url)
    assert isinstance(error, ServiceError) and str(error) == "the webhook answered 502"
    assert len(webhook.told) == 3 and len(pauses) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refusal_is_not_repeated(webhook: Webhook, pauses: list[float], status: int) -> None:
    webhook.answers = [(status, {})]
    error = failure(webhook.url)
    assert isinstance(error, UserError)
    assert str(error) == f"the webhook answered {status}: is the address that is kept still right?"
    assert len(webhook.told) == 1 and pauses == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(webhook: Webhook, pauses: list[float], status: int) -> None:
    webhook.answers = [(status, {"Location": webhook.url + "?elsewhere"})]
    assert "a redirect, which is not followed" in str(failure(webhook.url))
    assert len(webhook.told) == 1


def test_nobody_there(closed: str, pauses: list[float]) -> None:
    error = failure(closed)
    assert isinstance(error, ServiceError) and str(error) == "the webhook could not be reached (ConnectionError)"
    assert len(pauses) == 2


def test_no_answer_in_time_is_not_repeated_for_the_message_may_have_arrived(silent: str, pauses: list[float]) -> None:
    assert str(failure(silent, timeout_seconds=0.1)) == "the webhook did not answer (ReadTimeout)"
    assert pauses == []


def test_an_answer_without_end_is_not_read(serve: Callable[[Sequence[BaseRoute]], str]) -> None:
    async def endless(request: Request) -> Response:
        await request.body()
        return Response(headers={"Content-Length": "1000000000"})

    post(serve([Route(SECRET, endless, methods=["POST"])]) + SECRET, {"text": "x"})


def test_no_proxy_carries_what_is_for_this_machine(
    webhook: Webhook, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", closed)
    monkeypatch.setenv("ALL_PROXY", closed)
    post(webhook.url, {"text": "x"})
    assert len(webhook.told) == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "SECRET",
        "hooks.example.test/SECRET",
        "ftp://127.0.0.1/SECRET",
        "file:///SECRET",
        "http://hooks.example.test/SECRET",
        "http://10.0.0.1/SECRET",
        "http://127.0.0.1.example.test/SECRET",
        "http://127.0.0.1@example.test/SECRET",
        "http://127.0.0.1\\@example.test/SECRET",
        "http://127.0.0.1%2eexample.test/SECRET",
        "http://127.1/SECRET",
        "http://0.0.0.0/SECRET",
        "http://[::]/SECRET",
        "http:///SECRET",
        "https://hooks.example.test/a SECRET",
        "https://hooks.example.test/SECRET\r\nX: y",
        "https://user:password@hooks.example.test/SECRET",
        "https:///SECRET",
    ],
)
def test_no_other_address_is_posted_to(url: str) -> None:
    assert "must begin with https://" in str(failure(url))


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:80/x", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:80/x", True),
        ("https://localhost/x", True),
        ("https://hooks.slack.com/services/x", False),
        ("https://localhost.example.test/x", False),
        ("http://[2001:db8::1]/x", False),
        ("https://127.0.0.1@example.test/x", False),
        ("nonsense", False),
    ],
)
def test_what_is_on_this_machine(url: str, here: bool) -> None:
    assert on_this_machine(url) is here


AUTHORITY = st.text(r"127.0:1@\/?#[]%lochastex ", max_size=25)


@given(st.sampled_from(["http://", "https://", "http:/", "HTTP://"]), AUTHORITY | st.just("127.0.0.1"), AUTHORITY)
def test_what_looks_like_this_machine_is_it_for_the_client_too(scheme: str, host: str, rest: str) -> None:
    url = f"{scheme}{host}{rest}"
    if on_this_machine(url):
        found = parse_url(url).host or ""
        assert found.startswith("127.") or found in ("localhost", "[::1]"), found
