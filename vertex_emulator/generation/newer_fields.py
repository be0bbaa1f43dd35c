"""Fields that the service has for Gemini 3 and google-genai sends, but the v1beta1 protobuf types do not know yet."""

from collections.abc import Iterator
from typing import Any

from vertex_emulator.errors import invalid

_THINKING_LEVELS = ("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH")
_MEDIA_RESOLUTIONS = tuple(
    f"MEDIA_RESOLUTION_{level}" for level in ("UNSPECIFIED", "LOW", "MEDIUM", "HIGH", "ULTRA_HIGH")
)


def take_newer_fields(body: dict[str, Any]) -> None:
    """Checks `thinkingLevel` and the `mediaResolution` of parts, and takes them out of a request as received.

    Raises:
        ApiError: 400 for a word that is no level.
    """
    config = _get(body, "generationConfig", "generation_config")
    thinking = _get(config, "thinkingConfig", "thinking_config")
    level = _take(thinking, "thinkingLevel", "thinking_level")
    if level is not None:
        _check(level, _THINKING_LEVELS, "generation_config.thinking_config.thinking_level")
    for where, part in _parts(body):
        resolution = _take(part, "mediaResolution", "media_resolution")
        if resolution is not None:
            field = f"{where}.media_resolution"
            if not isinstance(resolution, dict) or not set(resolution) <= {"level", "numTokens", "num_tokens"}:
                raise invalid(f"Invalid value at '{field}': expected an object with a level.", field)
            _check(resolution.get("level", _MEDIA_RESOLUTIONS[0]), _MEDIA_RESOLUTIONS, f"{field}.level")


def _parts(body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    contents = body.get("contents")
    for index, content in enumerate(contents if isinstance(contents, list) else ()):
        parts = content.get("parts") if isinstance(content, dict) else None
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, dict):
                yield f"contents[{index}].parts[{number}]", part


def _get(holder: Any, *names: str) -> Any:
    return next((holder[name] for name in names if name in holder), None) if isinstance(holder, dict) else None


def _take(holder: Any, *names: str) -> Any:
    found = _get(holder, *names)
    for name in names if isinstance(holder, dict) else ():
        holder.pop(name, None)
    return found


def _check(word: Any, known: tuple[str, ...], field: str) -> None:
    if word not in known:
        raise invalid(f"Invalid value at '{field}': {word!r}.", field)
