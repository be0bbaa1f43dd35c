"""The house: which way imports may point."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSE = {"gemini_sft", "launcher", "vertex_emulator", "components", "pipelines", "kfp"}
ALLOWED = {
    "gemini_sft": {"gemini_sft"},
    "vertex_emulator": {"vertex_emulator", "kfp"},
    "components": {"components", "kfp"},
    "pipelines": {"pipelines", "components", "kfp"},
    "launcher": {"launcher", "pipelines", "gemini_sft", "kfp"},
}
DOWNWARDS = [
    "steps", "notification", "report", "release", "retraining", "decision", "judging", "tuning", "inference", "metrics",
    "cost", "data", "experiment", "catalog",
]  # fmt: skip


def imports(path: Path, *, inside_functions: bool) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    nodes = ast.walk(tree) if inside_functions else iter(tree.body)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by a relative name"
            yield node.module or ""


def files(place: str) -> list[Path]:
    found = sorted((ROOT / place).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("place", sorted(ALLOWED))
def test_imports_point_one_way(place: str) -> None:
    for path in files(place):
        # A component imports the library inside its body, which runs in the task.
        for name in imports(path, inside_functions=place != "components"):
            top = name.partition(".")[0]
            assert top not in HOUSE or top in ALLOWED[place], f"{path.relative_to(ROOT)} imports {name}"


def test_data_flows_downwards_in_the_library() -> None:
    for path in files("gemini_sft"):
        place = path.relative_to(ROOT / "gemini_sft").parts[0]
        if place not in DOWNWARDS:
            continue
        for name in imports(path, inside_functions=True):
            parts = name.split(".")
            if parts[0] == "gemini_sft" and len(parts) > 1 and parts[1] in DOWNWARDS:
                upwards = DOWNWARDS.index(parts[1]) < DOWNWARDS.index(place)
                assert not upwards, f"{path.relative_to(ROOT)} imports {name}, which stands above it"


def test_library_does_not_ask_where_it_runs() -> None:
    for path in files("gemini_sft"):
        tree = ast.parse(path.read_text("utf-8"))
        names = {node.id.lower() for node in ast.walk(tree) if isinstance(node, ast.Name)}
        texts = {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert not any("emulator" in name or "is_local" in name for name in names), path
        assert not any(re.search(r"127\.0\.0\.1|(://|@)localhost|localhost[:/]", text) for text in texts), path


def test_no_file_grows_beyond_its_subject() -> None:
    for place in ALLOWED:
        for path in files(place):
            assert len(path.read_text("utf-8").splitlines()) <= 500, path


def test_experiment_page_is_made_from_the_schema() -> None:
    from gemini_sft.experiment.reference import reference

    page = (ROOT / "docs" / "experiment.md").read_text("utf-8")
    assert page == reference(), "renew it: python -m gemini_sft.experiment.reference > docs/experiment.md"
