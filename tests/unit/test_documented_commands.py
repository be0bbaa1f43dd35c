"""Every `gemini-sft` command that any page shows is one that the command line takes, and every `make` a target.

Those that can run on this machine are run in tests/end_to_end/test_documents.py; of those for Vertex AI this much
can be known without it.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from launcher.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(ROOT.glob("[a-z]*/README.md")),
]
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def commands(page: Path, program: str) -> list[str]:
    """The commands of a page: lines of its code blocks, and what stands in ticks."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    fenced = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in fenced for line in block.splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines += [" ".join(one.split()) for one in re.findall(r"`([^`]+)`", prose)]
    return list(dict.fromkeys(line.split("  #")[0] for line in lines if line.startswith(f"{program} ")))


SHOWN = [(page.relative_to(ROOT).as_posix(), one) for page in PAGES for one in commands(page, "gemini-sft")]
MADE = [(page.relative_to(ROOT).as_posix(), one) for page in PAGES for one in commands(page, "make")]


def parse(command: str) -> None:
    """Reads a command as the command line does, and runs nothing; what may be left out is given."""
    words = shlex.split(command.replace("[", "").replace("]", ""))[1:]
    level: Any = typer.main.get_command(app)
    context = level.make_context("gemini-sft", words)
    while hasattr(level, "commands"):
        name, level, words = level.resolve_command(context, [*context._protected_args, *context.args])
        if "--help" in words:
            return
        context = level.make_context(name, words, parent=context)


def test_pages_show_commands() -> None:
    assert len(SHOWN) > 20
    assert len(MADE) > 3


@pytest.mark.parametrize(("page", "command"), SHOWN)
def test_command_is_taken(page: str, command: str) -> None:
    try:
        parse(command)
    except typer._click.exceptions.MissingParameter:
        # In running text a command may be called by its name alone.
        assert len(command.split()) <= 5, command


@pytest.mark.parametrize(("page", "command"), MADE)
def test_target_is_there(page: str, command: str) -> None:
    names = [word for word in command.split()[1:] if "=" not in word and not word.startswith("-")]
    assert set(names) <= set(TARGETS)


@pytest.mark.parametrize("command", ["gemini-sft walk x.yaml", "gemini-sft run x.yaml --on moon", "gemini-sft report"])
def test_what_the_command_line_does_not_take_is_found(command: str) -> None:
    with pytest.raises(typer._click.exceptions.UsageError):
        parse(command)
