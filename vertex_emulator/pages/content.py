"""What is in an object, made fit to be read on a page."""

import json
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Literal

from vertex_emulator.errors import ApiError
from vertex_emulator.pages.telling import visible
from vertex_emulator.storage.errors import StorageError
from vertex_emulator.storage.objects import ObjectStore

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_BYTES = 200_000
"""Of an object, that many are shown."""
_MOST_NAMES = 200
_MOST_INDENTED = 10 * MOST_BYTES
_ENCODER = json.JSONEncoder(ensure_ascii=False, indent=2)
_DEEPEST_HEADING = 6
_PAGE_HEADINGS = 3
"""Headings of the page itself: those of a text in it begin below."""

Kind = Literal["text", "binary", "folder", "absent"]


@dataclass(frozen=True)
class Content:
    """An object, a folder of objects, or nothing.

    Attributes:
        uri: `gs://bucket/name`.
        kind: What it is.
        size: Bytes of an object.
        text: Its beginning; JSON and JSON lines with their structure in sight.
        cut: Whether there is more.
        names: URIs of the first objects below a folder.
    """

    uri: str
    kind: Kind
    size: int = 0
    text: str = ""
    cut: bool = False
    names: tuple[str, ...] = ()


def content_of(objects: ObjectStore, uri: str) -> Content:
    """Reads the beginning of an object; whatever is wrong with the URI, it is absent."""
    try:
        path = objects.path_of(uri)
        size = path.stat().st_size
        with path.open("rb") as file:
            read = file.read(MOST_BYTES)
    except (ApiError, OSError):
        return _folder(objects, uri)
    cut = size > MOST_BYTES
    text = _decoded(read, cut=cut)
    if text is None:
        return Content(uri, "binary", size)
    return Content(uri, "text", size, _pretty(text, cut=cut), cut)


def _folder(objects: ObjectStore, uri: str) -> Content:
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    prefix = f"{name.rstrip('/')}/" if name.strip("/") else ""
    try:
        objects.buckets.get(bucket)
    except StorageError:
        return Content(uri, "absent")
    names = list(islice(objects.names(bucket, prefix), _MOST_NAMES + 1))
    if not uri.startswith("gs://") or not names:
        return Content(uri, "absent")
    found = tuple(f"gs://{bucket}/{one}" for one in names[:_MOST_NAMES])
    return Content(uri, "folder", names=found, cut=len(names) > _MOST_NAMES)


def _decoded(read: bytes, *, cut: bool) -> str | None:
    if b"\0" in read:
        return None
    text = read.decode("utf-8", "replace")
    # At the ends a letter may have been cut in two.
    inner = text[3:-3] if cut else text
    return None if "\ufffd" in inner else text.strip("\ufffd")


def _pretty(text: str, *, cut: bool) -> str:
    if not text.lstrip().startswith(("{", "[")):
        return text
    if not cut:
        with suppress(ValueError, RecursionError):
            return _indented([text])
    lines = text.split("\n")  # a string in JSON may hold what else ends a line
    last = [lines.pop()] if cut else []  # half of a line is no JSON
    try:
        return "\n".join([_indented([line for line in lines if line.strip()]), *last])
    except (ValueError, RecursionError):
        return text


def _indented(texts: list[str]) -> str:
    """Returns JSON with its structure in sight, one after the other.

    Raises:
        ValueError: A text is no JSON; or all together become very long, for what is nested deep is mostly spaces.
    """
    parts, length = [], 0
    for text in texts:
        for part in _ENCODER.iterencode(json.loads(text)):
            length += len(part)
            if length > _MOST_INDENTED:
                raise ValueError(f"longer than {_MOST_INDENTED} characters")
            parts.append(part)
        parts.append("\n")
    return "".join(parts[:-1])


def markdown(text: str) -> "Markup":
    """Renders a text of unknown origin: no HTML of its own, no images, and headings below those of the page."""
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    tokens = parser.parse(visible(text))
    for token, after in zip_longest(tokens, tokens[1:]):
        if token.type == "th_open" and after is not None and not after.content:
            token.tag = "td"  # a heading of nothing confuses who hears the table
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(_DEEPEST_HEADING, int(token.tag[1:]) + _PAGE_HEADINGS)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))
