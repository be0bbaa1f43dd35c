"""Values of `data.slices`: whatever goes in comes out, in every format."""

import copy
import csv
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.data import preparing, whole
from tests.unit.gemini_sft.data.cases.case import chat, jsonl, pair
from tests.unit.gemini_sft.data.formats import (
    Record,
    as_messages,
    as_pair,
    awkward,
    parts_of,
    several,
    single,
    snake,
    texts,
    write_lines,
    write_parquet,
)
from tests.unit.gemini_sft.data.preparation import Prepared, prepared

SLICES = ["language", "topic of the day"]
LENIENT = {"policy": {"secret": "warn", "conflict": "warn"}}
Beside = dict[str, Any]

written = st.none() | st.text(max_size=3) | texts | awkward | st.text("ab", min_size=98, max_size=103)
scalars = written | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in the folder of the files, and lets splits be small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(whole, "FEW_TRAIN", 1)
    monkeypatch.setattr(whole, "FEW_TEST", 1)


def name_of(value: Any) -> str:
    """What a value is called by, written down once more."""
    if value is None or value == "":
        return "(none)"
    if isinstance(value, str):
        return value if len(value) < 101 else value[:99] + "…"
    return str(value) if type(value) is int else orjson.dumps(value).decode()


def rows(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[Record, Beside]]]:
    beside = st.fixed_dictionaries({name: values for name in SLICES})
    return several(single()).flatmap(
        lambda records: st.lists(beside, min_size=len(records), max_size=len(records)).map(
            lambda some: list(zip(records, some, strict=True))
        )
    )


def table(delimiter: str) -> Callable[[Path, list[tuple[Record, Beside]]], object]:
    def write(file: Path, made: list[tuple[Record, Beside]]) -> None:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(["prompt", *SLICES, "completion"])
        for record, beside in made:
            prompt, completion = parts_of(record)
            writer.writerow([prompt, *(beside[name] for name in SLICES), completion])
        file.write_bytes(text.getvalue().encode())

    return write


LINES: dict[str, Callable[[Path, list[tuple[Record, Beside]]], object]] = {
    "jsonl": lambda file, made: write_lines(file, [one | beside for one, beside in made]),
    "snake.jsonl.gz": lambda file, made: write_lines(file, [snake(one) | beside for one, beside in made]),
    "messages.jsonl": lambda file, made: write_lines(file, [as_messages(one) | beside for one, beside in made]),
    "pairs.jsonl": lambda file, made: write_lines(file, [as_pair(one) | beside for one, beside in made]),
}
EVERY = LINES | {
    "csv": table(","),
    "tsv": table("\t"),
    "pairs.parquet": lambda file, made: write_parquet(file, [as_pair(one) | beside for one, beside in made]),
    "messages.parquet": lambda file, made: write_parquet(file, [as_messages(one) | beside for one, beside in made]),
    "contents.parquet": lambda file, made: write_parquet(file, [one | beside for one, beside in made]),
}


def check(made: list[tuple[Record, Beside]], formats: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test.jsonl").write_bytes(jsonl(pair("a prompt that nobody makes up", **dict.fromkeys(SLICES))))
        for suffix, write in formats.items():
            file = folder / f"train.{suffix}"
            write(file, copy.deepcopy(made))
            data = LENIENT | {"slices": SLICES}
            outcome = prepared(folder / "out", str(file), str(folder / "test.jsonl"), data=data)
            assert not outcome.problems and not {"unknown_key", "slice"} & {rule for rule, _, _ in outcome.told}
            train = outcome.split("train")
            assert [one.record for one in train] == [record for record, _ in made]
            assert [one.slices for one in train] == [
                {name: name_of(beside[name]) for name in SLICES} for _, beside in made
            ]


@settings(max_examples=15, deadline=None)
@given(rows(written))
def test_texts_come_out_of_every_format(made: list[tuple[Record, Beside]]) -> None:
    check(made, EVERY)


@settings(max_examples=15, deadline=None)
@given(rows(scalars))
def test_numbers_and_booleans_come_out_as_json_writes_them(made: list[tuple[Record, Beside]]) -> None:
    check(made, LINES)


def run(train: bytes, test: bytes = jsonl(pair("x", lang="de")), **data: Any) -> Prepared:
    Path("train.jsonl").write_bytes(train)
    Path("test.jsonl").write_bytes(test)
    return prepared(Path("out"), "train.jsonl", "test.jsonl", data={"slices": ["lang"]} | data)


def test_a_single_row_may_have_none() -> None:
    outcome = run(jsonl(pair("a"), pair("b", lang="en"), pair("c", lang=None)))
    assert not outcome.problems
    assert [one.slices["lang"] for one in outcome.split("train")] == ["(none)", "en", "(none)"]


def test_a_file_without_the_column_beside_one_with_it() -> None:
    """Plain messages, which are read many at once, do not go without."""
    Path("plain.jsonl").write_bytes(jsonl(chat("a"), chat("b")))
    Path("more.jsonl").write_bytes(jsonl(chat("c") | {"lang": "en"}))
    Path("test.jsonl").write_bytes(jsonl(pair("x", lang="de")))
    outcome = prepared(Path("out"), ["plain.jsonl", "more.jsonl"], "test.jsonl", data={"slices": ["lang"]})
    assert not outcome.problems
    assert [one.slices for one in outcome.split("train")] == [{"lang": name} for name in ("(none)", "(none)", "en")]


def test_what_is_not_asked_for_is_not_kept() -> None:
    outcome = run(jsonl(pair("a", lang="en")), slices=[])
    assert [one.slices for one in outcome.split("train")] == [{}]
    assert b"lang" not in outcome.written["train/sources.jsonl"]


def test_other_keys_beside_a_conversation_are_still_not_used() -> None:
    outcome = run(jsonl(chat("a") | {"lang": "en", "topic": 1, "page": 7}), group="page")
    assert [what for rule, _, what in outcome.told if rule == "unknown_key"] == [
        "has the key 'topic', which is not used"
    ]


def test_a_column_that_a_split_has_in_another_block_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gemini_sft.data.blocks.BLOCK_BYTES", 64)
    outcome = run(jsonl(*(pair(f"question {n}") for n in range(20)), pair("last", lang="en")))
    assert not outcome.problems
    assert [one.slices["lang"] for one in outcome.split("train")] == ["(none)"] * 20 + ["en"]


def test_they_come_along_when_one_file_is_divided() -> None:
    Path("all.jsonl").write_bytes(jsonl(*(pair(f"question {n}", lang=f"{n}") for n in range(30))))
    outcome = prepared(Path("out"), "all.jsonl", None, data={"slices": ["lang"]})
    assert not outcome.problems
    for split in ("train", "validation", "test"):
        examples = outcome.split(split)
        assert examples and all(one.prompt_text == f"question {one.slices['lang']}" for one in examples)


def test_a_repetition_keeps_its_own() -> None:
    outcome = run(jsonl(pair("a", lang="en"), pair("a", lang="fr")), policy={"duplicate": "warn"})
    assert [(one.id[-2:], one.slices["lang"]) for one in outcome.split("train")][1] == ("-2", "fr")


def test_a_secret_in_one_is_found_and_not_repeated() -> None:
    outcome = run(jsonl(pair("a", lang="AKIA" + "IOSFODNN7QRSTUVW"), pair("b", lang="en")))
    assert [(rule, place) for rule, place, _ in outcome.told if rule == "secret"] == [("secret", "train.jsonl:1")]
    assert b"IOSFODNN7" not in outcome.written["findings.jsonl"]


def test_a_table_that_is_read_by_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gemini_sft.data.workers._INLINE", 0)
    monkeypatch.setattr(preparing, "NEAR_EXAMPLES", 0)
    outcome = run(jsonl(pair("a", lang="en")))
    assert not outcome.problems and outcome.split("train")[0].slices == {"lang": "en"}
