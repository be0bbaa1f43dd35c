"""Examples with files, functions and settings of their own, as the library sends them."""

import importlib
from typing import Any

import pytest

from gemini_sft.data import Example
from gemini_sft.experiment import Evaluation
from gemini_sft.inference import Outcome, Prediction, Service, predict, render
from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT

# google-genai's own, when it makes its first session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

MODEL = "gemini-2.5-flash"
QUESTION = {"text": "The kettle boils. It is blue. What does the kettle do?"}
VIDEO = {
    "fileData": {"mimeType": "video/mp4", "fileUri": "gs://bucket/a.mp4"},
    "videoMetadata": {"startOffset": "1s", "endOffset": "5.500s"},
}
IMAGE = {"fileData": {"mimeType": "image/png", "fileUri": "https://example.com/a.png"}}
CALL = {"functionCall": {"name": "find_it", "args": {"snake_case": 1.5, "camelCase": [True, None, {"to": "Köln"}]}}}
RESPONSE = {"functionResponse": {"name": "find_it", "response": {"snake_case": True, "camelCase": []}}}
TOOL = {
    "functionDeclarations": [
        {
            "name": "find_it",
            "description": "Finds it.",
            "parameters": {
                "type": "OBJECT",
                "properties": {
                    "snake_case": {"type": "NUMBER", "description": "How far."},
                    "camelCase": {"type": "ARRAY", "items": {"type": "STRING", "enum": ["a", "b"]}},
                },
                "required": ["snake_case"],
            },
        }
    ]
}
ANSWER = {"role": "model", "parts": [{"text": "It boils."}]}

RECORDS: dict[str, dict[str, Any]] = {
    "video": {"contents": [{"role": "user", "parts": [VIDEO, QUESTION]}, ANSWER]},
    "images": {"contents": [{"role": "user", "parts": [IMAGE, {"text": "and"}, IMAGE, QUESTION]}, ANSWER]},
    "functions": {
        "systemInstruction": {"parts": [{"text": "Find it."}, {"text": "Be brief."}]},
        "contents": [
            {"role": "user", "parts": [QUESTION]},
            {"role": "model", "parts": [CALL, CALL]},
            {"role": "function", "parts": [RESPONSE, RESPONSE]},
            ANSWER,
        ],
        "tools": [TOOL],
    },
    "media resolution": {
        "contents": [{"role": "user", "parts": [IMAGE, QUESTION]}, ANSWER],
        "generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"},
    },
}


@pytest.fixture
def requests(server: Server, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The requests that the service understood, in the canonical spelling of Google's protobuf types."""
    answers = importlib.import_module("vertex_emulator.generation.answers")
    read, understood = answers.read_prompt, []

    def remember(request: dict[str, Any]) -> Any:
        understood.append(request)
        return read(request)

    monkeypatch.setattr(answers, "read_prompt", remember)
    return understood


def ask(record: dict[str, Any]) -> Prediction:
    settings = Evaluation()
    call = render(Example("e", record, "f.jsonl", 1, ("It boils.",)), MODEL, settings)
    (prediction,) = predict(Service(PROJECT, LOCATION, MODEL), [call], settings).predictions
    return prediction


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_the_service_understands_the_record_as_it_stands_in_the_data(
    requests: list[dict[str, Any]], record: dict[str, Any]
) -> None:
    prediction = ask(record)
    assert (prediction.outcome, prediction.error) == (Outcome.ANSWERED, "")
    (request,) = requests
    assert request["contents"] == record["contents"][:-1]
    assert request.get("systemInstruction") == record.get("systemInstruction")
    assert request.get("tools") == record.get("tools")
    resolution = record.get("generationConfig", {}).get("mediaResolution")
    assert request["generationConfig"].get("mediaResolution") == resolution
