"""Conversations of the wrong shape, as messages and as Gemini's contents."""

from typing import Any

from tests.unit.gemini_sft.data.cases.case import Case, case, chat, contents, jsonl, messages

_ASKED, _SAID = ("user", "Why?"), ("assistant", "So.")
_WHY, _SO = ("user", "Why?"), ("model", "So.")
_FINE = contents(("user", "Really?"), _SO)


def message(name: str, record: dict[str, Any], rule: str, what: str) -> Case:
    """Returns a case with messages of which the second line is wrong."""
    return case(f"messages: {name}", jsonl(chat("Really?"), record), (rule, 2, what))


def content(name: str, record: dict[str, Any], rule: str, what: str) -> Case:
    """Returns a case with contents of which the second line is wrong."""
    return case(f"contents: {name}", jsonl(_FINE, record), (rule, 2, what))


MESSAGES: list[Case] = [
    message("a text instead of a list", {"messages": "Why?"}, "structure", '"messages" must be a list'),
    message("none", {"messages": []}, "turn_order", "has no turn: expected the user's and the model's"),
    message(
        "a text instead of a message",
        {"messages": ["Why?"]},
        "structure",
        'message 1 must be an object with "role" and "content"',
    ),
    message(
        "no content",
        messages(_ASKED, ("assistant", None)),
        "structure",
        'message 2 must have a text as "content"',
    ),
    message(
        "content in parts",
        messages(("user", [{"type": "image_url", "image_url": {"url": "https://host/x.png"}}]), _SAID),
        "structure",
        'message 1 must have a text as "content": only texts can stand in it; for files use Gemini\'s contents',
    ),
    message(
        "a key beside role and content",
        {"messages": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So.", "weight": 0}]},
        "unknown_key",
        "message 2 has the key 'weight', which Gemini's tuning does not have",
    ),
    message(
        "a role of its own",
        messages(_ASKED, ("tool", "4")),
        "role",
        "message 2 has the role 'tool': expected user or assistant",
    ),
    message(
        "a role in capitals",
        messages(("User", "Why?"), _SAID),
        "role",
        "message 1 has the role 'User': expected user or assistant",
    ),
    message(
        "no role",
        {"messages": [{"content": "Why?"}]},
        "role",
        "message 1 has the role None: expected user or assistant",
    ),
    message(
        "a list as role",
        messages((["user"], "Why?"), _SAID),
        "role",
        "message 1 has the role ['user']: expected user or assistant",
    ),
    message(
        "a system message in the middle",
        messages(_ASKED, ("system", "Be kind."), _SAID),
        "role",
        "message 2 has the role 'system': only the first message may be the system's",
    ),
    message(
        "an empty system message",
        messages(("system", " "), _ASKED, _SAID),
        "empty_turn",
        "message 1 (the system's) is empty",
    ),
    message(
        "nothing but a system message",
        messages(("system", "Be kind.")),
        "turn_order",
        "has no turn: expected the user's and the model's",
    ),
    message(
        "an empty question",
        messages(("user", ""), _SAID),
        "empty_turn",
        "turn 1 (the user's) is empty",
    ),
    message(
        "an answer of blanks",
        messages(_ASKED, ("model", " \n\t\u00a0\u3000")),
        "empty_target",
        "turn 2 (the target) is empty",
    ),
    message(
        "two questions",
        messages(_ASKED, _ASKED, _SAID),
        "turn_order",
        "turns 1 and 2 are both the user's: they must alternate",
    ),
    message(
        "two answers",
        messages(_ASKED, _SAID, ("model", "So?"), _ASKED),
        "turn_order",
        "turns 2 and 3 are both the model's: they must alternate",
    ),
    message(
        "an answer without a question",
        messages(("system", "Be kind."), _SAID),
        "turn_order",
        "begins with the model's turn: expected the user's",
    ),
    message(
        "a question without an answer",
        messages(_ASKED, _SAID, _ASKED),
        "last_turn",
        "ends with the user's turn: expected the model's, which is the target",
    ),
    message(
        "a reference that is a text",
        chat("Why?") | {"references": "So."},
        "structure",
        '"references" must be a list of texts',
    ),
    case(
        "messages: keys that nobody knows",
        jsonl(chat("Why?") | {"id": 7, "topic": "why"}),
        ("unknown_key", 1, "has the key 'id', which is not used"),
        ("unknown_key", 1, "has the key 'topic', which is not used"),
    ),
    case(
        "messages: a key that nobody knows, and a strict policy",
        jsonl(chat("Really?"), chat("Why?") | {"id": 7}),
        ("unknown_key", 2, "has the key 'id', which is not used"),
        data={"policy": {"unknown_key": "error"}},
    ),
]

CONTENTS: list[Case] = [
    content("an object instead of a list", {"contents": {}}, "structure", '"contents" must be a list'),
    content("none", {"contents": []}, "turn_order", "has no turn: expected the user's and the model's"),
    content(
        "a text instead of a turn",
        {"contents": ["Why?"]},
        "structure",
        'turn 1 must be an object with "role" and "parts"',
    ),
    content(
        "the system among them",
        contents(("system", "Be kind."), _WHY, _SO),
        "role",
        "turn 1 has the role 'system': put it in \"systemInstruction\"",
    ),
    content(
        "an assistant",
        contents(_WHY, ("assistant", "So.")),
        "role",
        "turn 2 has the role 'assistant': expected user or model",
    ),
    content(
        "a list as role",
        contents((["user"], "Why?"), _SO),
        "role",
        "turn 1 has the role ['user']: expected user or model",
    ),
    content(
        "no role",
        {"contents": [{"parts": [{"text": "Why?"}]}]},
        "role",
        "turn 1 has the role None: expected user or model",
    ),
    content(
        "a key beside role and parts",
        {"contents": [{"role": "user", "parts": [{"text": "Why?"}], "name": "Ann"}]},
        "structure",
        "turn 1 has the key 'name', which Gemini does not know",
    ),
    content(
        "a text as parts",
        {"contents": [{"role": "user", "parts": "Why?"}]},
        "structure",
        'turn 1 must have "parts", a list of at least one',
    ),
    content("no parts", contents(_WHY, ("model", [])), "structure", 'turn 2 must have "parts", a list of at least one'),
    content(
        "parts of blanks",
        contents(("user", [{"text": ""}, {"text": " "}]), _SO),
        "empty_turn",
        "turn 1 (the user's) is empty",
    ),
    content("an empty answer", contents(_WHY, ("model", "")), "empty_target", "turn 2 (the target) is empty"),
    content(
        "two questions",
        contents(_WHY, _WHY, _SO),
        "turn_order",
        "turns 1 and 2 are both the user's: they must alternate",
    ),
    content(
        "an answer without a question", contents(_SO), "turn_order", "begins with the model's turn: expected the user's"
    ),
    content(
        "a question without an answer",
        contents(_WHY),
        "last_turn",
        "ends with the user's turn: expected the model's, which is the target",
    ),
    content(
        "a text as system instruction",
        contents(_WHY, _SO, systemInstruction="Be kind."),
        "structure",
        'the system instruction must be an object with "parts"',
    ),
    content(
        "a system instruction without parts",
        contents(_WHY, _SO, systemInstruction={"role": "system"}),
        "structure",
        'the system instruction must have "parts", a list of {"text": ...}',
    ),
    content(
        "a system instruction with a number",
        contents(_WHY, _SO, systemInstruction={"parts": [{"text": 7}]}),
        "structure",
        'the system instruction has a "text" that is not a text',
    ),
    content(
        "a system instruction with a key of its own",
        contents(_WHY, _SO, systemInstruction={"text": "Be kind."}),
        "structure",
        "the system instruction has the key 'text', which Gemini does not know",
    ),
    content(
        "an empty system instruction",
        contents(_WHY, _SO, system_instruction={"parts": [{"text": "\n"}]}),
        "empty_turn",
        "the system instruction is empty",
    ),
    content(
        "the system instruction in both spellings",
        contents(_WHY, _SO, system_instruction={"parts": [{"text": "a"}]}, systemInstruction={"parts": []}),
        "duplicate_key",
        "has both systemInstruction and system_instruction",
    ),
    content(
        "a temperature",
        contents(_WHY, _SO, generationConfig={"temperature": 1}),
        "structure",
        '"generationConfig" of an example can only have "mediaResolution"',
    ),
    content(
        "a media resolution of its own",
        contents(_WHY, _SO, generation_config={"media_resolution": "HIGH"}),
        "structure",
        "generationConfig.mediaResolution must be one of MEDIA_RESOLUTION_LOW, MEDIA_RESOLUTION_MEDIUM, "
        "MEDIA_RESOLUTION_HIGH",
    ),
    content(
        "references without an answer",
        contents(_WHY, _SO, references=[]),
        "structure",
        '"references" must be a list of texts',
    ),
    case(
        "contents: a key that nobody knows",
        jsonl(_FINE | {"safetySettings": []}),
        ("unknown_key", 1, "has the key 'safetySettings', which is not used"),
    ),
]
