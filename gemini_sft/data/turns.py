"""Conversations: from `messages` or Gemini `contents` to turns as Gemini takes them."""

from typing import Any

from gemini_sft.data.example import Content, text_of, turn
from gemini_sft.data.findings import Fault, shown
from gemini_sft.data.parts import Soft, read_parts, without_nulls

_MEANT = ("tool_calls", "function_call", "tool_call_id")
_MESSAGE_ROLES = {"user": "user", "model": "model", "assistant": "model"}


def read_messages(messages: Any, soft: Soft) -> tuple[str | None, list[Content]]:
    """Reads OpenAI-like messages: an optional system message, then user and assistant (or model) in turns.

    Returns:
        The system message's text, and the turns.

    Raises:
        Fault: They are not of that shape.
    """
    if type(messages) is not list:
        raise Fault("structure", '"messages" must be a list')
    system: str | None = None
    contents: list[Content] = []
    for position, message in enumerate(messages, 1):
        if type(message) is not dict:
            raise Fault("structure", f'message {position} must be an object with "role" and "content"')
        role, text = message.get("role"), _joined(message.get("content"))
        if type(text) is not str:
            raise Fault("structure", f'message {position} must have a text as "content"{_parts_hint(text)}')
        for extra in sorted(set(message) - {"role", "content"}):
            if extra in _MEANT:
                raise Fault(
                    "structure", f"message {position} has {extra}: write it as Gemini's functionCall, in contents"
                )
            soft(
                "unknown_key", f"message {position} has the key {shown(extra)}, which Gemini's tuning does not have", ""
            )
        if role in ("system", "developer") and position == 1:
            system = text
        elif type(role) is str and role in _MESSAGE_ROLES:
            contents.append(turn(_MESSAGE_ROLES[role], text))
        else:
            place = "only the first message may be the system's" if role == "system" else "expected user or assistant"
            raise Fault("role", f"message {position} has the role {shown(role)}: {place}")
    if system is not None and not system.strip():
        raise Fault("empty_turn", "message 1 (the system's) is empty")
    return system, contents


def read_contents(contents: Any, soft: Soft) -> list[Content]:
    """Reads Gemini contents, with fields in either spelling; returns them in camelCase.

    Raises:
        Fault: They are not of that shape.
    """
    if type(contents) is not list:
        raise Fault("structure", '"contents" must be a list')
    turns = []
    for position, content in enumerate(contents, 1):
        if type(content) is not dict:
            raise Fault("structure", f'turn {position} must be an object with "role" and "parts"')
        role = content.get("role")
        if role == "function":
            role = "user"  # who answers a function call: an older spelling
        if role not in ("user", "model"):
            hint = ': put it in "systemInstruction"' if role == "system" else ": expected user or model"
            raise Fault("role", f"turn {position} has the role {shown(role)}{hint}")
        _only(content, {"role", "parts"}, f"turn {position}")
        turns.append({"role": role, "parts": read_parts(content.get("parts"), f"turn {position}", soft)})
    return turns


def read_instruction(instruction: Any) -> str:
    """Reads a `systemInstruction`, of which Gemini takes the texts and ignores the role.

    Raises:
        Fault: It is not of that shape.
    """
    what = "the system instruction"
    if type(instruction) is not dict:
        raise Fault("structure", f'{what} must be an object with "parts"')
    _only(instruction, {"role", "parts"}, what)
    parts = instruction.get("parts")
    if type(parts) is list:
        parts = [without_nulls(one) for one in parts]
    if type(parts) is not list or not parts or any(type(one) is not dict or set(one) != {"text"} for one in parts):
        raise Fault("structure", f'{what} must have "parts", a list of {{"text": ...}}')
    if any(type(one["text"]) is not str for one in parts):
        raise Fault("structure", f'{what} has a "text" that is not a text')
    text = text_of({"parts": parts})
    if not text.strip():
        raise Fault("empty_turn", f"{what} is empty")
    return text


def check_turns(contents: list[Content]) -> None:
    """Checks the order of the turns, and that none is empty.

    Raises:
        Fault: They do not begin with the user's, alternate, and end with the model's.
    """
    if not contents:
        raise Fault("turn_order", "has no turn: expected the user's and the model's")
    for position, content in enumerate(contents):
        role = content["role"]
        if role != ("model" if position % 2 else "user"):
            if position == 0:
                raise Fault("turn_order", "begins with the model's turn: expected the user's")
            raise Fault("turn_order", f"turns {position} and {position + 1} are both the {role}'s: they must alternate")
    if len(contents) % 2:
        raise Fault("last_turn", "ends with the user's turn: expected the model's, which is the target")
    for position, content in enumerate(contents, 1):
        if not text_of(content).strip():
            last = position == len(contents)
            rule, which = ("empty_target", "the target") if last else ("empty_turn", f"the {content['role']}'s")
            raise Fault(rule, f"turn {position} ({which}) is empty")


def _joined(content: Any) -> Any:
    """Returns the text of a content that OpenAI's format has divided into texts; any other as it is."""
    if type(content) is list and content and all(type(one) is dict and one.get("type") == "text" for one in content):
        texts = [one.get("text") for one in content]
        return "".join(texts) if all(type(one) is str for one in texts) else content
    return content


def _only(holder: dict[str, Any], known: set[str], what: str) -> None:
    unknown = sorted(set(holder) - known)
    if unknown:
        raise Fault("structure", f"{what} has the key {shown(unknown[0])}, which Gemini does not know")


def _parts_hint(text: Any) -> str:
    return ": only texts can stand in it; for files use Gemini's contents" if type(text) is list else ""
