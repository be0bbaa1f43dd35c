import json
from pathlib import Path

import pytest

from gemini_sft.data import read_split
from gemini_sft.errors import DataError
from gemini_sft.steps.prepare_data import prepare_data

VALID = {"name": "demo", "task": "summarization", "base_model": "gemini-2.5-flash"}


def prepare(folder: Path, data: dict[str, str], instruction: str | None = None) -> dict[str, float]:
    document = VALID | {"data": data, "prompt": {"system_instruction": instruction}}
    (folder / "x.yaml").write_text(json.dumps(document))
    return prepare_data(
        experiment_uri=str(folder / "x.yaml"),
        train_uri=str(folder / "train"),
        validation_uri=str(folder / "validation"),
        test_uri=str(folder / "test"),
    )


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "a.csv").write_text("input_text,output_text\nab,c\nabcd,efg\n")
    (tmp_path / "b.csv").write_text("input_text,output_text\nx,y\n")
    return {"train": str(tmp_path / "a.csv"), "test": str(tmp_path / "b.csv")}


def test_the_splits_and_their_numbers(tmp_path: Path, files: dict[str, str]) -> None:
    assert prepare(tmp_path, files, "Be kind.") == {
        "train_examples": 2,
        "train_mean_prompt_characters": 3.0,
        "train_mean_target_characters": 2.0,
        "validation_examples": 0,
        "test_examples": 1,
        "test_mean_prompt_characters": 1.0,
        "test_mean_target_characters": 1.0,
    }
    train, test = read_split(str(tmp_path / "train")), read_split(str(tmp_path / "test"))
    assert [(one.prompt_text, one.target, one.source, one.line) for one in train] == [
        ("ab", "c", "a.csv", 2),
        ("abcd", "efg", "a.csv", 3),
    ]
    assert {one.system_instruction for one in train + test} == {"Be kind."}
    assert read_split(str(tmp_path / "validation")) == []


def test_a_validation_split_that_is_named(tmp_path: Path, files: dict[str, str]) -> None:
    metrics = prepare(tmp_path, files | {"validation": files["test"]})
    assert metrics["validation_examples"] == 1
    assert read_split(str(tmp_path / "validation")) == read_split(str(tmp_path / "test"))


def test_a_bad_file(tmp_path: Path, files: dict[str, str]) -> None:
    Path(files["test"]).write_text("input_text,output_text\nx,\n")
    with pytest.raises(DataError) as caught:
        prepare(tmp_path, files)
    assert str(caught.value) == "b.csv:2: turn 2 (the model's) is empty"
