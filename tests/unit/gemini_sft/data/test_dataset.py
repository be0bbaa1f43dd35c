import json
from pathlib import Path
from typing import Any

import pytest

from gemini_sft.data import read_split
from gemini_sft.data.dataset import examples_uri, has_examples, read_fingerprint, read_sources
from gemini_sft.data.preparing import prepare
from gemini_sft.experiment import Data, Experiment, Prompt, Task

RECORD = {"contents": [{"role": "user", "parts": [{"text": "Q"}]}, {"role": "model", "parts": [{"text": "A"}]}]}


def prepared(folder: Path, train: list[dict[str, Any]], test: list[dict[str, Any]], **prompt: Any) -> Path:
    for name, records in (("train", train), ("test", test)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    data = Data(train=str(folder / "train.jsonl"), test=str(folder / "test.jsonl"))
    experiment = Experiment(
        name="demo",
        task=Task.QUESTION_ANSWERING,
        base_model="gemini-2.5-flash",
        data=data,
        prompt=Prompt(**prompt),
    )
    splits = [str(folder / name) for name in ("train", "validation", "test")]
    _, problems = prepare(experiment, splits, str(folder / "findings.jsonl"))
    assert problems == []
    return folder


def test_gemini_is_given_the_record_and_nothing_else(tmp_path: Path) -> None:
    row = {"context": "C", "question": "Q", "answers": ["A", "B"]}
    folder = prepared(tmp_path, [RECORD], [row], system_instruction="S")
    (line,) = Path(examples_uri(str(folder / "train"))).read_text().splitlines()
    assert json.loads(line) == {"systemInstruction": {"parts": [{"text": "S"}]}} | RECORD
    (one,) = read_split(str(folder / "test"))
    assert set(one.record) == {"systemInstruction", "contents"}
    assert (one.system_instruction, one.prompt_text, one.target) == ("S", "Context: C\nQuestion: Q", "A")
    assert one.references == ("A", "B")


def test_what_stands_beside_the_records(tmp_path: Path) -> None:
    folder = prepared(tmp_path, [RECORD], [{"prompt": "P", "completion": "C"}])
    (source,) = read_sources(str(folder / "train"))
    assert source == {"id": source["id"], "source": str(folder / "train.jsonl"), "line": 1}
    assert read_split(str(folder / "train"))[0].references == ("A",)
    assert read_fingerprint(str(folder / "train")) == read_fingerprint(str(folder / "test"))


def test_an_empty_split_is_a_split(tmp_path: Path) -> None:
    folder = prepared(tmp_path, [RECORD], [{"prompt": "P", "completion": "C"}])
    assert read_split(str(folder / "validation")) == []
    assert not has_examples(str(folder / "validation")) and has_examples(str(folder / "test"))


def test_a_split_whose_files_differ_in_length_is_not_read_by_halves(tmp_path: Path) -> None:
    folder = prepared(tmp_path, [RECORD], [{"prompt": "P", "completion": "C"}])
    (folder / "train" / "sources.jsonl").write_text("")
    with pytest.raises(ValueError, match="shorter"):
        read_split(str(folder / "train"))
