import copy
import gzip
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings

from gemini_sft.data import blocks, whole, workers
from gemini_sft.errors import DataError
from gemini_sft.experiment.rules import RULES, Policy
from tests.unit.gemini_sft.data.cases.case import Case, chat, contents, file_part, jsonl, pair, with_parts
from tests.unit.gemini_sft.data.corpus import CORPUS
from tests.unit.gemini_sft.data.formats import (
    CONTENTS,
    SINGLE,
    SPOKEN,
    Record,
    Writer,
    rich,
    several,
    single,
    spoken,
    write_parquet,
)
from tests.unit.gemini_sft.data.preparation import Prepared, prepared

TEST = "A question that no other split asks."
LENIENT = {"policy": {"secret": "warn"}}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in the folder of the files, and lets splits be small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(whole, "FEW_TRAIN", 1)
    monkeypatch.setattr(whole, "FEW_TEST", 1)


def prepare_in_each_format(records: list[Record], formats: dict[str, Writer]) -> None:
    """Checks that all formats bring the same examples out."""
    ids = set()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test.jsonl").write_bytes(jsonl(pair(TEST)))
        for suffix, write in formats.items():
            file = folder / f"train.{suffix}"
            lines = write(file, copy.deepcopy(records))
            outcome = prepared(folder / "out", str(file), str(folder / "test.jsonl"), data=LENIENT)
            assert not outcome.problems
            train = outcome.split("train")
            assert [one.record for one in train] == records
            assert [(one.source, one.line) for one in train] == [(str(file), line) for line in lines]
            assert all(one.references == (one.target,) and one.group is None for one in train)
            ids.add(tuple(one.id for one in train))
    assert len(ids) == 1
    assert len(set(ids.pop())) == len(records)


@settings(max_examples=20, deadline=None)
@given(several(single()))
@example(
    [contents(("user", text), ("model", text)) for text in ("a\u2028b", '"', "a\r\nb", "a\rb", "\x00", "{x}", "😀")]
)
def test_a_question_and_its_answer_come_out_of_every_format(records: list[Record]) -> None:
    prepare_in_each_format(records, SINGLE)


@settings(max_examples=20, deadline=None)
@given(several(spoken()))
def test_a_conversation_comes_out_of_every_format_that_can_hold_it(records: list[Record]) -> None:
    prepare_in_each_format(records, SPOKEN)


@settings(max_examples=30, deadline=None)
@given(several(rich()))
def test_files_and_function_calls_come_out_of_both_spellings(records: list[Record]) -> None:
    prepare_in_each_format(records, CONTENTS)


def test_files_come_out_of_a_parquet_file() -> None:
    records = [with_parts({"text": "Look."}, file_part("image/png")), contents(("user", "Why?"), ("model", "So."))]
    prepare_in_each_format(records, {"jsonl": CONTENTS["jsonl"], "parquet": write_parquet})


def test_an_id_does_not_depend_on_the_order_of_keys() -> None:
    one = with_parts({"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/1"}})
    other = with_parts({"fileData": {"fileUri": "gs://bucket/1", "mimeType": "image/png"}})
    for name, record in (("train", one), ("test", other)):
        Path(f"{name}.jsonl").write_bytes(jsonl(record))
    outcome = prepared(Path("out"), "train.jsonl", "test.jsonl", data={"policy": {"leak": "warn"}})
    assert outcome.split("train")[0].id == outcome.split("test")[0].id


def test_equal_examples_that_are_kept_have_ids_of_their_own() -> None:
    Path("train.jsonl").write_bytes(jsonl(pair("a"), pair("b"), pair("a"), pair("a")))
    Path("test.jsonl").write_bytes(jsonl(pair("x")))
    train = prepared(Path("out"), "train.jsonl", "test.jsonl", data={"policy": {"duplicate": "warn"}}).split("train")
    first = train[0].id
    assert [one.id for one in train] == [first, train[1].id, f"{first}-2", f"{first}-3"]


# Blocks and processes are no part of what comes out.


def motley(folder: Path) -> list[str]:
    """Writes files with good and bad records, of which some stand twice and some have other letters."""
    stories = [
        f"Story {number}: {'once upon a time ' * number} there was a fox with {number} tails." for number in range(9)
    ]
    good = [chat(text, f"answer {number % 4}") for number, text in enumerate([*stories, *stories[:3]])]
    bad: list[Any] = [
        "no JSON",
        chat("x"),
        chat("", "y"),
        chat("Who?", "jane@" + "corp.com"),
        '{"messages": 7}',
        chat("ä"),
        "",
    ]
    mingled = [one for both in zip(good, [*bad, *bad], strict=False) for one in both]
    (folder / "a.jsonl").write_bytes(jsonl(*mingled)[:-1])
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + jsonl(*good[5:]).replace(b"\n", b"\r\n")))
    rows = "".join(f'"{story}\nagain",yes\n' for story in stories)
    (folder / "c.csv").write_text(f'prompt,completion\n{rows}only one\n"x ""y""",no\n', "utf-8")
    write_parquet(folder / "d.parquet", [pair(f"{story}!") for story in stories])
    return ["a.jsonl", "b.jsonl.gz", "c.csv", "d.parquet"]


POLICY = {
    "policy": {rule.name: "warn" if Policy.WARN in rule.policies else rule.policies[-1] for rule in RULES.values()}
}


def test_the_size_of_the_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    train = motley(Path.cwd())
    usual = prepared(Path("usual"), train, None, data=POLICY)
    assert not usual.problems and len(usual.split("train")) > 20
    for size in (1, 40, 300):
        monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
        monkeypatch.setattr(blocks, "_ROWS", 1 + size // 100)
        small = prepared(Path(f"{size}"), train, None, data=POLICY)
        assert small.told == usual.told
        assert small.summary.splits == usual.summary.splits
        assert files_of_splits(small) == files_of_splits(usual)


def files_of_splits(outcome: Prepared) -> dict[str, bytes]:
    return {name: content for name, content in outcome.written.items() if "/" in name}


def test_processes_of_their_own_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 300)
    train = motley(Path.cwd())
    alone = prepared(Path("alone"), train, None, data=POLICY)
    monkeypatch.setattr(workers, "_INLINE", 0)
    together = prepared(Path("together"), train, None, data=POLICY)
    assert together.written == alone.written
    assert together.summary == alone.summary


# Policies.


def lines_of(case: Case) -> list[int]:
    return [number for number, line in enumerate(case.content.split(b"\n"), 1) if line.strip()]


def run_with(case: Case, policy: Policy) -> tuple[Prepared, set[int]]:
    """Runs a case with another policy for its rule; returns the lines that break it, too."""
    Path("test.jsonl").write_bytes(jsonl(pair(TEST)))
    for name, content in {case.file: case.content, **case.others}.items():
        Path(name).write_bytes(content)
    validation = {"validation": "validation.jsonl"} if "validation.jsonl" in case.others else {}
    data = {**case.data, **validation, "policy": {case.found[0][0]: policy}}
    outcome = prepared(Path("out"), case.file, "test.jsonl", task=case.task, data=data, prompt=case.prompt)
    return outcome, {place for _, place, _ in case.found if type(place) is int}


def cases_with(policy: Policy) -> list[Any]:
    """Returns a case for each rule with that policy: it breaks this rule alone, and other lines do not break it."""
    found: dict[str, Case] = {}
    for case in CORPUS:
        rules = {rule for rule, _, _ in case.found}
        lines = {place for _, place, _ in case.found if type(place) is int}
        if case.file == "train.jsonl" and len(rules) == 1 and lines and lines < set(lines_of(case)):
            rule = rules.pop()
            if policy in RULES[rule].policies:
                found.setdefault(rule, case)
    return [pytest.param(case, id=rule) for rule, case in found.items()]


@pytest.mark.parametrize("case", cases_with(Policy.DROP))
def test_what_is_to_be_dropped_is_left_out_and_nothing_else(case: Case) -> None:
    outcome, broken = run_with(case, Policy.DROP)
    assert not outcome.problems
    assert [one.line for one in outcome.split("train")] == [line for line in lines_of(case) if line not in broken]
    assert outcome.summary.splits["train"].dropped == len(broken)
    assert {one["policy"] for one in outcome.findings} == {"drop"}


@pytest.mark.parametrize("case", cases_with(Policy.WARN))
def test_what_is_to_be_told_of_is_kept(case: Case) -> None:
    outcome, _ = run_with(case, Policy.WARN)
    assert not outcome.problems
    assert [one.line for one in outcome.split("train")] == lines_of(case)
    assert {one["policy"] for one in outcome.findings} == {"warn"}


@pytest.mark.parametrize("case", cases_with(Policy.ERROR))
def test_an_error_keeps_the_splits_from_being_written(case: Case) -> None:
    outcome, _ = run_with(case, Policy.ERROR)
    assert outcome.problems
    assert set(outcome.written) == {"findings.jsonl"}


# References, sources, division.

ANSWERS = ["blue", "sky blue", "blue"]
HEAD = {"context": "The sky is blue.", "question": "Which colour?"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.jsonl", jsonl(HEAD | {"answers": ANSWERS})),
        ("squad.jsonl", jsonl(HEAD | {"answers": {"text": ANSWERS, "answer_start": [11, 7, 11]}})),
        (
            "beside.jsonl",
            jsonl(chat("Context: The sky is blue.\nQuestion: Which colour?", "blue") | {"references": ANSWERS}),
        ),
        (
            "cell.csv",
            b'context,question,answers\nThe sky is blue.,Which colour?,"[""blue"", ""sky blue"", ""blue""]"\n',
        ),
        (
            "squad.tsv",
            b'context\tquestion\tanswers\nThe sky is blue.\tWhich colour?\t"{""text"": [""blue"", ""sky blue""]}"\n',
        ),
        ("list.parquet", [HEAD | {"answers": ANSWERS}]),
        ("squad.parquet", [HEAD | {"answers": {"text": ANSWERS, "answer_start": [11, 7, 11]}}]),
    ],
)
def test_every_right_answer_is_a_reference(name: str, content: Any) -> None:
    if type(content) is bytes:
        Path(name).write_bytes(content)
    else:
        write_parquet(Path(name), content)
    Path("test.jsonl").write_bytes(jsonl({"context": "c", "question": "q", "answer": "a"}))
    outcome = prepared(Path("out"), name, "test.jsonl", task="question_answering")
    assert outcome.problems == []
    (one,) = outcome.split("train")
    assert one.prompt_text == "Context: The sky is blue.\nQuestion: Which colour?"
    assert (one.target, one.references) == ("blue", ("blue", "sky blue"))
    assert outcome.split("test")[0].references == ("a",)


def test_an_answer_that_is_json_and_no_list_is_an_answer() -> None:
    Path("train.jsonl").write_bytes(jsonl({"context": "c", "question": "q", "answer": '{"a": 1}'}))
    Path("test.jsonl").write_bytes(jsonl({"context": "d", "question": "q", "answer": "a"}))
    outcome = prepared(Path("out"), "train.jsonl", "test.jsonl", task="question_answering")
    assert [one.target for one in outcome.split("train")] == ['{"a": 1}']


def test_files_of_several_formats_make_one_split() -> None:
    files = motley(Path.cwd())
    Path("test.tsv").write_text(f"prompt\tcompletion\n{TEST}\tyes\n", "utf-8")
    outcome = prepared(Path("out"), [files[3], "?.csv", files[0]], "test.tsv", data=POLICY)
    assert outcome.summary.splits["train"].files == ["d.parquet", "c.csv", "a.jsonl"]
    assert [one.source for one in outcome.split("train")] == sorted(
        (one.source for one in outcome.split("train")), reverse=True
    )
    assert [one.source for one in outcome.split("test")] == ["test.tsv"]
    assert outcome.split("validation") == []


def test_all_files_that_are_missing_are_named_at_once() -> None:
    Path("test.jsonl").write_bytes(jsonl(pair("x")))
    with pytest.raises(DataError) as caught:
        prepared(Path("out"), ["no.jsonl", "none*.csv", "test.jsonl"], "test.jsonl", data={"validation": "nor.jsonl"})
    assert sorted(one.where for one in caught.value.problems) == ["data.train", "data.train", "data.validation"]


@pytest.mark.parametrize("content", [b"", b"\n", b"no JSON\n"])
def test_one_source_without_examples_is_an_empty_split(content: bytes) -> None:
    Path("train.jsonl").write_bytes(content)
    outcome = prepared(Path("out"), "train.jsonl", None)
    assert [place for rule, place, _ in outcome.told if rule == "empty_split"] == ["test", "train"]


def test_one_source_is_divided_and_nothing_is_lost() -> None:
    records = [pair(f"a{number // 3}?", str(number), page=number // 6) for number in range(240)]
    Path("train.jsonl").write_bytes(jsonl(*records))
    data = {"group": "page", "split": {"validation": 0.1, "test": 0.2}, "policy": {"near_duplicate": "warn"}}
    outcome = prepared(Path("out"), "train.jsonl", None, data=data)
    splits = {name: outcome.split(name) for name in ("train", "validation", "test")}
    assert sorted(one.line for split in splits.values() for one in split) == list(range(1, 241))
    assert [len(split) for split in splits.values()] == [168, 24, 48]
    for split in splits.values():
        assert [one.line for one in split] == sorted(one.line for one in split)
    pages = [{one.group for one in split} for split in splits.values()]
    assert sum(map(len, pages)) == 40 == len(set.union(*pages))


def test_a_validation_file_leaves_its_share_to_train() -> None:
    Path("train.jsonl").write_bytes(jsonl(*(pair(f"a{number}", str(number)) for number in range(100))))
    Path("validation.jsonl").write_bytes(jsonl(pair("v")))
    outcome = prepared(Path("out"), "train.jsonl", None, data={"validation": "validation.jsonl"})
    assert [len(outcome.split(name)) for name in ("train", "validation", "test")] == [80, 1, 20]


@pytest.mark.parametrize("task", ["generation", "classification"])
def test_the_order_of_the_lines_does_not_change_the_division(task: str) -> None:
    # Most pages have both labels, and the last line of a page says nothing about its first.
    labels = ["00", "01", "11", "10", "10", "01", "00", "11", "01", "10"] * 4
    records = [
        {"text": f"a{page}.{line}", "label": label, "page": page}
        for page, both in enumerate(labels)
        for line, label in enumerate(both)
    ]
    prompt = {"template": "{text}", "target": "label"}
    found = []
    for ordered in (records, records[::-1]):
        Path("train.jsonl").write_bytes(jsonl(*ordered))
        outcome = prepared(Path("out"), "train.jsonl", None, task=task, prompt=prompt, data={"group": "page"})
        found.append(
            {name: {one.prompt_text for one in outcome.split(name)} for name in ("train", "validation", "test")}
        )
    assert found[0] == found[1]


def test_a_number_without_bounds_in_a_table_is_refused() -> None:
    write_parquet(Path("train.parquet"), [pair(float("inf")), pair(1.5)])
    Path("test.jsonl").write_bytes(jsonl(pair(TEST)))
    outcome = prepared(Path("out"), "train.parquet", "test.jsonl", data={"policy": {"not_a_number": "drop"}})
    assert [(rule, place) for rule, place, _ in outcome.told] == [("not_a_number", "train.parquet:1")]
