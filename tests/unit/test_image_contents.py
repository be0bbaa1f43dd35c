"""What the image is made of, and what it must hold."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import gemini_sft

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKED = re.compile(r"^([a-z0-9-]+)==(\S+)(.*?)\\$((?:\n +--hash=\S+(?: \\)?)+)", re.MULTILINE)
TERMINAL_ONLY = {"rich"}


def locked(name: str) -> dict[tuple[str, str], set[str]]:
    """Returns the hashes of each package and version in a lock file."""
    found = LOCKED.findall((ROOT / name).read_text("utf-8"))
    return {(package, version): set(re.findall(r"--hash=(\S+)", hashes)) for package, version, _, hashes in found}


def test_the_image_has_the_versions_that_all_else_has() -> None:
    image, everything = locked("requirements-image.txt"), locked("requirements.txt")
    assert len(everything) > len(image) > 50
    assert image.items() <= everything.items()


def test_the_image_does_without_what_only_the_command_line_and_the_emulator_need() -> None:
    names = {name for name, _ in locked("requirements-image.txt")}
    assert "kfp" in names
    others = {"typer", "rich", "uvicorn", "starlette", "httptools", "kubernetes", "rouge-score"}
    assert not names & (others | {"google-cloud-aiplatform", "google-cloud-pipeline-components"})


def test_the_image_has_whatever_the_library_imports() -> None:
    distributions = packages_distributions()
    names = {name for name, _ in locked("requirements-image.txt")}
    for path in sorted((ROOT / "gemini_sft").rglob("*.py")):
        for module in imported(path):
            top = module.partition(".")[0]
            if top in sys.stdlib_module_names | {"gemini_sft"} | TERMINAL_ONLY:
                continue
            candidates = {name.lower().replace("_", "-") for name in distributions[top]}
            if top == "google":  # whose packages share a namespace
                candidates = {name for name in candidates if belongs(name, module)}
            assert candidates & names, f"{path.relative_to(ROOT)} imports {module}, which the image does not have"


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def belongs(distribution: str, module: str) -> bool:
    """Returns whether a module of Google's namespace is of a distribution, going by their names."""
    parts = module.split(".")
    return any(distribution == "-".join(parts[:length]).replace("_", "-") for length in (2, 3))


def test_its_labels_are_the_projects() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', (ROOT / "Dockerfile").read_text("utf-8")))
    assert (
        labels["version"] == PROJECT["version"] == gemini_sft.__version__ and labels["licenses"] == PROJECT["license"]
    )
    assert labels["title"] and labels["description"]


def test_cloud_build_is_sent_what_docker_is() -> None:
    docker, cloud = ((ROOT / name).read_text("utf-8") for name in (".dockerignore", ".gcloudignore"))
    assert {"Dockerfile", *re.findall(r"^!(.+)", docker, re.MULTILINE)} == set(
        re.findall(r"^!/(.+)", cloud, re.MULTILINE)
    )
    assert docker.startswith("*\n") and re.search(r"^/\*$", cloud, re.MULTILINE)
