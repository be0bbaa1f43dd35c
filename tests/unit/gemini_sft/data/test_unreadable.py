"""Right answers that no metric could read, found before anything is paid for; and the label set beside a split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gemini_sft.data import whole
from gemini_sft.data.dataset import read_labels
from tests.unit.gemini_sft.data.cases.case import chat, jsonl, messages, pair
from tests.unit.gemini_sft.data.preparation import Prepared, prepared

JAPANESE = "東京です。"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in the folder of the files, and lets splits be small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(whole, "FEW_TRAIN", 1)
    monkeypatch.setattr(whole, "FEW_TEST", 1)


def run(
    train: bytes, test: bytes | None, task: str, tokenizer: str = "ascii", data: Mapping[str, Any] | None = None
) -> Prepared:
    Path("train.jsonl").write_bytes(train)
    Path("test.jsonl").write_bytes(test or b"")
    name = None if test is None else "test.jsonl"
    return prepared(Path("out"), "train.jsonl", name, task=task, data=data, evaluation={"tokenizer": tokenizer})


def found(outcome: Prepared) -> list[str]:
    return [place for rule, place, _ in outcome.told if rule == "unreadable_target"]


@pytest.mark.parametrize("task", ["summarization", "chat", "generation"])
def test_it_is_found_where_answers_are_compared_by_words(task: str) -> None:
    train = jsonl(chat("a", JAPANESE), chat("b", "yes"))
    test = jsonl(chat("x", JAPANESE), chat("y", "yes"))
    outcome = run(train, test, task)
    assert found(outcome) == ["test.jsonl:1"]
    (problem,) = outcome.problems
    assert "set evaluation.tokenizer to unicode" in problem and JAPANESE not in problem
    assert found(run(train, test, task, "unicode")) == []
    assert found(run(train, jsonl(chat("x", "…"), chat("y", "yes")), task, "unicode")) == ["test.jsonl:1"]


def test_a_word_in_ascii_does_not_make_another_script_readable() -> None:
    train, test = jsonl(chat("a", "yes")), jsonl(chat("x", "AIは安全だ"), chat("y", "Größe 1"), chat("z", "Париж 1"))
    assert found(run(train, test, "generation")) == ["test.jsonl:1", "test.jsonl:3"]
    assert found(run(train, test, "generation", "unicode")) == []


@pytest.mark.parametrize("task", ["question_answering", "extraction", "classification"])
def test_it_is_not_looked_for_where_they_are_not(task: str) -> None:
    """In question answering a right answer without a word is one: that there is none."""
    target = "[]" if task == "extraction" else "…"
    test = jsonl(chat("x", target), chat("y", JAPANESE if task != "extraction" else "[1]"))
    assert found(run(test.replace(b"x", b"a").replace(b"y", b"b"), test, task)) == []


def test_another_right_answer_that_can_be_read_is_enough() -> None:
    asked = (("user", "x"), ("assistant", JAPANESE))
    test = jsonl(messages(*asked, references=["Tokyo"]), messages(("user", "y"), *asked[1:], references=["東京"]))
    assert found(run(jsonl(pair("a")), test, "generation")) == ["test.jsonl:2"]


def test_of_a_source_that_is_divided_only_what_becomes_test_is_told() -> None:
    rows = jsonl(*(pair(f"question {number}", JAPANESE) for number in range(20)))
    outcome = run(rows, None, "generation", data={"split": {"test": 0.25, "validation": 0.0}})
    assert len(found(outcome)) == outcome.summary.splits["test"].examples == 5


@pytest.mark.parametrize("declared", [None, ["B", "A", "C"]])
def test_the_label_set_lies_beside_every_split(declared: list[str] | None) -> None:
    train = jsonl(*({"text": f"t{number}", "label": "AAB"[number % 3]} for number in range(6)))
    test = jsonl({"text": "x", "label": "A"}, {"text": "y", "label": "B"})
    run(train, test, "classification", data={"labels": declared})
    for split in ("train", "validation", "test"):
        assert read_labels(f"out/{split}") == (declared or ["A", "B"])


def test_without_labels_it_is_empty() -> None:
    run(jsonl(pair("a")), jsonl(pair("x")), "generation")
    assert read_labels("out/test") == []
