"""A request's contents as the stand-in model reads them."""

from dataclasses import dataclass
from typing import Any

from vertex_emulator.errors import invalid
from vertex_emulator.standin import tokens

_MEDIA_PART_TOKENS = 258
"""What an image costs in Gemini's counting; the stand-in cannot see, but the part is not free."""


@dataclass(frozen=True)
class Prompt:
    """What a model is asked.

    Attributes:
        system: Text of the system instruction, empty if there is none.
        turns: `(role, text)` from the first turn to the last, which is the user's unless an answer is only counted.
        media_parts: How many parts hold something other than text.
    """

    system: str
    turns: tuple[tuple[str, str], ...]
    media_parts: int

    @property
    def tokens(self) -> int:
        """How many tokens the prompt has."""
        text = tokens.count(self.system) + sum(tokens.count(text) for _, text in self.turns)
        return text + self.media_parts * _MEDIA_PART_TOKENS

    @property
    def characters(self) -> int:
        """Billable characters: all but white space."""
        texts = (self.system, *(text for _, text in self.turns))
        return sum(len("".join(text.split())) for text in texts)


def read_prompt(request: dict[str, Any], *, answered: bool = False) -> Prompt:
    """Reads a canonical generateContent or countTokens request.

    Args:
        request: The request.
        answered: Whether the conversation may end with the model: Google's examples count whole chats.

    Raises:
        ApiError: 400 for contents that Gemini refuses: none at all, an unknown role, a turn without parts, an empty
            part, or a conversation that does not end with the user.
    """
    contents = request.get("contents", [])
    if not contents:
        raise invalid("Unable to submit request because it must have at least one content.", "contents")
    turns, media_parts = [], 0
    for index, content in enumerate(contents):
        role = content.get("role", "user")
        if role not in ("user", "model", "function"):
            raise invalid("Please use a valid role: user, model.", f"contents[{index}].role")
        text, media = _read_parts(content, f"contents[{index}]")
        turns.append(("model" if role == "model" else "user", text))
        media_parts += media
    if turns[-1][0] != "user" and not answered:
        raise invalid("Please ensure that multiturn requests end with a user role.", "contents")
    system = ""
    if "systemInstruction" in request:
        system, media = _read_parts(request["systemInstruction"], "system_instruction")
        if media:
            raise invalid("System instruction must be text only.", "system_instruction")
    return Prompt(system, tuple(turns), media_parts)


def _read_parts(content: dict[str, Any], where: str) -> tuple[str, int]:
    parts = content.get("parts", [])
    if not parts:
        raise invalid("Unable to submit request because it must have at least one part.", f"{where}.parts")
    for index, part in enumerate(parts):
        if not part:
            message = "Unable to submit request because it must have a text parameter or another kind of data."
            raise invalid(message, f"{where}.parts[{index}]")
    text = "\n".join(part["text"] for part in parts if "text" in part)
    return text, sum("text" not in part for part in parts)
