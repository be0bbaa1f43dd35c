"""Errors, quota, latency and silence."""

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from google import genai
from google.genai import errors

from tests.contract.conftest import Server
from tests.contract.faults.conftest import MODEL, PROMPT, Ask, Faults, body, path


@pytest.mark.parametrize(
    ("rule", "status"),
    [
        ({"status": 429}, "RESOURCE_EXHAUSTED"),
        ({"status": 503}, "UNAVAILABLE"),
        ({"status": 503, "status_name": "RESOURCE_EXHAUSTED"}, "RESOURCE_EXHAUSTED"),
        ({"status": 401}, "UNAUTHENTICATED"),
        ({"status": 403}, "PERMISSION_DENIED"),
        ({"status": 400}, "INVALID_ARGUMENT"),
        ({"status": 400, "status_name": "FAILED_PRECONDITION"}, "FAILED_PRECONDITION"),
        ({"status": 504}, "DEADLINE_EXCEEDED"),
    ],
)
def test_errors_reach_the_sdk_as_its_own(
    client: genai.Client, faults: Faults, rule: dict[str, Any], status: str
) -> None:
    assert faults({"path": "generateContent", "message": "Later.", **rule}).status_code == 200
    with pytest.raises(errors.APIError) as failure:
        client.models.generate_content(model=MODEL, contents=PROMPT)
    assert (failure.value.code, failure.value.status, failure.value.message) == (rule["status"], status, "Later.")


def test_an_error_has_the_services_shape(faults: Faults, ask: Ask) -> None:
    faults({"path": "generateContent", "status": 429, "message": "Later.", "retry_after": "2"})
    refused = ask()
    assert refused.json() == {"error": {"code": 429, "message": "Later.", "status": "RESOURCE_EXHAUSTED"}}
    assert refused.headers["retry-after"] == "2"
    faults({"path": "generateContent", "status": 401})
    assert "invalid_token" in ask().headers["www-authenticate"]


def test_retry_after_may_be_a_date(faults: Faults, ask: Ask) -> None:
    faults({"path": "generateContent", "status": 503, "retry_after_date": 30})
    answer = ask()
    assert answer.headers["retry-after"].endswith(" GMT")
    wait = parsedate_to_datetime(answer.headers["retry-after"]).timestamp() - time.time()
    assert 28 <= wait <= 31


def test_beyond_the_quota_is_refused_and_costs_none(faults: Faults, ask: Ask) -> None:
    faults({"path": "generateContent", "quota": 5, "retry_after": 1})
    before = time.monotonic()
    answers = [ask() for _ in range(30)]
    passed = time.monotonic() - before
    served = sum(answer.status_code == 200 for answer in answers)
    assert 5 <= served <= 6 + 5 * passed
    refused = answers[-1]
    assert refused.status_code == 429
    assert refused.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
    assert refused.headers["retry-after"] == "1"
    time.sleep(0.25)
    assert ask().status_code == 200  # thirty refusals have used nothing up
    assert ask(verb="countTokens").status_code == 200


def test_latency_holds_answers_back_side_by_side(server: Server, faults: Faults) -> None:
    faults({"path": "generateContent", "latency": 0.4})

    async def together() -> list[int]:
        async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=30) as client:
            answers = await asyncio.gather(*(client.post(path(), json=body()) for _ in range(20)))
        return [answer.status_code for answer in answers]

    before = time.monotonic()
    assert asyncio.run(together()) == [200] * 20
    assert 0.4 <= time.monotonic() - before < 4


def test_a_request_hangs_until_its_client_gives_up(server: Server, faults: Faults, ask: Ask) -> None:
    faults({"path": "generateContent", "hang": True, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        ask(timeout=0.3)
    assert ask().status_code == 200
