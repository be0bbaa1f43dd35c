"""Columns that the prompt names and no record has: said once, where the mistake is."""

from pathlib import Path
from typing import Any

import pytest

from gemini_sft.data import whole
from gemini_sft.errors import DataError
from tests.unit.gemini_sft.data.cases.case import chat, jsonl
from tests.unit.gemini_sft.data.preparation import Prepared, prepared


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in the folder of the files, and lets splits be small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(whole, "FEW_TRAIN", 1)
    monkeypatch.setattr(whole, "FEW_TEST", 1)


def run(train: bytes | None = None, **prompt: Any) -> Prepared:
    for name in ("train", "test"):
        rows = "".join(f"{name} {n},team {n}\n" for n in range(30))
        Path(f"{name}.csv").write_text("message,team\n" + rows)
    if train:
        Path("train.jsonl").write_bytes(train)
    return prepared(Path("out"), "train.jsonl" if train else "train.csv", "test.csv", prompt=prompt)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (
            {"template": "{mesage}", "target": "team"},
            ["prompt.template: names {mesage}, which no record has: did you mean 'message'?"],
        ),
        (
            {"template": "{message}", "target": "teem"},
            ["prompt.target: is teem, which no record has: did you mean 'team'?"],
        ),
        (
            {"template": "{message} {x} {x} {y}", "target": "z"},
            [
                "prompt.template: names {x}, which no record has: there are 'message', 'team'",
                "prompt.template: names {y}, which no record has: there are 'message', 'team'",
                "prompt.target: is z, which no record has: there are 'message', 'team'",
            ],
        ),
    ],
)
def test_it_is_said_once_at_the_prompt(prompt: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        run(**prompt)
    assert [str(one) for one in caught.value.problems] == said


def test_columns_that_are_there_are_taken() -> None:
    assert not run(template="{message}", target="team").problems


def test_what_some_records_lack_is_said_of_those() -> None:
    train = jsonl({"message": "a", "team": "b"}, {"mesage": "c", "team": "d"})
    (problem,) = run(train, template="{message}", target="team").problems
    assert problem.startswith("train.jsonl:2: has the columns mesage, team: expected message and team")


def test_without_a_prompt_the_customary_columns_are_still_named() -> None:
    assert run().problems[0].startswith("test.csv:2: has the columns message, team: expected input_text and")


def test_what_stands_beside_a_conversation_is_no_column() -> None:
    """Messages need no template, and the table beside them is what it is for."""
    train = jsonl(*(chat(f"{n}") | {"mesage": "x"} for n in range(3)))
    with pytest.raises(DataError, match=r"^prompt\.template: names \{mesage\}, .*: did you mean 'message'\?$"):
        run(train, template="{mesage}", target="team")
    assert run(train, template="{message}", target="team").split("test")
