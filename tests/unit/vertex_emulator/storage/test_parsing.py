"""Globs, and multipart bodies however the network cuts them."""

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from vertex_emulator.storage.errors import StorageError
from vertex_emulator.storage.globs import glob_pattern
from vertex_emulator.storage.related import RelatedBody


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.txt", ["a.txt", ".txt"], ["a/b.txt", "a.txt2"]),
        ("**.txt", ["a.txt", "a/b.txt"], ["a.json"]),
        ("a/**/z", ["a/b/z", "a/b/c/z"], ["b/z"]),
        ("?", ["a", "ü"], ["/", "ab", ""]),
        ("[a-c]x", ["ax", "cx"], ["dx"]),
        ("[!a-c]x", ["dx"], ["ax"]),
        ("{a,b*}.txt", ["a.txt", "bc.txt"], ["c.txt"]),
        ("{a,{b,c}}", ["a", "b", "c"], ["{b"]),
        ("a,b", ["a,b"], ["a"]),
        (r"\*", ["*"], ["a"]),
        ("a.b+c(d)", ["a.b+c(d)"], ["axb+c(d)"]),
        ("**", ["a\tb/c"], []),
    ],
)
def test_glob(glob: str, yes: list[str], no: list[str]) -> None:
    pattern = glob_pattern(glob)
    assert all(pattern.fullmatch(name) for name in yes)
    assert not any(pattern.fullmatch(name) for name in no)


@pytest.mark.parametrize("glob", ["{a", "a}", "}{", "[z-a]"])
def test_senseless_glob(glob: str) -> None:
    with pytest.raises(StorageError, match="matchGlob"):
        glob_pattern(glob)


def _request(chunks: list[bytes]) -> Request:
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Any:
        return messages.pop(0)

    headers = [(b"content-type", b'multipart/related; boundary="=B="')]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def _read(chunks: list[bytes]) -> tuple[dict[str, Any], str | None, bytes]:
    body = RelatedBody(_request(chunks))
    metadata, content_type = await body.metadata(), await body.content_type()
    return metadata, content_type, b"".join([chunk async for chunk in body.content()])


@settings(deadline=None)
@given(
    content=st.lists(st.sampled_from([b"\r\n", b"--", b"=B", b"=B=", b"\r\n--=B", b"x", b"\0"]), max_size=12).map(
        b"".join
    ),
    cuts=st.lists(st.integers(0, 200), max_size=10),
)
def test_multipart_body_in_any_pieces(content: bytes, cuts: list[int]) -> None:
    if b"\r\n--=B=" in b"\r\n" + content:
        content = b""
    raw = b'--=B=\r\nContent-Type: application/json\r\n\r\n{"name": "n"}\r\n--=B=\r\ncontent-type: text/x\r\n\r\n'
    raw += content + b"\r\n--=B=--"
    places = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    chunks = [raw[start:end] for start, end in itertools.pairwise(places)]
    assert asyncio.run(_read(chunks)) == ({"name": "n"}, "text/x", content)
