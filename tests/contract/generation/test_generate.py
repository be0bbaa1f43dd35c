"""Predictions of base models through google-genai, and requests that Gemini refuses."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT
from vertex_emulator.standin import tokens

MODEL = "gemini-2.5-flash"
ARTICLE = (
    "Rinse the rice in cold water until it runs clear. This takes away the starch that makes it stick. "
    "Bring the water to the boil with a pinch of salt. Cook the rice under a lid for twelve minutes. "
    "Let it rest before you serve it.\n\nProvide a summary of the article in two or three sentences:"
)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[genai.Client]:
    connected = genai.Client(vertexai=True, project=PROJECT, location=LOCATION)
    yield connected
    connected.close()


def path(target: str = f"publishers/google/models/{MODEL}", verb: str = "generateContent") -> str:
    return f"/v1beta1/projects/{PROJECT}/locations/{LOCATION}/{target}:{verb}"


def contents(text: str = ARTICLE) -> list[dict[str, Any]]:
    return [{"role": "user", "parts": [{"text": text}]}]


def test_answer_is_taken_from_the_prompt_and_usage_is_true(client: genai.Client) -> None:
    answer = client.models.generate_content(model=MODEL, contents=ARTICLE)
    assert answer.text
    assert answer.text.split(". ")[0] in ARTICLE
    usage = answer.usage_metadata
    assert usage is not None
    assert usage.prompt_token_count == client.models.count_tokens(model=MODEL, contents=ARTICLE).total_tokens
    assert usage.candidates_token_count == tokens.count(answer.text)
    assert usage.total_token_count == tokens.count(ARTICLE) + tokens.count(answer.text)
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.model_version == f"stand-in for {MODEL}"


def test_same_question_same_answer(client: genai.Client) -> None:
    answers = {client.models.generate_content(model=MODEL, contents=ARTICLE).text for _ in range(3)}
    assert len(answers) == 1


def test_stream_says_the_same_in_pieces(client: genai.Client) -> None:
    whole = client.models.generate_content(model=MODEL, contents=ARTICLE)
    pieces = list(client.models.generate_content_stream(model=MODEL, contents=ARTICLE))
    assert len(pieces) >= 2
    assert "".join(piece.text or "" for piece in pieces) == whole.text
    assert pieces[-1].usage_metadata is not None
    assert pieces[-1].candidates is not None
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP


def test_output_limit_cuts_at_exactly_that_many_tokens(client: genai.Client) -> None:
    whole = client.models.generate_content(model=MODEL, contents=ARTICLE)
    cut = client.models.generate_content(
        model=MODEL, contents=ARTICLE, config=types.GenerateContentConfig(max_output_tokens=5)
    )
    assert cut.candidates is not None
    assert cut.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
    assert cut.usage_metadata is not None
    assert cut.usage_metadata.candidates_token_count == 5
    assert whole.text is not None
    assert cut.text is not None
    assert whole.text.startswith(cut.text)


def test_stop_sequence_ends_the_answer_before_it(client: genai.Client) -> None:
    whole = client.models.generate_content(model=MODEL, contents=ARTICLE).text
    assert whole is not None
    stop = whole.split()[3]
    config = types.GenerateContentConfig(stop_sequences=[stop])
    cut = client.models.generate_content(model=MODEL, contents=ARTICLE, config=config)
    assert cut.text == whole[: whole.index(stop)]


def test_system_instruction_changes_the_answer(client: genai.Client) -> None:
    text = "My parcel has not arrived. When will the delivery come?"
    config = types.GenerateContentConfig(system_instruction="Choose one label: [refund wanted, delivery late]")
    assert client.models.generate_content(model=MODEL, contents=text, config=config).text == "delivery late"


def test_computed_tokens_make_up_the_text(client: genai.Client) -> None:
    text = "Grüße, 東京! 👩‍🍳 over-the-counter"
    infos = client.models.compute_tokens(model=MODEL, contents=text).tokens_info
    assert infos is not None
    assert infos[0].tokens is not None
    assert b"".join(infos[0].tokens).decode() == text
    assert infos[0].token_ids is not None
    assert len(infos[0].token_ids) == client.models.count_tokens(model=MODEL, contents=text).total_tokens


@pytest.mark.parametrize("model", ["gemini-2.0-flash-001", "gemini-9", "gemini-3.6-flash"])
def test_retired_and_unknown_models_are_not_found(client: genai.Client, model: str) -> None:
    with pytest.raises(errors.ClientError) as refusal:
        client.models.generate_content(model=model, contents="Hello")
    assert refusal.value.code == 404
    assert model in str(refusal.value.message)


def test_thinking_settings_are_taken(client: genai.Client) -> None:
    for thinking in (
        types.ThinkingConfig(thinking_budget=0),
        types.ThinkingConfig.model_validate({"thinking_level": "LOW"}),
    ):
        config = types.GenerateContentConfig(thinking_config=thinking)
        assert client.models.generate_content(model=MODEL, contents=ARTICLE, config=config).text


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"contents": contents(), "temprature": 0}, "temprature", 'Unknown name "temprature"'),
        ({"contents": [{"role": "user", "parts": [{"txt": "x"}]}]}, "contents[0].parts[0]", 'Unknown name "txt"'),
        ({"contents": "Hello"}, "contents", ""),
        ({"contents": []}, "contents", "at least one content"),
        ({"contents": [{"role": "robot", "parts": [{"text": "x"}]}]}, "contents[0].role", "valid role"),
        ({"contents": [{"role": "user", "parts": []}]}, "contents[0].parts", "at least one part"),
        ({"contents": [{"role": "user", "parts": [{}]}]}, "contents[0].parts[0]", "text parameter"),
        ({"contents": [*contents(), {"role": "model", "parts": [{"text": "x"}]}]}, "contents", "end with a user role"),
        (
            {"contents": contents(), "generationConfig": {"temperature": 3}},
            "generation_config.temperature",
            "supported range is from 0",
        ),
        (
            {"contents": contents(), "generation_config": {"max_output_tokens": "many"}},
            "generation_config",
            "",
        ),
        (
            {"contents": contents(), "generationConfig": {"thinkingConfig": {"thinkingLevel": "HUGE"}}},
            "generation_config.thinking_config.thinking_level",
            "HUGE",
        ),
    ],
)
def test_wrong_requests_are_refused_and_name_the_field(
    server: Server, body: dict[str, Any], field: str, message: str
) -> None:
    answer = server.http.post(path(), json=body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == 400
    assert error["status"] == "INVALID_ARGUMENT"
    assert message in error["message"]
    named = error["details"][0]["fieldViolations"][0]["field"]
    spelled = named.replace("generationConfig", "generation_config")
    assert spelled == field or spelled.startswith(field)


@pytest.mark.parametrize("raw", ["", "{", "[]", '"text"', "{}", "null"])
def test_bodies_that_are_no_request(server: Server, raw: str) -> None:
    answer = server.http.post(path(), content=raw)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


def test_both_spellings_and_enum_numbers_mean_the_same(server: Server) -> None:
    camel = {"contents": contents(), "generationConfig": {"maxOutputTokens": 7}, "safetySettings": [{"category": 1}]}
    snake = {
        "contents": contents(),
        "generation_config": {"max_output_tokens": "7"},
        "safety_settings": [{"category": "HARM_CATEGORY_HATE_SPEECH"}],
        "system_instruction": None,
    }
    texts = {
        server.http.post(path(), json=body).json()["candidates"][0]["content"]["parts"][0]["text"]
        for body in (camel, snake)
    }
    assert len(texts) == 1


def test_unknown_endpoint_is_not_found(server: Server) -> None:
    answer = server.http.post(path("endpoints/123"), json={"contents": contents()})
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"


def test_token_ids_are_base64_of_the_pieces(server: Server) -> None:
    answer = server.http.post(path(verb="computeTokens"), json={"contents": contents("one two")})
    pieces = answer.json()["tokensInfo"][0]["tokens"]
    assert b"".join(base64.b64decode(piece) for piece in pieces) == b"one two"
