"""Wrong answers of the model, as google-genai reads them and as Google's protobuf type has them."""

import pytest
from google import genai
from google.genai import types

from tests.contract.faults.conftest import MODEL, Ask, Faults
from vertex_emulator.protobuf import types as protobuf
from vertex_emulator.wire import parse

ARTICLE = (
    "Rinse the rice in cold water until it runs clear. This takes away the starch that makes it stick. "
    "Bring the water to the boil with a pinch of salt. Cook the rice under a lid for twelve minutes.\n\n"
    "Provide a summary of the article in two or three sentences:"
)
KINDS = ("no_candidates", "safety", "recitation", "max_tokens", "thinking", "malformed", "other", "empty")


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_answer_is_one_that_the_service_could_give(faults: Faults, ask: Ask, kind: str) -> None:
    faults({"path": "generateContent", "answer": kind})
    answer = ask(ARTICLE).json()
    usage = answer["usageMetadata"]
    parts = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    assert usage["totalTokenCount"] == sum(usage.get(part, 0) for part in parts)
    del usage["trafficType"]  # newer than the protobuf type
    assert parse(answer, protobuf.GenerateContentResponse)["modelVersion"].startswith("stand-in")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("safety", types.FinishReason.SAFETY),
        ("recitation", types.FinishReason.RECITATION),
        ("thinking", types.FinishReason.MAX_TOKENS),
        ("malformed", types.FinishReason.MALFORMED_FUNCTION_CALL),
        ("other", types.FinishReason.OTHER),
        ("empty", types.FinishReason.STOP),
    ],
)
def test_answers_without_text(client: genai.Client, faults: Faults, kind: str, reason: types.FinishReason) -> None:
    faults({"path": "generateContent", "answer": kind})
    answer = client.models.generate_content(model=MODEL, contents=ARTICLE)
    assert answer.candidates
    assert answer.candidates[0].finish_reason == reason
    assert not answer.text
    assert answer.usage_metadata
    assert not answer.usage_metadata.candidates_token_count
    assert (answer.usage_metadata.thoughts_token_count or 0) == (1024 if kind == "thinking" else 0)


def test_a_cut_text_is_a_beginning_of_the_whole(client: genai.Client, faults: Faults) -> None:
    whole = client.models.generate_content(model=MODEL, contents=ARTICLE).text
    faults({"path": "generateContent", "answer": "max_tokens"})
    cut = client.models.generate_content(model=MODEL, contents=ARTICLE)
    assert whole and cut.text and cut.candidates
    assert whole.startswith(cut.text) and len(cut.text) < len(whole)
    assert cut.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


@pytest.mark.parametrize("reason", [None, "SAFETY", "PROHIBITED_CONTENT"])
def test_no_candidates_with_and_without_a_reason(client: genai.Client, faults: Faults, reason: str | None) -> None:
    faults({"path": "generateContent", "answer": "no_candidates", **({"block_reason": reason} if reason else {})})
    answer = client.models.generate_content(model=MODEL, contents=ARTICLE)
    assert not answer.candidates
    feedback = answer.prompt_feedback
    assert (feedback and feedback.block_reason and feedback.block_reason.value) == reason


def test_a_stream_gives_the_wrong_answer_too(client: genai.Client, faults: Faults) -> None:
    faults({"path": "streamGenerateContent", "answer": "safety"})
    chunks = list(client.models.generate_content_stream(model=MODEL, contents=ARTICLE))
    assert [chunk.text for chunk in chunks] == [None]
    assert chunks[0].candidates and chunks[0].candidates[0].finish_reason == types.FinishReason.SAFETY
