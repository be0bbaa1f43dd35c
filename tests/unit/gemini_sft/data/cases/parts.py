"""Files, function calls and other parts that Gemini would not take, and tools that do not fit."""

from typing import Any

from tests.unit.gemini_sft.data.cases.case import (
    NO_TRAIN,
    Case,
    answered,
    case,
    contents,
    file_part,
    jsonl,
    with_parts,
)

_FINE = contents(("user", "Really?"), ("model", "So."))
_PDF = file_part("application/pdf")
_DECLARED = [{"functionDeclarations": [{"name": "look_up"}]}]
_CALL = {"functionCall": {"name": "look_up", "args": {}}}
_UNDECLARED = "calls the function 'look_up', which tools do not declare"


def part(name: str, record: dict[str, Any], rule: str, what: str) -> Case:
    """Returns a case whose second line has a wrong part."""
    return case(name, jsonl(_FINE, record), (rule, 2, what))


def structure(name: str, record: dict[str, Any], what: str) -> Case:
    """Returns a case whose second line has a part of the wrong shape."""
    return part(name, record, "structure", what)


def resolution(value: str | None, prompt: str) -> dict[str, Any]:
    """Returns contents with a media resolution."""
    config = {} if value is None else {"mediaResolution": f"MEDIA_RESOLUTION_{value}"}
    return contents(("user", prompt), ("model", "yes"), generationConfig=config)


PARTS: list[Case] = [
    structure("a text as part", with_parts("Why?"), 'turn 1, part 1, must be an object such as {"text": ...}'),
    structure(
        "an empty part",
        with_parts({"text": "a"}, {}),
        "turn 1, part 2, must have exactly one of text, fileData, functionCall, functionResponse",
    ),
    structure(
        "a text and a file in one part",
        with_parts(_PDF | {"text": "a"}),
        "turn 1, part 1, must have exactly one of text, fileData, functionCall, functionResponse",
    ),
    structure("a number as text", with_parts({"text": 7}), 'turn 1, part 1, has a "text" that is not a text'),
    structure(
        "a thought",
        answered({"text": "a", "thought": True}),
        "turn 2, part 1, has the key 'thought', which does not belong there",
    ),
    structure(
        "a file without its type",
        with_parts({"fileData": {"fileUri": "gs://bucket/1"}}),
        "turn 1, part 1, fileData has no mimeType",
    ),
    structure(
        "a file with a key of its own",
        with_parts({"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/1", "size": 1}}),
        "turn 1, part 1, fileData has the key 'size', which does not belong there",
    ),
    structure(
        "a file whose name is a number",
        with_parts({"fileData": {"mimeType": "image/png", "fileUri": 7}}),
        "turn 1, part 1, fileData.fileUri must be a text",
    ),
    structure("a file as a text", with_parts({"fileData": "gs://b/1"}), "turn 1, part 1, fileData must be an object"),
    structure(
        "video metadata of its own",
        with_parts({**file_part("video/mp4"), "videoMetadata": {"speed": 2}}),
        "turn 1, part 1, videoMetadata has the key 'speed', which does not belong there",
    ),
    structure(
        "video metadata of a text",
        with_parts({"text": "a", "videoMetadata": {}}),
        "turn 1, part 1, has the key 'videoMetadata', which does not belong there",
    ),
    structure(
        "a call without a name", answered({"functionCall": {"args": {}}}), "turn 2, part 1, functionCall has no name"
    ),
    structure(
        "a call whose arguments are a text",
        answered({"functionCall": {"name": "look_up", "args": "{}"}}),
        "turn 2, part 1, functionCall.args must be an object",
    ),
    structure(
        "a response without content",
        with_parts({"functionResponse": {"name": "look_up"}}),
        "turn 1, part 1, functionResponse has no response",
    ),
    structure(
        "tools that are no list", answered(_CALL, tools={}) | {"tools": {"a": 1}}, '"tools" must be a list of objects'
    ),
    structure("tools that are texts", answered(_CALL, tools=["look_up"]), '"tools" must be a list of objects'),
    structure(
        "functions that are texts",
        answered(_CALL, tools=[{"functionDeclarations": ["look_up"]}]),
        '"tools" must have "functionDeclarations", a list of objects with a "name"',
    ),
    structure(
        "functions that are no list",
        answered(_CALL, tools=[{"function_declarations": {"name": "look_up"}}]),
        '"tools" must have "functionDeclarations", a list of objects with a "name"',
    ),
    part(
        "a field in both spellings",
        with_parts({"fileData": {"mimeType": "image/png", "mime_type": "image/png", "fileUri": "gs://bucket/1"}}),
        "duplicate_key",
        "a field stands in both spellings",
    ),
    part(
        "a file inside the record",
        with_parts({"inline_data": {"mime_type": "image/png", "data": "AAAA"}}),
        "media_type",
        "turn 1, part 1, has inlineData: put the file into Cloud Storage and name it as fileData",
    ),
    part(
        "a file that cannot be tuned on",
        with_parts(file_part("text/html")),
        "media_type",
        "turn 1, part 1, has the type 'text/html', which cannot be tuned on",
    ),
    part(
        "a local file",
        with_parts({"file_data": {"mime_type": "image/png", "file_uri": "images/1.png"}}),
        "media_type",
        "turn 1, part 1, fileUri must begin with gs:// or https://",
    ),
    *(
        part(
            f"{count} files of the kind {kind}",
            with_parts(*(file_part(mime, number) for number in range(count))),
            "media_limit",
            f"has {count} files of the kind {kind}: at most {count - 1} are allowed",
        )
        for kind, mime, count in (
            ("image", "image/png", 31),
            ("audio", "audio/mpeg", 2),
            ("video", "video/mp4", 2),
            ("PDF", "application/pdf", 5),
        )
    ),
    case(
        "too many files that are to be dropped",
        jsonl(with_parts(*[_PDF] * 5)),
        ("media_limit", 1, "has 5 files of the kind PDF: at most 4 are allowed"),
        NO_TRAIN,
        data={"policy": {"media_limit": "drop"}},
    ),
    case(
        "two media resolutions",
        jsonl(resolution("LOW", "a"), resolution("LOW", "b"), resolution("HIGH", "c")),
        ("media_resolution", 3, "has MEDIA_RESOLUTION_HIGH, where others have MEDIA_RESOLUTION_LOW"),
    ),
    case(
        "another media resolution in test",
        jsonl(resolution("LOW", "a")),
        ("media_resolution", "test.jsonl:1", "has MEDIA_RESOLUTION_HIGH, where others have MEDIA_RESOLUTION_LOW"),
        others={"test.jsonl": jsonl(resolution("HIGH", "b"))},
    ),
    part("a function that is not declared", answered(_CALL), "tools", _UNDECLARED),
    part(
        "another function than declared",
        answered({"functionCall": {"name": "find"}}, tools=_DECLARED),
        "tools",
        "calls the function 'find', which tools do not declare",
    ),
    part(
        "a response to no call",
        with_parts({"functionResponse": {"name": "look_up", "response": {}}}, tools=_DECLARED),
        "tools",
        "has a functionResponse that answers no functionCall before it",
    ),
    case(
        "a function that is not declared, and a strict policy",
        jsonl(_FINE, answered(_CALL)),
        ("tools", 2, _UNDECLARED),
        data={"policy": {"tools": "drop"}},
    ),
]
