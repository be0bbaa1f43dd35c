"""Answers whose body is wrong."""

import json

import httpx
import pytest
from google import genai

from tests.contract.faults.conftest import MODEL, PROMPT, Ask, Faults


@pytest.mark.parametrize("status", [200, 502])
def test_a_page_instead_of_json(faults: Faults, ask: Ask, status: int) -> None:
    faults({"path": "generateContent", "body": "html", "status": status})
    answer = ask()
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_page_with_status_200_is_no_answer_to_the_sdk(client: genai.Client, faults: Faults) -> None:
    faults({"path": "generateContent", "body": "html"})
    with pytest.raises(json.JSONDecodeError):
        client.models.generate_content(model=MODEL, contents=PROMPT)


@pytest.mark.parametrize("verb", ["generateContent", "streamGenerateContent?alt=sse"])
def test_the_connection_is_cut_in_the_middle(
    faults: Faults, ask: Ask, verb: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = ask(verb=verb)
    faults({"path": "[gG]enerateContent", "body": "cut", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        ask(verb=verb)
    assert len(ask(verb=verb).content) == len(whole.content)
    assert not caplog.records


def test_json_that_ends_early_in_a_whole_answer(faults: Faults, ask: Ask) -> None:
    faults({"path": "generateContent", "body": "truncated"})
    answer = ask()
    assert answer.status_code == 200
    assert answer.text.startswith('{"candidates"')
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_an_error_may_end_early_too(faults: Faults, ask: Ask) -> None:
    faults({"path": "generateContent", "status": 500, "body": "truncated"})
    answer = ask()
    assert answer.status_code == 500
    assert answer.text.startswith('{"error"') and not answer.text.endswith("}}")
