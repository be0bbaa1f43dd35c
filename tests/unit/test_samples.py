"""The data that the project ships is enough, reads without a finding that matters, and does not leak."""

import re
from pathlib import Path

import pytest

from gemini_sft.data import Example, read_split
from gemini_sft.data.preparing import prepare
from gemini_sft.data.summary import DataSummary
from gemini_sft.experiment import Task, load_experiment
from gemini_sft.experiment.files import complete

ROOT = Path(__file__).parents[2]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
LEAST = {"train": 140, "validation": 20, "test": 60}
Prepared = tuple[DataSummary, dict[str, list[Example]]]


@pytest.fixture(scope="module", params=EXPERIMENTS, ids=lambda file: file.stem)
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp(request.param.stem)
    experiment = complete(load_experiment(str(request.param)), str(request.param))
    summary, problems = prepare(experiment, [str(folder / name) for name in LEAST], str(folder / "findings.jsonl"))
    assert not problems
    return summary, {name: read_split(str(folder / name)) for name in LEAST}


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def test_every_task_has_an_experiment() -> None:
    assert {load_experiment(str(file)).task for file in EXPERIMENTS} == set(Task)


def test_there_is_enough_of_each_split(prepared: Prepared) -> None:
    for split, least in LEAST.items():
        assert len(prepared[1][split]) >= least, split


def test_nothing_is_found_in_it(prepared: Prepared) -> None:
    assert [one.rule for one in prepared[0].rules] == []


def test_no_prompt_is_in_two_splits_nor_twice_in_one(prepared: Prepared) -> None:
    """Compared by their words alone, so that a comma more or less hides nothing."""
    seen: dict[str, str] = {}
    for split, examples in prepared[1].items():
        for one in examples:
            place = f"{split}, {one.source}:{one.line}"
            assert seen.setdefault(words(one.prompt_text), place) == place


def test_the_readme_counts_right() -> None:
    for folder in sorted((ROOT / "samples").iterdir()):
        readme = (folder / "README.md").read_text("utf-8")
        for file in folder.iterdir():
            assert file.name == "README.md" or f"`{file.name}`" in readme, file
