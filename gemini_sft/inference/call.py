"""From an example to the request that a model is sent."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from gemini_sft.catalog import catalog
from gemini_sft.data import Example
from gemini_sft.experiment import Evaluation

COLD_SECONDS = 900.0
"""How long a new endpoint may answer 404 or 503: a tuned model is not served at once when its job has succeeded."""


@dataclass(frozen=True)
class Service:
    """Whom to ask.

    Attributes:
        project: Google Cloud project.
        location: Of base models; an endpoint's own name says where it is.
        model: A base model's id or an endpoint's resource name.
        fingerprint: Of the prompt, where that is known.
    """

    project: str
    location: str
    model: str
    fingerprint: str = ""


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        id: Whose it is: the example's id.
        body: `contents`, `generationConfig`, and `systemInstruction` and `tools` if there are any, as generateContent
            takes them.
    """

    id: str
    body: dict[str, Any]


def render(example: Example, base_model: str, settings: Evaluation) -> Call:
    """Returns the request for an example: all that it says beside its target, and settings that the model takes.

    Thinking is at its least, and there is no response schema: a tuned model answers worse with either.

    Args:
        example: Whose last turn is not sent.
        base_model: The base model's id, also of a tuned one: it tells which settings the model takes.
        settings: How to generate.
    """
    body: dict[str, Any] = {"contents": example.prompt}
    body |= {key: example.record[key] for key in ("systemInstruction", "tools") if example.record.get(key)}
    return Call(example.id, body | {"generationConfig": generation_config(base_model, settings, example)})


def generation_config(base_model: str, settings: Evaluation, example: Example) -> dict[str, Any]:
    """Returns how a model is to generate, without what it does not take."""
    model = catalog().models[base_model]
    config = {
        "temperature": settings.temperature if model.sampling else None,
        "maxOutputTokens": settings.max_output_tokens,
        "mediaResolution": example.record.get("generationConfig", {}).get("mediaResolution"),
        "thinkingConfig": model.thinking,
    }
    return {name: value for name, value in config.items() if value is not None}


def keys(service: Service, calls: Iterable[Call]) -> list[str]:
    """Returns what identifies each answer: a hash of everything that changes it, and of nothing else.

    That is the model, the prompt's fingerprint and the request. The n-th call of the same content has `-n` behind it.
    """
    who = orjson.dumps([service.model, service.fingerprint])
    seen: Counter[str] = Counter()
    found = []
    for call in calls:
        key = hashlib.sha256(who + orjson.dumps(call.body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
        seen[key] += 1
        found.append(key if seen[key] == 1 else f"{key}-{seen[key]}")
    return found
