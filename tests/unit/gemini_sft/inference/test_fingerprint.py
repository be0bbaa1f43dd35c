import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gemini_sft import vertex
from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.data.prompting import VARIES, mark
from gemini_sft.errors import EvaluationError, ServiceError, UserError
from gemini_sft.inference.fingerprint import check_prompt, check_sent
from tests.unit.gemini_sft.data.preparation import prepared

ENDPOINT = "projects/7/locations/us/endpoints/42"
OURS, OTHER = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture
def resource(serve: Callable[[Sequence[BaseRoute]], str]) -> dict[str, Any]:
    """The endpoint as the service has it: what a test puts in here is served."""
    document: dict[str, Any] = {"name": ENDPOINT}

    async def answer(request: Request) -> Response:
        return JSONResponse(document)

    serve([Route(f"/v1/{ENDPOINT}", answer)])
    return document


def test_the_same_prompt_passes_without_a_word(resource: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    resource["labels"] = {"prompt": OURS, "run": "demo-1"}
    with caplog.at_level(logging.INFO, "gemini_sft"):
        check_prompt(ENDPOINT, OURS)
    assert not caplog.messages


def test_another_prompt_is_an_error_that_names_both(resource: dict[str, Any]) -> None:
    resource["labels"] = {"prompt": OTHER}
    with pytest.raises(EvaluationError) as caught:
        check_prompt(ENDPOINT, OURS)
    assert str(caught.value) == (
        f"{ENDPOINT} was tuned with another prompt (prompt {OTHER}) than the test split has ({OURS}): system"
        " instruction, template or few-shot examples differ, and a tuned model answers worse to a prompt that it does"
        " not know. Give the experiment the prompt that the model was tuned with, or tune a new model."
    )


@pytest.mark.parametrize("labels", [{}, {"labels": {}}, {"labels": {"run": "demo-1"}}])
def test_without_the_label_the_log_says_so(
    resource: dict[str, Any], labels: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    resource.update(labels)
    with caplog.at_level(logging.INFO, "gemini_sft"):
        check_prompt(ENDPOINT, OURS)
    (message,) = caplog.messages
    assert message.startswith(f"{ENDPOINT} has no label prompt")


@pytest.mark.parametrize("model", ["", "gemini-2.5-flash", "projects/7/locations/us/models/3@1"])
def test_other_models_are_not_looked_up(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vertex, "get", lambda *_: pytest.fail("looked up"))
    check_prompt(model, OURS)


def test_the_endpoint_is_asked_for_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def get(path: str, location: str, *, patience_seconds: float) -> dict[str, Any]:
        asked.append((path, location))
        return {"labels": {"prompt": OURS}}

    monkeypatch.setattr(vertex, "get", get)
    check_prompt(ENDPOINT, OURS)
    assert asked == [(ENDPOINT, "us")]


def test_a_new_endpoint_is_waited_for(
    serve: Callable[[Sequence[BaseRoute]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vertex, "_PAUSE_SECONDS", 0.01)
    answers = iter([404, 404])

    async def answer(request: Request) -> Response:
        return JSONResponse({"labels": {"prompt": OURS}}, next(answers, 200))

    serve([Route(f"/v1/{ENDPOINT}", answer)])
    check_prompt(ENDPOINT, OURS)
    assert next(answers, None) is None


def test_an_endpoint_that_cannot_be_read_is_a_service_error(
    serve: Callable[[Sequence[BaseRoute]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gemini_sft.inference.fingerprint.COLD_SECONDS", 0.0)
    serve([])
    with pytest.raises(ServiceError, match="answered 404"):
        check_prompt(ENDPOINT, OURS)


def asked(instruction: str | None) -> Example:
    front = {} if instruction is None else {"systemInstruction": {"parts": [{"text": instruction}]}}
    return Example("1", front | {"contents": [turn("user", "x"), turn("model", "y")]}, "a.jsonl", 1, ())


@pytest.mark.parametrize(
    ("tuned_with", "sent"),
    [
        ("Be brief.", ["Be brief.", "Be brief."]),
        ("", [None]),
        (VARIES, ["Be brief.", None]),
    ],
)
def test_prompts_pass_that_are_as_those_tuned_with(
    resource: dict[str, Any], tuned_with: str, sent: list[str | None]
) -> None:
    resource["labels"] = {"prompt": mark(tuned_with, "{text}")}
    check_sent(ENDPOINT, [asked(one) for one in sent], "{text}")


@pytest.mark.parametrize(
    ("tuned_with", "sent", "template"),
    [
        ("Be brief.", ["Be long."], "{text}"),
        ("Be brief.", ["Be brief.", None], "{text}"),
        ("", ["Be brief."], "{text}"),
        ("Be brief.", ["Be brief."], "Text: {text}"),
        (VARIES, ["Be brief."], "Text: {text}"),
    ],
)
def test_one_prompt_that_the_model_does_not_know_is_enough(
    resource: dict[str, Any], tuned_with: str, sent: list[str | None], template: str
) -> None:
    resource["labels"] = {"prompt": (tuned := mark(tuned_with, "{text}"))}
    with pytest.raises(EvaluationError) as caught:
        check_sent(ENDPOINT, [asked(one) for one in sent], template)
    assert f"tuned with another prompt (prompt {tuned}) than is about to be sent (" in str(caught.value)
    assert "Be " not in str(caught.value)


def test_the_mark_of_what_is_sent_is_that_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("text,summary\n" + "".join(f"a{n},b{n}\n" for n in range(20)))
    data = prepared(tmp_path / "out", "a.csv", None, task="summarization", prompt={"system_instruction": "Be brief."})
    assert data.summary.fingerprint == mark("Be brief.", "{input_text}")


def test_an_endpoint_that_is_not_there_is_not_waited_for(serve: Callable[[Sequence[BaseRoute]], str]) -> None:
    serve([])
    with pytest.raises(UserError, match=f"^{ENDPOINT} is not there: it was deleted, or is elsewhere"):
        check_sent(ENDPOINT, [asked(None)], "{text}")


def test_an_endpoint_without_the_label_may_be_asked_anything(
    resource: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gemini_sft"):
        check_sent(ENDPOINT, [asked("Be brief.")], "{text}")
    assert caplog.messages == [f"{ENDPOINT} has no label prompt: nobody knows the prompt that it was tuned with"]
