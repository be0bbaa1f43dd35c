"""The page that explains messages quotes what the code really says."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
ANY = "…"


def shape(node: ast.AST) -> str:
    """A text of the source, with `…` for what is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(shape(part) for part in node.values)
    return ANY


@cache
def said() -> list[str]:
    """Every text in the code that can be a message."""
    sources = [path for place in ("gemini_sft", "launcher", "vertex_emulator") for path in (ROOT / place).rglob("*.py")]
    nodes = (node for path in sources for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    return [shape(node) for node in nodes if isinstance(node, ast.Constant | ast.JoinedStr)]


def quoted() -> list[str]:
    """The messages that the page explains: what stands in ticks in the first column and reads like a sentence."""
    cells = (line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| ") and "---" not in line)
    return [text for cell in cells for text in re.findall(r"`([^`]+)`", cell) if " " in text]


def test_page_quotes_messages() -> None:
    assert len(quoted()) > 20


@pytest.mark.parametrize("message", quoted())
def test_message_is_said_somewhere(message: str) -> None:
    pieces = [re.escape(piece) for piece in message.split(ANY)]
    pattern = re.compile(".*".join(pieces), re.DOTALL)
    assert any(pattern.search(text) for text in said()), f"nothing in the code says: {message}"
