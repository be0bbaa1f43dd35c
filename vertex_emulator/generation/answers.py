"""What a model answers to one GenerateContentRequest, whoever brings it: a request, or a line of a batch."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vertex_emulator.faults import Rule, spoiled
from vertex_emulator.generation.config import GenerationSettings, read_settings
from vertex_emulator.generation.newer_fields import take_newer_fields
from vertex_emulator.generation.prompt import Prompt, read_prompt
from vertex_emulator.protobuf import types
from vertex_emulator.standin import Completion, StandIn, choose, complete, tokens
from vertex_emulator.wire import now, parse

_TOKENS_PER_CHUNK = 16


@dataclass(frozen=True)
class Question:
    """A request that was found good.

    Attributes:
        prompt: What is asked.
        settings: How it is to be answered.
    """

    prompt: Prompt
    settings: GenerationSettings


@dataclass(frozen=True)
class Answer:
    """A GenerateContentResponse.

    Attributes:
        document: The whole of it.
        wrong: Whether a fault has made it what it is.
    """

    document: dict[str, Any]
    wrong: bool

    def chunks(self) -> Iterator[dict[str, Any]]:
        """Yields the answer as a stream of responses, of which the last has the finish reason and the usage."""
        if self.wrong:
            yield self.document
            return
        (candidate,) = self.document["candidates"]
        rest = {key: value for key, value in self.document.items() if key != "usageMetadata"}
        pieces = tokens.encode("".join(part["text"] for part in candidate["content"].get("parts", [])))
        for start in range(0, len(pieces), _TOKENS_PER_CHUNK):
            text = "".join(piece.text for piece in pieces[start : start + _TOKENS_PER_CHUNK])
            yield rest | {"candidates": [_candidate(text)]}
        yield self.document | {"candidates": [_candidate("") | {"finishReason": candidate["finishReason"]}]}


def base_version(model_id: str) -> str:
    """Returns what answers of a base model call it: never Gemini."""
    return f"stand-in for {model_id}"


def tuned_version(name: str) -> str:
    """Returns what answers of a tuned model call it, by its resource name."""
    return f"stand-in tuned as {name}"


def read_question(raw: dict[str, Any]) -> Question:
    """Checks a request as received; fields that the protobuf type does not know yet are taken out of it.

    Raises:
        ApiError: 400 naming what the service refuses.
    """
    take_newer_fields(raw)
    body = parse(raw, types.GenerateContentRequest)
    return Question(read_prompt(body), read_settings(body))


def ask(model: StandIn, version: str, question: Question, wrong_answer: Rule | None = None) -> Answer:
    """Lets a model answer.

    Args:
        model: The model.
        version: What the answer calls it.
        question: What is asked.
        wrong_answer: The rule that spoils the answer.
    """
    prompt, settings = question.prompt, question.settings
    completion = complete(
        model,
        prompt.system,
        prompt.turns,
        max_output_tokens=settings.max_output_tokens,
        stop_sequences=settings.stop_sequences,
        text=choose(model, prompt.system, prompt.turns, settings.choices) if settings.choices else None,
    )
    document = {
        "candidates": [_candidate(completion.text) | {"finishReason": completion.finish_reason}],
        "usageMetadata": _usage(completion),
        "modelVersion": version,
        "createTime": now(),
        "responseId": secrets.token_urlsafe(16),
    }
    return Answer(spoiled(document, wrong_answer), wrong_answer is not None)


def _candidate(text: str) -> dict[str, Any]:
    content: dict[str, Any] = {"role": "model"}
    return {"content": content | ({"parts": [{"text": text}]} if text else {})}


def _usage(completion: Completion) -> dict[str, Any]:
    usage = {
        "promptTokenCount": completion.prompt_tokens,
        "totalTokenCount": completion.prompt_tokens + completion.output_tokens,
        "trafficType": "ON_DEMAND",
    }
    return usage | ({"candidatesTokenCount": completion.output_tokens} if completion.output_tokens else {})
