"""Parts of a turn: texts, files, function calls and their responses, in either spelling of their fields."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from gemini_sft.data.example import Content
from gemini_sft.data.findings import Fault, shown

Soft = Callable[[str, str, str], None]
"""Takes note of a rule that is broken, what is wrong, and an excerpt; raises `Fault` unless the policy is to warn."""

_SNAKE = {
    "file_data": "fileData",
    "mime_type": "mimeType",
    "file_uri": "fileUri",
    "function_call": "functionCall",
    "function_response": "functionResponse",
    "video_metadata": "videoMetadata",
    "start_offset": "startOffset",
    "end_offset": "endOffset",
    "media_resolution": "mediaResolution",
    "inline_data": "inlineData",
    "function_declarations": "functionDeclarations",
}
_DATA = ("text", "fileData", "functionCall", "functionResponse")
_BESIDE = {"fileData": {"videoMetadata", "mediaResolution"}}
_FIELDS = {
    "fileData": ({"mimeType", "fileUri"}, {"displayName"}),
    "functionCall": ({"name"}, {"args", "id"}),
    "functionResponse": ({"name", "response"}, {"id"}),
    "videoMetadata": (set(), {"startOffset", "endOffset", "fps"}),
}
_LIMITS = {"image": 30, "audio": 1, "video": 1, "PDF": 4}
"""Files that one example may have: Google, "Tuning data" pages on images, audio, video and documents, 2026-09."""


def kind_of(mime_type: str) -> str | None:
    """Returns image, audio, video or PDF; None for a type that cannot be tuned on."""
    if mime_type == "application/pdf":
        return "PDF"
    family = mime_type.partition("/")[0]
    return family if family in _LIMITS else None


def read_parts(parts: Any, what: str, soft: Soft) -> list[dict[str, Any]]:
    """Returns the parts of a turn with camelCase names.

    Raises:
        Fault: They are not of the shape that Gemini takes.
    """
    if type(parts) is not list or not parts:
        raise Fault("structure", f'{what} must have "parts", a list of at least one')
    return [_part(part, f"{what}, part {number},", soft) for number, part in enumerate(parts, 1)]


def check_files(contents: list[Content], soft: Soft) -> None:
    """Checks how many files of each kind an example has."""
    kinds = Counter(
        kind_of(part["fileData"]["mimeType"]) for one in contents for part in one["parts"] if "fileData" in part
    )
    for kind, limit in _LIMITS.items():
        if kinds[kind] > limit:
            soft("media_limit", f"has {kinds[kind]} files of the kind {kind}: at most {limit} are allowed", "")


def check_tools(contents: list[Content], tools: list[dict[str, Any]], soft: Soft) -> None:
    """Checks that every function that is called has been declared, and that every response answers a call."""
    declared = {function.get("name") for tool in tools for function in tool.get("functionDeclarations", [])}
    called = set()
    for one in contents:
        for part in one["parts"]:
            if "functionCall" in part:
                called.add(part["functionCall"]["name"])
            if "functionResponse" in part and part["functionResponse"]["name"] not in called:
                soft("tools", "has a functionResponse that answers no functionCall before it", "")
    if called - declared:
        soft("tools", f"calls the function {shown(sorted(called - declared)[0])}, which tools do not declare", "")


def without_nulls(value: Any) -> Any:
    """Returns an object without the fields that are null, which is how a table says that they are not there."""
    if type(value) is dict and None in value.values():
        return {name: one for name, one in value.items() if one is not None}
    return value


def read_tools(tools: Any) -> list[dict[str, Any]]:
    """Returns tools with their functions in camelCase.

    Raises:
        Fault: They are not of the shape that Gemini takes.
    """
    if type(tools) is not list or any(type(tool) is not dict for tool in tools):
        raise Fault("structure", '"tools" must be a list of objects')
    made = []
    for given in tools:
        tool = without_nulls(given)
        if "function_declarations" in tool and "functionDeclarations" in tool:
            raise Fault("duplicate_key", "a field stands in both spellings")
        if "function_declarations" in tool:
            tool = {_SNAKE.get(name, name): one for name, one in tool.items()}
        functions = tool.get("functionDeclarations", [])
        if type(functions) is not list or any(
            type(one) is not dict or type(one.get("name")) is not str for one in functions
        ):
            raise Fault("structure", '"tools" must have "functionDeclarations", a list of objects with a "name"')
        made.append(tool)
    return made


def camel(value: Any) -> Any:
    """Returns a part's fields with camelCase names; what is inside args and response is the user's own."""
    if type(value) is not dict:
        return value
    names = [_SNAKE.get(name, name) for name in value]
    if len(set(names)) != len(names):
        raise Fault("duplicate_key", "a field stands in both spellings")
    return {
        name: one if name in ("args", "response") else without_nulls(camel(one))
        for name, one in zip(names, value.values(), strict=True)
    }


def _part(given: Any, what: str, soft: Soft) -> dict[str, Any]:
    if type(given) is not dict:
        raise Fault("structure", f'{what} must be an object such as {{"text": ...}}')
    given = without_nulls(given)
    if len(given) == 1 and type(given.get("text")) is str:
        return {"text": given["text"]}
    part: dict[str, Any] = camel(given)
    if "inlineData" in part:
        raise Fault("media_type", f"{what} has inlineData: put the file into Cloud Storage and name it as fileData")
    kinds = [name for name in _DATA if name in part]
    if len(kinds) != 1:
        raise Fault("structure", f"{what} must have exactly one of {', '.join(_DATA)}")
    kind = kinds[0]
    unknown = sorted(set(part) - {kind} - _BESIDE.get(kind, set()))
    if unknown:
        raise Fault("structure", f"{what} has the key {shown(unknown[0])}, which does not belong there")
    if kind == "text":
        raise Fault("structure", f'{what} has a "text" that is not a text')
    for name in (kind, "videoMetadata"):
        if name in part:
            _check_fields(part[name], *_FIELDS[name], f"{what} {name}")
    if kind == "fileData":
        _check_file(part["fileData"], what, soft)
    return part


def _check_fields(value: Any, needed: set[str], allowed: set[str], what: str) -> None:
    if type(value) is not dict:
        raise Fault("structure", f"{what} must be an object")
    missing = sorted(needed - set(value))
    if missing:
        raise Fault("structure", f"{what} has no {missing[0]}")
    unknown = sorted(set(value) - needed - allowed)
    if unknown:
        raise Fault("structure", f"{what} has the key {shown(unknown[0])}, which does not belong there")
    for name in needed - {"response"}:
        if type(value[name]) is not str or not value[name]:
            raise Fault("structure", f"{what}.{name} must be a text")
    for name in ("args", "response"):
        if name in value and type(value[name]) is not dict:
            raise Fault("structure", f"{what}.{name} must be an object")


def _check_file(file: dict[str, Any], what: str, soft: Soft) -> None:
    if not file["fileUri"].startswith(("gs://", "https://", "http://")):
        raise Fault("media_type", f"{what} fileUri must begin with gs:// or https://")
    if kind_of(file["mimeType"]) is None:
        raise Fault("media_type", f"{what} has the type {shown(file['mimeType'])}, which cannot be tuned on")
