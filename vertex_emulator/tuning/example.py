"""One line of a dataset: Gemini's supervised tuning format, checked as strictly as the service checks it.

    {"systemInstruction": {"parts": [{"text": ...}]},                           optional
     "contents": [{"role": "user" | "model" | "function", "parts": [...]}, ...],
     "tools": [{"functionDeclarations": [...]}],                                optional
     "generationConfig": {"mediaResolution": ...}}                              optional

Both spellings of a name are taken. Limits are those of "About supervised fine-tuning for Gemini models" (2026-09-25)
and of the pages on image, audio, video and document tuning.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from vertex_emulator.standin import Record, tokens

OTHER_PART_TOKENS = 258
"""What a part that is not text counts, as in countTokens."""

MEDIA_LIMITS = {"image": 30, "audio": 1, "video": 1, "document": 4}
"""How many files of each kind one example may hold."""

_DOCUMENTS = ("application/pdf", "text/plain")
_FILE_URI = re.compile(r"^(gs|https?)://[^/]+/.+$")


def _spellings(*names: str) -> Mapping[str, str]:
    """Maps the camelCase and the snake_case spelling of each name to the first."""
    snake = {re.sub(r"(?=[A-Z])", "_", name).lower(): name for name in names}
    return snake | {name: name for name in names}


_EXAMPLE = _spellings("systemInstruction", "contents", "tools", "generationConfig")
_CONTENT = _spellings("role", "parts")
_DATA = {
    "fileData": _spellings("mimeType", "fileUri", "displayName"),
    "inlineData": _spellings("mimeType", "data", "displayName"),
    "functionCall": _spellings("name", "args", "id"),
    "functionResponse": _spellings("name", "response", "id"),
}
_PART = _spellings("text", *_DATA, "videoMetadata", "mediaResolution")
_TOOL = _spellings("functionDeclarations")
_GENERATION_CONFIG = _spellings("mediaResolution")


class BadExample(Exception):
    """Why an example is dropped."""


@dataclass(frozen=True)
class Example:
    """A usable example.

    Attributes:
        system: Text of the system instruction, empty if there is none.
        turns: `(role, text)` from the first turn, the user's, to the last, the model's. Role is `user` or `model`.
        other_parts: Parts that are not text, in turns of the user and of the model; the stand-in cannot read them.
        first_turn: The first content as it stands in the dataset.
    """

    system: str
    turns: tuple[tuple[str, str], ...]
    other_parts: tuple[int, int]
    first_turn: dict[str, Any]

    @cached_property
    def input_tokens(self) -> int:
        """Tokens of the system instruction and the user's turns."""
        return tokens.count(self.system) + self._tokens("user", self.other_parts[0])

    @cached_property
    def output_tokens(self) -> int:
        """Tokens of the model's turns."""
        return self._tokens("model", self.other_parts[1])

    @property
    def characters(self) -> int:
        """Characters of all text."""
        return len(self.system) + sum(len(text) for _, text in self.turns)

    def records(self) -> Iterator[Record]:
        """Yields one training record for each model turn that has text, with all turns before it as its context."""
        for number, (role, text) in enumerate(self.turns):
            if role == "model" and text.strip():
                yield Record(self.system, self.turns[:number], text)

    def _tokens(self, role: str, other_parts: int) -> int:
        text = sum(tokens.count(text) for own, text in self.turns if own == role)
        return text + other_parts * OTHER_PART_TOKENS


def read_example(line: bytes, max_tokens: int) -> Example:
    """Reads one line of a dataset.

    Args:
        line: The line, with or without its end.
        max_tokens: The most tokens that an example may have, input and output together.

    Raises:
        BadExample: The example cannot be trained on.
    """
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadExample(f"invalid JSON: {error}") from error
    fields = _fields(document, _EXAMPLE, "example")
    _check_settings(fields)
    files: Counter[str] = Counter()
    system = _read_system(fields.get("systemInstruction"))
    turns, other_parts = _read_turns(fields.get("contents"), files)
    for kind, limit in MEDIA_LIMITS.items():
        if files[kind] > limit:
            raise BadExample(f"too many {kind} files: {files[kind]}, at most {limit} are allowed")
    example = Example(system, turns, other_parts, fields["contents"][0])
    count = example.input_tokens + example.output_tokens
    if count > max_tokens:
        raise BadExample(f"too many tokens: {count}, at most {max_tokens} are allowed")
    return example


def _read_system(value: Any) -> str:
    if value is None:
        return ""
    text, other_parts = _read_parts(_fields(value, _CONTENT, "systemInstruction"), "systemInstruction", Counter())
    if other_parts:
        raise BadExample("systemInstruction: only text parts are allowed")
    return text


def _read_turns(contents: Any, files: Counter[str]) -> tuple[tuple[tuple[str, str], ...], tuple[int, int]]:
    if not isinstance(contents, list) or not contents:
        raise BadExample("contents: must be a list with at least one user and one model turn")
    turns: list[tuple[str, str]] = []
    other_parts = {"user": 0, "model": 0}
    for index, content in enumerate(contents):
        where = f"contents[{index}]"
        fields = _fields(content, _CONTENT, where)
        role = fields.get("role")
        if role not in ("user", "model", "function"):
            raise BadExample(f"{where}.role: must be user or model, not {orjson.dumps(role).decode()}")
        role = "model" if role == "model" else "user"
        if role == (turns[-1][0] if turns else "model"):
            raise BadExample(f"{where}.role: roles must alternate between user and model, beginning with user")
        text, others = _read_parts(fields, where, files)
        turns.append((role, text))
        other_parts[role] += others
    if turns[-1][0] != "model":
        raise BadExample("contents: the last turn must be the model's")
    return tuple(turns), (other_parts["user"], other_parts["model"])


def _read_parts(content: dict[str, Any], where: str, files: Counter[str]) -> tuple[str, int]:
    """Returns the text of a content's parts and the number of its other parts; counts its files by kind."""
    parts = content.get("parts")
    if not isinstance(parts, list) or not parts:
        raise BadExample(f"{where}.parts: must be a list with at least one part")
    texts = []
    for index, part in enumerate(parts):
        text = _read_part(part, f"{where}.parts[{index}]", files)
        if text is not None:
            texts.append(text)
    return "\n".join(texts), len(parts) - len(texts)


def _read_part(part: Any, where: str, files: Counter[str]) -> str | None:
    """Returns a part's text; None if it holds something else."""
    fields = _fields(part, _PART, where)
    kinds = [kind for kind in ("text", *_DATA) if kind in fields]
    if len(kinds) != 1:
        raise BadExample(f"{where}: must have exactly one of text, {', '.join(_DATA)}")
    (kind,) = kinds
    if kind == "text":
        text = fields["text"]
        if not isinstance(text, str) or not text:
            raise BadExample(f"{where}.text: must be a text that is not empty")
        return text
    data = _fields(fields[kind], _DATA[kind], f"{where}.{kind}")
    if kind in ("functionCall", "functionResponse"):
        _text(data, "name", f"{where}.{kind}")
        return None
    files[_file_kind(_text(data, "mimeType", f"{where}.{kind}"), where)] += 1
    source = _text(data, "fileUri" if kind == "fileData" else "data", f"{where}.{kind}")
    if kind == "fileData" and not _FILE_URI.match(source):
        raise BadExample(f"{where}.fileData.fileUri: must be a gs:// URI or a public http(s) URL, not {source!r}")
    return None


def _file_kind(mime_type: str, where: str) -> str:
    kind = "document" if mime_type in _DOCUMENTS else mime_type.partition("/")[0]
    if kind not in MEDIA_LIMITS:
        raise BadExample(f"{where}: files of type {mime_type!r} are not supported")
    return kind


def _check_settings(fields: dict[str, Any]) -> None:
    tools = fields.get("tools", [])
    if not isinstance(tools, list):
        raise BadExample("tools: must be a list")
    for index, tool in enumerate(tools):
        _fields(tool, _TOOL, f"tools[{index}]")
    _fields(fields.get("generationConfig", {}), _GENERATION_CONFIG, "generationConfig")


def _text(data: dict[str, Any], name: str, where: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise BadExample(f"{where}.{name}: is missing")
    return value


def _fields(value: Any, names: Mapping[str, str], where: str) -> dict[str, Any]:
    """Returns an object's fields that are not null under their camelCase names."""
    if not isinstance(value, dict):
        raise BadExample(f"{where}: must be an object")
    unknown: Iterable[str] = value.keys() - names.keys()
    if unknown:
        raise BadExample(f"{where}: unknown field {', '.join(sorted(map(repr, unknown)))}")
    return {names[key]: field for key, field in value.items() if field is not None}
