"""The step that prepares the data, on files."""

import json
from pathlib import Path
from typing import Any

import pytest

from gemini_sft.data import read_split
from gemini_sft.data.summary import DataSummary
from gemini_sft.errors import DataError, ExperimentError
from gemini_sft.steps.prepare_data import numbers, prepare_data

VALID: dict[str, Any] = {"name": "demo", "task": "summarization", "base_model": "gemini-2.5-flash"}


def prepare(folder: Path, data: dict[str, Any], instruction: str | None = None) -> DataSummary:
    document = VALID | {"data": data, "prompt": {"system_instruction": instruction}}
    (folder / "x.yaml").write_text(json.dumps(document))
    return prepare_data(
        experiment_uri=str(folder / "x.yaml"),
        train_uri=str(folder / "train"),
        validation_uri=str(folder / "validation"),
        test_uri=str(folder / "test"),
        findings_uri=str(folder / "findings.jsonl"),
        summary_uri=str(folder / "summary.json"),
        report_uri=str(folder / "data.html"),
    )


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("input_text,output_text\nab,c\nabcd,efg\n")
    (tmp_path / "b.csv").write_text("input_text,output_text\nx,y\n")
    return {"train": str(tmp_path / "a.csv"), "test": str(tmp_path / "b.csv")}


def test_the_splits_and_their_numbers(tmp_path: Path, files: dict[str, str]) -> None:
    assert numbers(prepare(tmp_path, files, "Be kind.")) == {
        "train_examples": 2,
        "train_left_out": 0,
        "train_mean_prompt_characters": 3.0,
        "train_mean_target_characters": 2.0,
        "validation_examples": 0,
        "validation_left_out": 0,
        "test_examples": 1,
        "test_left_out": 0,
        "test_mean_prompt_characters": 1.0,
        "test_mean_target_characters": 1.0,
        "findings_too_few_examples": 2,
    }
    train, test = read_split(str(tmp_path / "train")), read_split(str(tmp_path / "test"))
    assert [(one.prompt_text, one.target, one.source, one.line) for one in train] == [
        ("ab", "c", "a.csv", 2),
        ("abcd", "efg", "a.csv", 3),
    ]
    assert {one.system_instruction for one in train + test} == {"Be kind."}
    assert read_split(str(tmp_path / "validation")) == []
    assert "The data can be used" in (tmp_path / "data.html").read_text()


def test_training_data_as_test_data_stop_the_run(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(DataError) as caught:
        prepare(tmp_path, files | {"test": files["train"]})
    assert str(caught.value).splitlines() == [
        f"a.csv:{line}: has the prompt of a.csv:{line} in test: keep it in one, or set the policy to drop"
        for line in (2, 3)
    ]


def test_a_bad_file_leaves_report_and_findings_but_no_split(tmp_path: Path, files: dict[str, str]) -> None:
    Path(files["test"]).write_text("input_text,output_text\nx,\nz,a\n")
    with pytest.raises(DataError) as caught:
        prepare(tmp_path, files)
    assert str(caught.value) == "b.csv:2: turn 2 (the target) is empty: fill it, or leave the record out"
    assert "b.csv:2" in (tmp_path / "data.html").read_text()
    found = [json.loads(line) for line in (tmp_path / "findings.jsonl").read_text().splitlines()]
    assert ("empty_target", "b.csv", 2, "error") in [
        (one["rule"], one["source"], one["line"], one["policy"]) for one in found
    ]
    assert not (tmp_path / "train").exists()


def test_a_metric_of_ones_own_that_cannot_be_loaded_is_found_before_anything_else(
    tmp_path: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VALID, "evaluation", {"metrics": [str(tmp_path / "own.py:f")]})
    with pytest.raises(ExperimentError, match=r"own\.py: there is no such file"):
        prepare(tmp_path, files)
    assert not (tmp_path / "data.html").exists()


def test_a_gate_that_rests_on_what_is_not_there_is_found_before_anything_else(
    tmp_path: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VALID, "gate", {"metric": "rougel_f"})
    with pytest.raises(ExperimentError, match=r"^gate\.metric: rougel_f is no metric .*: did you mean rougeL_f\?$"):
        prepare(tmp_path, files)
    assert not (tmp_path / "data.html").exists()


def test_a_guard_that_could_never_hold_is_found_when_test_is_known(
    tmp_path: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VALID, "gate", {"guards": [{"slice": "language=de"}]})
    rows = "".join(f"prompt {n},answer {n},{('de', 'en')[n < 10]}\n" for n in range(19))
    Path(files["test"]).write_text("input_text,output_text,language\n" + rows)
    (tmp_path / "a.csv").write_text("input_text,output_text,language\nab,c,de\n")
    sliced = files | {"slices": ["language"]}
    with pytest.raises(ExperimentError, match=r"^gate\.guards\.0\.slice: language=de has 9 test examples, and a guard"):
        prepare(tmp_path, sliced)
    monkeypatch.setitem(VALID, "gate", {"guards": [{"slice": "language=en"}]})
    prepare(tmp_path, sliced)
