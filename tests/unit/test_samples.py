"""The data that the project ships is enough, reads without a problem, and does not leak."""

import re
from pathlib import Path

import pytest

from gemini_sft.data import Example, read_examples
from gemini_sft.experiment import load_experiment

ROOT = Path(__file__).parents[2]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
LEAST = {"train": 150, "validation": 30, "test": 60}


@pytest.fixture(params=EXPERIMENTS, ids=lambda file: file.stem)
def splits(request: pytest.FixtureRequest) -> dict[str, list[Example]]:
    data = load_experiment(str(request.param)).data.model_dump()
    return {split: read_examples(str(request.param.parent / data[split]), None) for split in LEAST}


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def test_there_is_a_sample() -> None:
    assert EXPERIMENTS


def test_there_is_enough_of_each_split(splits: dict[str, list[Example]]) -> None:
    for split, least in LEAST.items():
        assert len(splits[split]) >= least, split


def test_no_text_is_in_two_splits_nor_twice_in_one(splits: dict[str, list[Example]]) -> None:
    """Compared by their words alone, so that a comma more or less hides nothing."""
    for part in ("prompt_text", "target"):
        seen: dict[str, str] = {}
        for split, examples in splits.items():
            for one in examples:
                place = f"{split} line {one.line}"
                assert seen.setdefault(words(getattr(one, part)), place) == place


def test_no_opening_is_in_training_and_test(splits: dict[str, list[Example]]) -> None:
    opening = {split: {words(one.prompt_text)[:60] for one in examples} for split, examples in splits.items()}
    assert not (opening["train"] | opening["validation"]) & opening["test"]


def test_the_readme_counts_right() -> None:
    folder = ROOT / "samples" / "summarization"
    rows = re.findall(r"^\| `([\w.]+)` \| (\d+) \|", (folder / "README.md").read_text("utf-8"), re.MULTILINE)
    assert {name for name, _ in rows} == {file.name for file in folder.iterdir()} - {"README.md"}
    for name, count in rows:
        assert len(read_examples(str(folder / name), None)) == int(count), name
