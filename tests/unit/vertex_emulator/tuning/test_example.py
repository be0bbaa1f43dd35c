import json
from typing import Any

import pytest

from vertex_emulator.standin import Record
from vertex_emulator.tuning.example import OTHER_PART_TOKENS, BadExample, read_example

USER = {"role": "user", "parts": [{"text": "Hi"}]}
MODEL = {"role": "model", "parts": [{"text": "Argh!"}]}
IMAGE = {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/i.png"}}


def file_of(mime_type: str) -> dict[str, Any]:
    return {"fileData": {"mimeType": mime_type, "fileUri": "https://example.com/f"}}


def read(document: object, max_tokens: int = 10_000) -> Any:
    return read_example(json.dumps(document).encode(), max_tokens)


def with_user_parts(*parts: object) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": list(parts)}, MODEL]}


def test_every_model_turn_is_a_record_with_what_came_before() -> None:
    second = {"role": "model", "parts": [{"text": "I be"}, {"text": "the captain."}]}
    example = read(
        {
            "systemInstruction": {"role": "ignored", "parts": [{"text": "A pirate dog."}]},
            "contents": [USER, MODEL, {"role": "user", "parts": [{"text": "Name?"}]}, second],
        }
    )
    assert list(example.records()) == [
        Record("A pirate dog.", (("user", "Hi"),), "Argh!"),
        Record("A pirate dog.", (("user", "Hi"), ("model", "Argh!"), ("user", "Name?")), "I be\nthe captain."),
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"system_instruction": {"parts": [{"text": "s"}]}, "contents": [USER, MODEL]},
        {"systemInstruction": None, "contents": [USER, MODEL]},
        {"contents": [USER, MODEL], "tools": [{"functionDeclarations": [{"name": "f"}]}]},
        {"contents": [USER, MODEL], "generationConfig": {"mediaResolution": "MEDIA_RESOLUTION_LOW"}},
        with_user_parts({"text": "What is this?"}, IMAGE),
        with_user_parts({"file_data": {"mime_type": "video/mp4", "file_uri": "gs://b/v"}, "videoMetadata": {}}),
        with_user_parts(*[IMAGE] * 30),
        {
            "contents": [
                USER,
                {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
                {"role": "function", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
                MODEL,
            ]
        },
    ],
)
def test_good_examples(document: dict[str, Any]) -> None:
    assert read(document).turns[-1] == ("model", "Argh!")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "example: must be an object"),
        ({}, "contents: must be a list"),
        ({"contents": []}, "contents: must be a list"),
        ({"contents": [USER, MODEL], "id": "7"}, "example: unknown field 'id'"),
        ({"contents": [USER]}, "contents: the last turn must be the model's"),
        (
            {"contents": [MODEL]},
            "contents[0].role: roles must alternate between user and model, beginning with user",
        ),
        ({"contents": [USER, USER, MODEL]}, "contents[1].role: roles must alternate"),
        ({"contents": [USER, MODEL, MODEL]}, "contents[2].role: roles must alternate"),
        (
            {"contents": [{"parts": [{"text": "Hi"}]}, MODEL]},
            "contents[0].role: must be user or model, not null",
        ),
        ({"contents": [{**USER, "role": "assistant"}, MODEL]}, 'must be user or model, not "assistant"'),
        ({"contents": [{"role": "user", "content": "Hi"}, MODEL]}, "contents[0]: unknown field 'content'"),
        ({"contents": [{"role": "user"}, MODEL]}, "contents[0].parts: must be a list"),
        ({"contents": [{"role": "user", "parts": []}, MODEL]}, "contents[0].parts: must be a list"),
        (with_user_parts({}), "contents[0].parts[0]: must have exactly one of text, fileData"),
        (with_user_parts({"text": "a", **IMAGE}), "contents[0].parts[0]: must have exactly one of"),
        (with_user_parts({"text": ""}), "contents[0].parts[0].text: must be a text that is not empty"),
        (with_user_parts({"text": 7}), "contents[0].parts[0].text: must be a text that is not empty"),
        (with_user_parts({"txt": "a"}), "contents[0].parts[0]: unknown field 'txt'"),
        (with_user_parts({"fileData": {"mimeType": "image/png"}}), "fileData.fileUri: is missing"),
        (
            with_user_parts({"fileData": {"mimeType": "image/png", "fileUri": "/x.png"}}),
            "must be a gs:// URI",
        ),
        (with_user_parts(file_of("font/ttf")), "files of type 'font/ttf' are not supported"),
        (with_user_parts({"functionCall": {"args": {}}}), "functionCall.name: is missing"),
        (with_user_parts(*[IMAGE] * 31), "too many image files: 31, at most 30"),
        (with_user_parts(*[file_of("audio/wav")] * 2), "too many audio files: 2, at most 1"),
        (with_user_parts(*[file_of("video/mp4")] * 2), "too many video files: 2, at most 1"),
        (with_user_parts(*[file_of("application/pdf")] * 5), "too many document files: 5, at most 4"),
        (
            {"systemInstruction": "Be nice.", "contents": [USER, MODEL]},
            "systemInstruction: must be an object",
        ),
        (
            {"systemInstruction": {"parts": [IMAGE]}, "contents": [USER, MODEL]},
            "systemInstruction: only text parts",
        ),
        ({"contents": [USER, MODEL], "tools": {}}, "tools: must be a list"),
        (
            {"contents": [USER, MODEL], "tools": [{"googleSearch": {}}]},
            "tools[0]: unknown field 'googleSearch'",
        ),
        (
            {"contents": [USER, MODEL], "generationConfig": {"seed": 1}},
            "generationConfig: unknown field 'seed'",
        ),
    ],
)
def test_bad_examples(document: object, reason: str) -> None:
    with pytest.raises(BadExample) as refused:
        read(document)
    assert reason in str(refused.value)


@pytest.mark.parametrize("line", [b"{", b'{"contents": NaN}', b"\xff\xfe", b"null x"])
def test_what_is_not_json(line: bytes) -> None:
    with pytest.raises(BadExample, match="invalid JSON"):
        read_example(line, 1000)


def test_tokens_of_input_and_output_count_against_the_limit() -> None:
    document = with_user_parts({"text": "Hi"}, IMAGE)
    example = read(document)
    assert (example.input_tokens, example.output_tokens) == (1 + OTHER_PART_TOKENS, 2)
    assert example.characters == len("HiArgh!")
    limit = example.input_tokens + example.output_tokens
    assert read(document, limit) == example
    with pytest.raises(BadExample, match=f"too many tokens: {limit}, at most {limit - 1} are allowed"):
        read(document, limit - 1)
