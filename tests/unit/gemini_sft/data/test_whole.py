from pathlib import Path
from typing import Any

import pytest

from gemini_sft.data import whole
from tests.unit.gemini_sft.data.cases.case import chat, contents, jsonl, pair
from tests.unit.gemini_sft.data.preparation import Prepared, prepared


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in the folder of the files, and lets splits be small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(whole, "FEW_TRAIN", 1)
    monkeypatch.setattr(whole, "FEW_TEST", 1)


def run(train: bytes, test: bytes | None, task: str = "generation", **more: Any) -> Prepared:
    Path("train.jsonl").write_bytes(train)
    if test is not None:
        Path("test.jsonl").write_bytes(test)
    return prepared(Path("out"), "train.jsonl", None if test is None else "test.jsonl", task=task, **more)


def labelled(*names: str) -> bytes:
    return jsonl(*({"text": f"{'-'.join(names)} {number}", "label": name} for number, name in enumerate(names)))


def test_labels_are_counted_the_most_frequent_first() -> None:
    outcome = run(labelled("b", "a", "c", "c"), labelled("a", "b", "c"), "classification")
    assert list(outcome.summary.splits["train"].labels.items()) == [("c", 2), ("b", 1), ("a", 1)]
    assert list(outcome.summary.splits["test"].labels) == ["a", "b", "c"]
    assert outcome.summary.splits["validation"].labels == {}


def test_of_two_spellings_the_more_frequent_is_the_right_one() -> None:
    outcome = run(labelled("No", "no", "no", "yes"), labelled("no", "yes"), "classification")
    assert outcome.told == [("label_spelling", "train.jsonl:1", "has the label 'No' where others have 'no'")]


def test_labels_of_conversations_are_labels() -> None:
    outcome = run(
        jsonl(chat("a", "A"), chat("b", "B")), jsonl(chat("x", "C"), chat("y", "A"), chat("z", "B")), "classification"
    )
    assert outcome.told == [("label", "test.jsonl:1", "has the label 'C', which is none of 'A', 'B'")]


def test_one_target_may_be_frequent_in_a_classification() -> None:
    assert run(labelled(*"a" * 19, "b"), labelled("a", "b"), "classification").told == []


def test_half_of_the_targets_may_be_the_same() -> None:
    records = [pair(f"a{number}", str(min(number, 5))) for number in range(10)]
    assert run(jsonl(*records), jsonl(pair("x"))).told == []


def test_the_limit_of_a_file_is_that_of_the_train_file_that_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    train = jsonl(*(pair(f"a{number}", str(number)) for number in range(100)))
    size = len(run(train, None).written["train/examples.jsonl"])
    monkeypatch.setattr(whole, "MAX_TRAIN_BYTES", size)
    assert run(train, None).told == []


def test_the_system_instruction_counts_for_the_limit_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    train = jsonl(*(pair(f"a{number}", str(number)) for number in range(100)))
    monkeypatch.setattr(whole, "MAX_TRAIN_BYTES", 50_000)
    outcome = run(train, jsonl(pair("x")), prompt={"system_instruction": "Be kind. " * 100})
    assert [rule for rule, _, _ in outcome.told] == ["file_size"]


def test_the_usual_system_instruction_is_that_of_train() -> None:
    same = contents(("user", "a"), ("model", "b"), systemInstruction={"parts": [{"text": "Be "}, {"text": "kind."}]})
    outcome = run(jsonl(same, same | contents(("user", "b"), ("model", "c"))), jsonl(chat("x", system="Be kind.")))
    assert outcome.told == []


def test_an_instruction_of_the_experiment_is_one_of_its_own_records_too() -> None:
    # The records that bring none are given the same one: nothing differs.
    train = jsonl(chat("a", system="Be kind."), chat("b"))
    assert run(train, jsonl(chat("x")), prompt={"system_instruction": "Be kind."}).told == []


def test_the_numbers_of_a_split() -> None:
    records = [pair("a" * length, "b") for length in (1, 2, 3, 4, 100)]
    summary = run(jsonl("no JSON", *records, records[0]), jsonl(pair("x")), data={"policy": {"json": "drop"}}).summary
    train = summary.splits["train"]
    assert (train.examples, train.dropped, train.files) == (5, 2, ["train.jsonl"])
    assert train.prompt_characters is not None and train.target_characters is not None
    assert train.prompt_characters.model_dump() == {"mean": 22.0, "minimum": 1, "median": 3, "p95": 100, "maximum": 100}
    assert train.target_characters.maximum == 1
    assert train.histogram == [0, 1, 2, 1, 0, 0, 0, 1]
    assert summary.splits["validation"].model_dump() == {
        "examples": 0,
        "dropped": 0,
        "files": [],
        "prompt_characters": None,
        "target_characters": None,
        "histogram": [],
        "labels": {},
    }
    assert (summary.errors, [one.rule for one in summary.rules]) == (0, ["duplicate", "json"])


def test_errors_stand_first_and_are_counted() -> None:
    lines = jsonl(*["no JSON"] * 30) + jsonl(pair("a"), pair("a"), pair("b", ""), pair("c"))
    outcome = run(lines, jsonl(pair("x")))
    rules = [(one.rule, one.policy, one.count, len(one.first)) for one in outcome.summary.rules]
    assert rules == [("json", "error", 30, 20), ("empty_target", "error", 1, 1), ("duplicate", "drop", 1, 1)]
    assert outcome.summary.errors == 31
    assert len(outcome.problems) == 22
    assert outcome.problems[20] == "not JSON: 10 more findings of the rule json"
