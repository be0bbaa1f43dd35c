"""The pages, as far as it can be known without running anything: links, snippets, and commands of other programs."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gemini_sft.experiment import Experiment
from launcher.buckets import make_command
from launcher.target import Target
from tests.unit.test_documented_commands import PAGES, ROOT

LONGEST_LINE = 125
WHOLE: dict[str, Any] = {
    "name": "demo",
    "task": "summarization",
    "base_model": "gemini-3.1-flash-lite",
    "data": {"train": "train.jsonl", "test": "test.jsonl"},
}
BLOCK = re.compile(r"^```([a-z]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return BLOCK.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """What a link can name in a page, as GitHub makes it of headings."""
    heads = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def broken(page: Path, text: str) -> Iterator[str]:
    """The links of a text that stands in a page and that lead nowhere."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        place, _, anchor = target.partition("#")
        file = page.parent / place if place else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            yield target


def snippets(language: str) -> list[tuple[str, str]]:
    """The code blocks in a language, with the page that each is on."""
    found = ((name_of(page), BLOCK.findall(page.read_text("utf-8"))) for page in PAGES)
    return [(page, text) for page, blocks in found for kind, text in blocks if kind == language]


def experiments() -> list[tuple[str, str]]:
    """The code blocks that show an experiment or a part of one, in YAML or as text with remarks at the side."""
    parts = "|".join(Experiment.model_fields)
    return snippets("yaml") + [one for one in snippets("text") if re.match(rf"({parts}):", one[1])]


def merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return one | {
        key: merged(one[key], value) if isinstance(value, dict) and isinstance(one.get(key), dict) else value
        for key, value in other.items()
    }


def commands_of_gcloud() -> list[tuple[str, str]]:
    """Each page's gcloud commands, also those in the middle of a line, with something in the place of variables."""
    found = []
    for page in PAGES:
        text = page.read_text("utf-8").replace("\\\n", " ")
        code = [block for _, block in BLOCK.findall(text)] + re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))
        lines = [line for part in code for line in re.findall(r"\bgcloud [a-z](?:[^|()\n]|\([^)\n]*\))*", part)]
        found += [(name_of(page), re.sub(r"\$\{?\w+\}?", "some", line).strip()) for line in lines]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_and_their_anchors_lead_somewhere(page: Path) -> None:
    assert list(broken(page, prose(page))) == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    text = "[a](docs/data.md#checks) [b](docs/data.md#cheques) [c](docs/dates.md) [d](#commands) [e](https://x.org/y)"
    assert list(broken(ROOT / "README.md", text)) == ["docs/data.md#cheques", "docs/dates.md"]


def test_every_page_can_be_reached_from_the_readme() -> None:
    readme = ROOT / "README.md"
    reached, ahead = set(), [readme]
    while ahead:
        page = ahead.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = re.findall(r"\]\(([^)#\s]+\.md)[)#]", prose(page))
        ahead += [(page.parent / one).resolve() for one in targets if "://" not in one]
    assert {*PAGES} <= reached
    shown = {(readme.parent / one).resolve() for one in re.findall(r"\]\(([^)#\s]+\.md)", prose(readme))}
    assert {page for page in PAGES if page.parent.name == "docs"} <= shown, "the front door leads to every page"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lines_are_short_but_in_tables(page: Path) -> None:
    long = [line for line in prose(page).splitlines() if len(line) > LONGEST_LINE and not line.startswith("|")]
    assert long == []


@pytest.mark.parametrize(("page", "text"), experiments())
def test_shown_experiments_are_such(page: str, text: str) -> None:
    Experiment.model_validate(merged(WHOLE, yaml.safe_load(text)))


def test_experiments_are_shown() -> None:
    assert len(experiments()) > 15


@pytest.mark.parametrize(("page", "text"), snippets("json"))
def test_shown_json_is_such(page: str, text: str) -> None:
    decoder, rest = json.JSONDecoder(), text.strip()
    while rest:
        _, end = decoder.raw_decode(rest)
        rest = rest[end:].strip()


@pytest.mark.parametrize(("page", "text"), snippets("sh"))
def test_shown_scripts_are_such(page: str, text: str) -> None:
    done = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_terraform_is_told_what_it_knows() -> None:
    said = {line for page in PAGES for line in re.findall(r"\bterraform [a-z]+[^`\n]*", page.read_text("utf-8"))}
    shown = {line.partition("#")[0].strip() for line in said}
    assert (
        {"terraform init", "terraform apply"}
        <= shown
        <= {
            *("terraform init", "terraform apply", "terraform fmt", "terraform validate", "terraform plan"),
        }
    )


def test_gcloud_takes_every_command(tmp_path: Path) -> None:
    shown = [line for _, line in commands_of_gcloud()]
    assert len(shown) > 15
    told = [make_command(Target("my-project", "us-central1", "some"))]
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        pytest.skip("no gcloud on this machine")
    wrong = "gcloud storage buckets create gs://some --no-such-flag"
    (tmp_path / "commands.json").write_text(
        json.dumps([{"command_string": line} for line in (*dict.fromkeys([*shown, *told]), wrong)])
    )
    # Reads the commands with gcloud's own parsers, runs none, and asks nobody.
    done = subprocess.run(
        [gcloud, "meta", "lint-gcloud-commands", f"--commands-file={tmp_path / 'commands.json'}"],
        env={
            "PATH": os.environ["PATH"],
            "CLOUDSDK_CONFIG": str(tmp_path),
            "CLOUDSDK_CORE_PROJECT": "my-project",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    refused = {one["command_string"]: one["error_message"] for one in json.loads(done.stdout) if not one["success"]}
    assert refused.keys() == {wrong}, refused
