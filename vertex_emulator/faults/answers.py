"""Answers of the model that are no use, in the shapes that generateContent has for them."""

from typing import Any

from vertex_emulator.faults.rules import Rule
from vertex_emulator.standin import tokens

_THOUGHTS = 1024
_RATING = {
    "category": "HARM_CATEGORY_DANGEROUS_CONTENT",
    "probability": "HIGH",
    "probabilityScore": 0.9,
    "severity": "HARM_SEVERITY_HIGH",
    "severityScore": 0.8,
    "blocked": True,
}
_CANDIDATES: dict[str, dict[str, Any]] = {
    "safety": {"finishReason": "SAFETY", "safetyRatings": [_RATING]},
    "recitation": {"finishReason": "RECITATION"},
    "thinking": {"content": {"role": "model"}, "finishReason": "MAX_TOKENS"},
    "malformed": {
        "content": {},
        "finishReason": "MALFORMED_FUNCTION_CALL",
        "finishMessage": "Malformed function call: print(default_api.answer(",
    },
    "other": {"finishReason": "OTHER"},
    "empty": {"content": {"role": "model"}, "finishReason": "STOP"},
}
"""Candidates without any text: what was written when the model was stopped is not shown."""


def spoiled(document: dict[str, Any], rule: Rule | None) -> dict[str, Any]:
    """Returns a GenerateContentResponse as a rule wants it; as it is without a rule.

    Args:
        document: The good answer.
        rule: One with an `answer`.
    """
    if rule is None or rule.answer is None:
        return document
    usage = {name: count for name, count in document["usageMetadata"].items() if name != "candidatesTokenCount"}
    thoughts = _THOUGHTS if rule.answer == "thinking" else 0
    candidate = _CANDIDATES.get(rule.answer)
    if rule.answer == "max_tokens":
        text = "".join(part["text"] for part in document["candidates"][0]["content"].get("parts", []))
        half = tokens.truncate(text, tokens.count(text) // 2)
        content = {"role": "model"} | ({"parts": [{"text": half}]} if half else {})
        candidate = {"content": content, "finishReason": "MAX_TOKENS"}
        usage |= {"candidatesTokenCount": tokens.count(half)} if half else {}
    usage |= {"thoughtsTokenCount": thoughts} if thoughts else {}
    usage["totalTokenCount"] = usage["promptTokenCount"] + usage.get("candidatesTokenCount", 0) + thoughts
    answer = {name: value for name, value in document.items() if name not in ("candidates", "usageMetadata")}
    if candidate is not None:
        answer = {"candidates": [candidate], **answer}
    elif rule.block_reason:
        feedback: dict[str, Any] = {"blockReason": rule.block_reason}
        answer["promptFeedback"] = feedback | ({"safetyRatings": [_RATING]} if rule.block_reason == "SAFETY" else {})
    return {**answer, "usageMetadata": usage}
