"""Generation settings: which values Gemini takes, and the two that the stand-in obeys."""

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
_THINKING_LEVELS = ("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH")


@dataclass(frozen=True)
class GenerationSettings:
    """The settings that change the stand-in's answer.

    Attributes:
        max_output_tokens: Where the answer is cut; None for no limit.
        stop_sequences: Texts before which the answer ends.
    """

    max_output_tokens: int | None
    stop_sequences: tuple[str, ...]


def take_thinking_level(body: dict[str, Any]) -> None:
    """Checks `thinkingLevel` and takes it out of a request as received.

    The service has the field for Gemini 3 and google-genai sends it; the v1beta1 protobuf type does not know it yet.

    Raises:
        ApiError: 400 for a word that is no level.
    """
    thinking: Any = body
    for names in (("generationConfig", "generation_config"), ("thinkingConfig", "thinking_config")):
        thinking = next((thinking[name] for name in names if name in thinking), None)
        if not isinstance(thinking, dict):
            return
    for name in ("thinkingLevel", "thinking_level"):
        level = thinking.pop(name, None)
        if level is not None and level not in _THINKING_LEVELS:
            raise invalid(
                f"Invalid value at 'generation_config.thinking_config.thinking_level': {level!r}.",
                "generation_config.thinking_config.thinking_level",
            )


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
    return GenerationSettings(None if limit is None else int(limit), tuple(stops))
