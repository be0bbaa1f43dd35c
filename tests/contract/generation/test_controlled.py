"""Answers that must be one of an enum's values, conversations that are only counted, and resolutions of parts."""

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import types

from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT

MODEL = "gemini-2.5-flash"
REFERENCE = "The store opens at nine and closes at six on weekdays."
GOOD = "It opens at nine and closes at six on weekdays."
BAD = "Please contact our support team for details."
JUDGE = (
    "Compare two answers.\n\nQuestion:\nWhen does the store open?\n\nReference answer:\n{reference}\n\n"
    "Answer A:\n{a}\n\nAnswer B:\n{b}\n\nWhich answer is better? Reply with A, B or TIE."
)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[genai.Client]:
    connected = genai.Client(vertexai=True, project=PROJECT, location=LOCATION)
    yield connected
    connected.close()


def choose(client: genai.Client, prompt: str, *values: str) -> str | None:
    schema = types.Schema(type=types.Type.STRING, enum=list(values))
    config = types.GenerateContentConfig(response_mime_type="text/x.enum", response_schema=schema)
    return client.models.generate_content(model=MODEL, contents=prompt, config=config).text


def test_a_judge_finds_the_better_answer_wherever_it_stands(client: genai.Client) -> None:
    chosen = [
        choose(client, JUDGE.format(reference=REFERENCE, a=a, b=b), "A", "B", "TIE")
        for a, b in ((GOOD, BAD), (BAD, GOOD), (GOOD, GOOD))
    ]
    assert chosen == ["A", "B", "TIE"]


def test_grades_rise_with_the_likeness(client: genai.Client) -> None:
    prompt = "Grade the answer from 1 to 5.\n\nReference: {}\n\nAnswer: {}\n\nGrade:"
    answers = (BAD, "It opens at nine.", GOOD, REFERENCE)
    grades = [choose(client, prompt.format(REFERENCE, answer), "5", "4", "3", "2", "1") for answer in answers]
    assert grades[0] == "1" and grades[-1] == "5"
    assert all(grade in {"1", "2", "3", "4", "5"} for grade in grades)
    assert grades == sorted(grades, key=str)


def test_any_question_is_answered_with_a_value(client: genai.Client) -> None:
    values = ("refund wanted", "delivery late", "praise")
    assert choose(client, "My parcel has not arrived. When will the delivery come?", *values) == "delivery late"
    assert choose(client, "?", *values) in values


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"responseMimeType": "text/x.enum"}, "response_schema"),
        ({"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING"}}, "response_schema"),
        ({"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": [""]}}, "response_schema"),
        ({"responseMimeType": "text/x.enum", "responseSchema": {"type": "OBJECT"}}, "response_schema"),
        ({"responseMimeType": "text/html"}, "response_mime_type"),
        ({"responseSchema": {"type": "STRING", "enum": ["A"]}}, "response_mime_type"),
    ],
)
def test_kinds_of_answers_that_contradict_themselves(server: Server, config: dict[str, Any], field: str) -> None:
    answer = post(server, "generateContent", {"contents": [turn("user", "Hello")], "generationConfig": config})
    assert answer.status_code == 400
    violation = answer.json()["error"]["details"][0]["fieldViolations"][0]
    assert violation["field"] == f"generation_config.{field}"


def post(server: Server, verb: str, body: dict[str, Any]) -> Any:
    path = f"/v1beta1/projects/{PROJECT}/locations/{LOCATION}/publishers/google/models/{MODEL}:{verb}"
    return server.http.post(path, json=body)


def turn(role: str, text: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "parts": [{"text": text, **more}]}


def test_a_conversation_is_counted_with_its_last_answer(client: genai.Client, server: Server) -> None:
    history = [turn("user", "Is it open now?"), turn("model", "It is open until six.")]
    contents: Any = history
    counts = [client.models.count_tokens(model=MODEL, contents=contents[:n]).total_tokens for n in (1, 2)]
    assert counts[0] and counts[1] and counts[0] < counts[1]
    infos = client.models.compute_tokens(model=MODEL, contents=contents).tokens_info
    assert infos and [info.role for info in infos] == ["user", "model"]
    refused = post(server, "generateContent", {"contents": history})
    assert refused.status_code == 400 and "end with a user role" in refused.json()["error"]["message"]


def test_parts_may_have_a_resolution_of_their_own(client: genai.Client, server: Server) -> None:
    level = types.PartMediaResolutionLevel.MEDIA_RESOLUTION_HIGH
    part = types.Part(
        file_data=types.FileData(file_uri="gs://bucket/a.png", mime_type="image/png"),
        media_resolution=types.PartMediaResolution(level=level),
    )
    contents = types.Content(role="user", parts=[part, types.Part(text="The kettle boils. What does it do?")])
    assert client.models.generate_content(model=MODEL, contents=contents).text
    for wrong in ({"level": "HUGE"}, "MEDIA_RESOLUTION_HIGH", {"size": 1}):
        answer = post(server, "generateContent", {"contents": [turn("user", "x", mediaResolution=wrong)]})
        assert answer.status_code == 400
        assert "contents[0].parts[0].media_resolution" in answer.json()["error"]["message"]
