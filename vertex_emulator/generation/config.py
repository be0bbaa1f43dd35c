"""Generation settings: which values Gemini takes, and the three that the stand-in obeys."""

from dataclasses import dataclass
from typing import Any

from vertex_emulator.errors import invalid

_RANGES = {
    "temperature": (0.0, 2.0),
    "topP": (0.0, 1.0),
    "topK": (1.0, 64.0),
    "candidateCount": (1.0, 8.0),
    "maxOutputTokens": (1.0, 65536.0),
    "presencePenalty": (-2.0, 2.0),
    "frequencyPenalty": (-2.0, 2.0),
}
_STOP_SEQUENCES = 5
_PLAIN, _JSON, _ENUM = "text/plain", "application/json", "text/x.enum"


@dataclass(frozen=True)
class GenerationSettings:
    """The settings that change the stand-in's answer.

    Attributes:
        max_output_tokens: Where the answer is cut; None for no limit.
        stop_sequences: Texts before which the answer ends.
        choices: The values of which the answer must be one; empty if it is free.
    """

    max_output_tokens: int | None
    stop_sequences: tuple[str, ...]
    choices: tuple[str, ...] = ()


def read_settings(request: dict[str, Any]) -> GenerationSettings:
    """Checks a canonical request's `generationConfig`.

    Raises:
        ApiError: 400 naming the value that is out of range.
    """
    config = request.get("generationConfig", {})
    for name, (low, high) in _RANGES.items():
        value = config.get(name)
        if value is not None and not low <= float(value) <= high:
            raise invalid(
                f"Unable to submit request because it has a {name} value of {value} but the supported range is from"
                f" {low:g} (inclusive) to {high:g} (inclusive). Update the value and try again.",
                f"generation_config.{name}",
            )
    stops = config.get("stopSequences", [])
    if len(stops) > _STOP_SEQUENCES or not all(stops):
        raise invalid(
            f"stop_sequences takes up to {_STOP_SEQUENCES} texts, none of them empty.",
            "generation_config.stop_sequences",
        )
    limit = config.get("maxOutputTokens")
    return GenerationSettings(None if limit is None else int(limit), tuple(stops), _read_choices(config))


def _read_choices(config: dict[str, Any]) -> tuple[str, ...]:
    """Checks the kind of answer that is asked for and returns the values of `text/x.enum`.

    A schema for JSON is passed over: the stand-in does not write JSON to order.
    """
    kind = config.get("responseMimeType", _PLAIN)
    field = "generation_config.response_mime_type"
    if kind not in (_PLAIN, _JSON, _ENUM):
        raise invalid(f"{kind!r} is not supported: allowed are {_PLAIN}, {_JSON} and {_ENUM}.", field)
    schema = config.get("responseSchema")
    if kind == _PLAIN and (schema is not None or "responseJsonSchema" in config):
        raise invalid(f"A response schema needs a response_mime_type of {_JSON} or {_ENUM}.", field)
    if kind != _ENUM:
        return ()
    field = "generation_config.response_schema"
    if schema is None or schema.get("type") != "STRING":
        raise invalid(f"{_ENUM} needs a response_schema of type STRING.", field)
    if not all(schema.get("enum", [])) or not schema.get("enum"):
        raise invalid(f"{_ENUM} needs a response_schema with the values of its enum, none of them empty.", field)
    return tuple(schema["enum"])
