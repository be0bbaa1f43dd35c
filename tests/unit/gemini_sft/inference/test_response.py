from typing import Any

import pytest
from google.genai.types import BlockedReason, FinishReason, GenerateContentResponse

from gemini_sft.data.example import text_of
from gemini_sft.inference import Outcome, Prediction
from gemini_sft.inference.response import read_response

# By finish reason: the outcome of an answer with text, and of one without.
OUTCOMES = {
    "STOP": (Outcome.ANSWERED, Outcome.EMPTY),
    "MAX_TOKENS": (Outcome.TRUNCATED, Outcome.EMPTY),
    "FINISH_REASON_UNSPECIFIED": (Outcome.ANSWERED, Outcome.EMPTY),
    **dict.fromkeys(
        ["SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"],
        (Outcome.BLOCKED, Outcome.BLOCKED),
    ),
    **dict.fromkeys(
        ["OTHER", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL"], (Outcome.MALFORMED, Outcome.MALFORMED)
    ),
}
# Of images and of tools, which nobody asks for here: such an answer is what its text is.
ELSEWHERE = {
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "NO_IMAGE",
    "IMAGE_RECITATION",
    "IMAGE_OTHER",
    "TOO_MANY_TOOL_CALLS",
    "CONTINUATION",
}


def read(document: dict[str, Any]) -> Prediction:
    return read_response(GenerateContentResponse.model_validate(document), "e1")


def candidate(finish: str | None, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"role": "model", "parts": list(parts)}} | ({"finishReason": finish} if finish else {})


def test_the_table_speaks_of_every_finish_reason_of_the_sdk() -> None:
    assert OUTCOMES.keys() | ELSEWHERE == {reason.value for reason in FinishReason}


@pytest.mark.parametrize("finish", sorted(OUTCOMES.keys() | ELSEWHERE))
@pytest.mark.parametrize("text", ["Boil it.", "", " \n"])
def test_every_finish_reason(finish: str, text: str) -> None:
    prediction = read({"candidates": [candidate(finish, {"text": text})]})
    with_text, without = OUTCOMES.get(finish, (Outcome.ANSWERED, Outcome.EMPTY))
    assert prediction.outcome is (with_text if text.strip() else without)
    assert (prediction.example_id, prediction.finish_reason, prediction.text) == ("e1", finish, text)


@pytest.mark.parametrize("reason", [reason.value for reason in BlockedReason])
def test_a_blocked_prompt(reason: str) -> None:
    prediction = read({"promptFeedback": {"blockReason": reason, "blockReasonMessage": "no"}})
    assert (prediction.outcome, prediction.finish_reason, prediction.text) == (Outcome.BLOCKED, reason, "")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"candidates": []},
        {"candidates": [{}]},
        {"candidates": [{"finishReason": "STOP"}]},
        {"candidates": [{"finishReason": "MAX_TOKENS", "content": {"role": "model"}}]},
        {"candidates": [{"finishReason": "STOP", "content": {"role": "model", "parts": []}}]},
        {"promptFeedback": {}},
    ],
)
def test_an_answer_without_text(document: dict[str, Any]) -> None:
    prediction = read(document)
    assert (prediction.outcome, prediction.text) == (Outcome.EMPTY, "")


def test_thoughts_are_no_part_of_the_answer() -> None:
    parts = ({"text": "Hm. ", "thought": True}, {"text": "Boil "}, {"text": "it."}, {"text": "Done", "thought": True})
    assert read({"candidates": [candidate("STOP", *parts)]}).text == "Boil it."
    only = read({"candidates": [candidate("MAX_TOKENS", *parts[:1])]})
    assert (only.outcome, only.text, only.finish_reason) == (Outcome.EMPTY, "", "MAX_TOKENS")


CALL = {"functionCall": {"name": "find", "args": {"to": "Köln", "by": None, "at": [7, 1.5]}}}


def test_a_function_call_is_an_answer_and_reads_like_a_target() -> None:
    prediction = read({"candidates": [candidate("STOP", CALL)]})
    assert (prediction.outcome, prediction.text) == (Outcome.ANSWERED, text_of({"parts": [CALL]}))
    assert prediction.text == '{"functionCall":{"args":{"at":[7,1.5],"by":null,"to":"Köln"},"name":"find"}}'


def test_what_is_new_in_every_call_is_not_in_the_text() -> None:
    signed = {"functionCall": CALL["functionCall"] | {"id": "call-7"}, "thoughtSignature": "c2lnbmVk"}
    assert read({"candidates": [candidate("STOP", signed)]}).text == text_of({"parts": [CALL]})


@pytest.mark.parametrize("call", [{"name": "stop"}, {"name": "stop", "args": {}}])
def test_a_call_without_arguments(call: dict[str, Any]) -> None:
    part = {"functionCall": call}
    assert read({"candidates": [candidate("STOP", part)]}).text == text_of({"parts": [part]})


def test_text_and_several_calls_stand_in_their_order() -> None:
    parts: list[dict[str, Any]] = [{"text": "a"}, CALL, CALL, {"text": "b"}]
    prediction = read({"candidates": [candidate("STOP", {"text": "Hm.", "thought": True}, *parts)]})
    assert prediction.text == text_of({"parts": parts})


def test_a_call_that_was_cut_is_still_scored() -> None:
    assert read({"candidates": [candidate("MAX_TOKENS", CALL)]}).outcome is Outcome.TRUNCATED


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"thoughtSignature": "c2lnbmVk"},
        {},
    ],
)
def test_parts_that_no_target_has_are_left_out(part: dict[str, Any]) -> None:
    assert read({"candidates": [candidate("STOP", {"text": "a"}, part, {"text": "b"})]}).text == "ab"
    alone = read({"candidates": [candidate("STOP", part)]})
    assert (alone.outcome, alone.text) == (Outcome.EMPTY, "")


def test_usage_and_version_are_the_services() -> None:
    document = {
        "candidates": [candidate("STOP", {"text": "a"})],
        "modelVersion": "gemini-x",
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10},
    }
    prediction = read(document)
    assert (prediction.prompt_tokens, prediction.output_tokens, prediction.model_version) == (7, 3, "gemini-x")


@pytest.mark.parametrize("usage", [{}, {"usageMetadata": {}}, {"usageMetadata": {"promptTokenCount": 7}}])
def test_usage_that_is_absent_counts_as_none(usage: dict[str, Any]) -> None:
    prediction = read({"candidates": [candidate("STOP", {"text": "a"})]} | usage)
    assert prediction.output_tokens == 0 and prediction.prompt_tokens in (0, 7)
    assert (prediction.outcome, prediction.model_version) == (Outcome.ANSWERED, "")


def test_only_answered_and_truncated_are_answers() -> None:
    assert [one for one in Outcome if one.has_answer] == [Outcome.ANSWERED, Outcome.TRUNCATED]
