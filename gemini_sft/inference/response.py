"""Reading what generateContent answered."""

from typing import TYPE_CHECKING, Any

from gemini_sft.data.example import text_of
from gemini_sft.inference.prediction import Outcome, Prediction

if TYPE_CHECKING:
    from google.genai.types import Candidate, GenerateContentResponse, Part

_BLOCKED = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"}
_MALFORMED = {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE", "OTHER"}


def read_response(response: "GenerateContentResponse", example_id: str) -> Prediction:
    """Returns the prediction that an answer amounts to."""
    usage = response.usage_metadata
    candidate = response.candidates[0] if response.candidates else None
    text = _text(candidate)
    finish = candidate.finish_reason.value if candidate and candidate.finish_reason else ""
    feedback = response.prompt_feedback
    block = feedback.block_reason.value if feedback and feedback.block_reason else ""
    return Prediction(
        example_id=example_id,
        outcome=_outcome(text, finish, block),
        text=text,
        finish_reason=finish or block,
        model_version=response.model_version or "",
        prompt_tokens=(usage.prompt_token_count if usage else 0) or 0,
        output_tokens=(usage.candidates_token_count if usage else 0) or 0,
        thought_tokens=(usage.thoughts_token_count if usage else 0) or 0,
    )


def read_document(response: dict[str, Any], example_id: str) -> Prediction:
    """Returns the same for an answer as JSON, of which the SDK's types do not know every field."""
    from google.genai.types import GenerateContentResponse

    candidates = [
        {
            "content": {"parts": [_known(part) for part in one.get("content", {}).get("parts", [])]},
            "finishReason": one.get("finishReason"),
        }
        for one in response.get("candidates", [])[:1]
    ]
    usage = response.get("usageMetadata", {})
    counts = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    document = {
        "candidates": candidates,
        "promptFeedback": {"blockReason": response.get("promptFeedback", {}).get("blockReason")},
        "usageMetadata": {name: usage[name] for name in counts if name in usage},
        "modelVersion": response.get("modelVersion"),
    }
    return read_response(GenerateContentResponse.model_validate(document), example_id)


def _known(part: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {name: part[name] for name in ("text", "thought") if name in part}
    if call := part.get("functionCall"):
        known["functionCall"] = {name: call[name] for name in ("name", "args") if name in call}
    return known


def _text(candidate: "Candidate | None") -> str:
    """Returns the answer as a target stands in the data: its texts, and its function calls as JSON."""
    parts = (candidate.content.parts if candidate and candidate.content else None) or []
    said = [_record(part) for part in parts if not part.thought]
    return text_of({"parts": [part for part in said if part]})


def _record(part: "Part") -> dict[str, Any]:
    """Returns a part as the tuning format has it; nothing if it is neither text nor a function call.

    Of a call only name and arguments: its id and the signature of the thoughts before it are new with every answer.
    """
    if part.function_call:
        call = part.function_call.model_dump(mode="json", by_alias=True, exclude_none=True, include={"name", "args"})
        return {"functionCall": call}
    return {"text": part.text} if part.text else {}


def _outcome(text: str, finish: str, block: str) -> Outcome:
    if block or finish in _BLOCKED:
        return Outcome.BLOCKED
    if finish in _MALFORMED:
        return Outcome.MALFORMED
    if not text.strip():
        return Outcome.EMPTY
    return Outcome.TRUNCATED if finish == "MAX_TOKENS" else Outcome.ANSWERED
