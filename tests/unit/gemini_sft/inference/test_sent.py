"""What `predict` sends, with the real SDK."""

import logging
from typing import Any

import pytest
from google.genai.types import ThinkingConfig
from starlette.responses import JSONResponse, Response

from gemini_sft.data import Example
from gemini_sft.data.example import turn
from gemini_sft.inference import Outcome
from tests.unit.gemini_sft.inference.fake_gemini import BASE, ENDPOINT, Gemini, ask, asked, examples

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


def generation(body: dict[str, Any]) -> dict[str, Any]:
    """Returns the generation config, with its thinking in one of the two spellings that the service takes."""
    config = dict(body["generationConfig"])
    thinking = ThinkingConfig.model_validate(config.pop("thinkingConfig"))
    return config | {"thinking": thinking.model_dump(mode="json", exclude_none=True)}


def test_what_is_sent(gemini: Gemini) -> None:
    record = {
        "systemInstruction": {"parts": [{"text": "Be kind."}, {"text": "And brief."}]},
        "contents": [turn("user", "q0"), turn("model", "a0"), turn("user", "q1"), turn("model", "never sent")],
    }
    asked([Example("e", record, "f", 1, ("never sent",))], max_output_tokens=64)
    ((path, body),) = gemini.calls
    assert path == BASE
    assert body.keys() == {"contents", "systemInstruction", "generationConfig"}
    assert body["contents"] == [turn("user", "q0"), turn("model", "a0"), turn("user", "q1")]
    assert body["systemInstruction"]["parts"] == [{"text": "Be kind."}, {"text": "And brief."}]
    assert generation(body) == {"temperature": 0.0, "maxOutputTokens": 64, "thinking": {"thinking_budget": 0}}


def test_no_more_is_sent_than_the_example_has(gemini: Gemini, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "google_genai"):
        ask(1)
    ((_, body),) = gemini.calls
    assert not [message for message in caplog.messages if "AFC" in message], "said of every request"
    assert body.keys() == {"contents", "generationConfig"}
    assert generation(body).keys() == {"temperature", "thinking"}


def test_an_example_that_the_sdk_does_not_take_ends_as_an_error_and_harms_no_other(gemini: Gemini) -> None:
    odd = Example(
        "odd", {"contents": [{"role": "user", "parts": [{"picture": 1}]}, turn("model", "a")]}, "f", 1, ("a",)
    )
    failed, other = asked([odd, *examples(1)]).predictions
    assert (failed.outcome, other.outcome) == (Outcome.ERROR, Outcome.ANSWERED)
    assert "picture" in failed.error


def test_the_answer_may_be_a_function_call(gemini: Gemini) -> None:
    async def call(question: str, attempt: int) -> Response:
        part = {"functionCall": {"name": "find", "args": {"what": question}}}
        return JSONResponse({"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}]})

    gemini.answer = call
    (prediction,) = ask(1)
    assert prediction.outcome is Outcome.ANSWERED
    assert prediction.text == '{"functionCall":{"args":{"what":"q0"},"name":"find"}}'
    assert gemini.asked == {"q0": 1}, "nobody calls the function and asks again"


def test_a_model_that_takes_no_temperature_gets_none(gemini: Gemini) -> None:
    ask(1, model="gemini-3.5-flash-lite", base="gemini-3.5-flash-lite")
    ((_, body),) = gemini.calls
    assert generation(body) == {"thinking": {"thinking_level": "MINIMAL"}}


def test_a_tuned_model_is_asked_at_its_endpoint(gemini: Gemini) -> None:
    (prediction,) = ask(1, model=ENDPOINT)
    ((path, _),) = gemini.calls
    assert path == f"/v1beta1/{ENDPOINT}:generateContent" and prediction.outcome is Outcome.ANSWERED


VIDEO = {
    "fileData": {"mimeType": "video/mp4", "fileUri": "gs://bucket/a.mp4"},
    "videoMetadata": {"startOffset": "1s", "endOffset": "5.5s"},
}
IMAGE = {
    "fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"},
    "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"},
}
CALL = {"functionCall": {"name": "find_it", "args": {"snake_case": 1, "camelCase": [1.5, None, {"to": "Köln"}]}}}
RESPONSE = {"functionResponse": {"name": "find_it", "response": {"snake_case": True, "camelCase": {}}}}
TOOL = {
    "functionDeclarations": [
        {
            "name": "find_it",
            "description": "Finds it.",
            "parameters": {
                "type": "OBJECT",
                "properties": {"snake_case": {"type": "INTEGER"}, "camelCase": {"type": "ARRAY", "items": {}}},
                "required": ["snake_case"],
            },
        }
    ]
}


def in_camel_case(value: Any) -> Any:
    """Returns a body with the names of the API in one of the two spellings that the service takes."""
    names = {"file_uri": "fileUri", "mime_type": "mimeType", "start_offset": "startOffset", "end_offset": "endOffset"}
    if isinstance(value, list):
        return [in_camel_case(one) for one in value]
    if isinstance(value, dict):
        return {names.get(key, key): in_camel_case(one) for key, one in value.items()}
    return value


@pytest.mark.parametrize("part", [VIDEO, IMAGE, CALL, RESPONSE], ids=["video", "image", "call", "response"])
def test_parts_are_sent_as_they_are(gemini: Gemini, part: dict[str, Any]) -> None:
    prompt = {"role": "user", "parts": [{"text": "q"}, part, {"text": "?"}]}
    send({"contents": [prompt, turn("model", "a")]})
    ((_, body),) = gemini.calls
    assert in_camel_case(body["contents"]) == [prompt]


def test_tools_and_media_resolution_are_sent(gemini: Gemini) -> None:
    settings = {"mediaResolution": "MEDIA_RESOLUTION_LOW"}
    send({"contents": [turn("user", "q"), turn("model", "a")], "tools": [TOOL], "generationConfig": settings})
    ((_, body),) = gemini.calls
    assert body["tools"] == [TOOL]
    assert generation(body)["mediaResolution"] == "MEDIA_RESOLUTION_LOW"


def send(record: dict[str, Any]) -> None:
    (prediction,) = asked([Example("e", record, "f", 1, ("a",))]).predictions
    assert prediction.outcome is Outcome.ANSWERED, prediction.error
