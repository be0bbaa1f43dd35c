from pathlib import Path

import pytest

from gemini_sft.data import blocks, whole
from gemini_sft.data.example import text_of
from gemini_sft.data.jsontext import diagnose
from gemini_sft.errors import DataError
from gemini_sft.experiment.rules import RULES
from tests.unit.gemini_sft.data.cases.case import Case, jsonl, pair
from tests.unit.gemini_sft.data.cases.unchanged import Whole
from tests.unit.gemini_sft.data.corpus import CORPUS, UNCHANGED
from tests.unit.gemini_sft.data.preparation import Prepared, place, prepared

# Of these no file gives an example: one changes between two readings.
ELSEWHERE = {"changed_while_read"}

TESTS = {
    "classification": jsonl({"text": "x", "label": "A"}, {"text": "y", "label": "B"}),
    "question_answering": jsonl({"context": "x", "question": "y", "answers": "z"}),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in the folder of the files, and lets splits be small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(whole, "FEW_TRAIN", 1)
    monkeypatch.setattr(whole, "FEW_TEST", 1)


def run(case: Case) -> Prepared:
    files = {case.file: case.content, "test.jsonl": TESTS.get(case.task, jsonl(pair("x"))), **case.others}
    for name, content in files.items():
        Path(name).write_bytes(content)
    validation = {name.partition(".")[0]: name for name in files if name.startswith("validation")}
    return prepared(
        Path("out").absolute(),
        case.file,
        "test.jsonl",
        task=case.task,
        data={**case.data, **validation},
        prompt=case.prompt,
    )


@pytest.mark.parametrize("case", [case for case in CORPUS if not case.problems], ids=lambda case: case.name)
def test_what_is_wrong_is_told_and_nothing_else(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in case.limits.items():
        monkeypatch.setattr(whole, name, value)
    outcome = run(case)
    expected = [(rule, f"{case.file}:{at}" if type(at) is int else str(at), what) for rule, at, what in case.found]
    assert outcome.told == sorted(expected)
    assert all(one["remedy"] == RULES[one["rule"]].remedy for one in outcome.findings)
    stopping = [one for one in outcome.findings if one["policy"] == "error"]
    assert sorted(outcome.problems) == sorted(f"{place(one)}: {one['what']}: {one['remedy']}" for one in stopping)
    assert ("train/examples.jsonl" in outcome.written) == (not stopping)


@pytest.mark.parametrize("case", [case for case in CORPUS if case.problems], ids=lambda case: case.name)
def test_a_file_that_cannot_be_read_at_all_stops_the_run(case: Case) -> None:
    with pytest.raises(DataError) as caught:
        run(case)
    assert [str(one) for one in caught.value.problems] == list(case.problems)
    assert not list(Path("out").glob("*/examples.jsonl"))


@pytest.mark.parametrize("case", [case for case in CORPUS if case.secrets], ids=lambda case: case.name)
def test_no_secret_is_repeated(case: Case) -> None:
    outcome = run(case)
    told = outcome.written["findings.jsonl"].decode() + "\n".join(outcome.problems)
    told += outcome.summary.model_dump_json(exclude={"system_instruction"})
    for secret in case.secrets:
        assert secret not in told


@pytest.mark.parametrize("file", UNCHANGED, ids=lambda file: file.name)
def test_what_is_not_wrong_comes_out_unchanged(file: Whole) -> None:
    Path(file.file).write_bytes(file.content)
    Path("test.jsonl").write_bytes(jsonl(pair("x")))
    outcome = prepared(Path("out").absolute(), file.file, "test.jsonl", data=file.data)
    assert outcome.told == [(rule, f"{file.file}:{line}", what) for rule, line, what in file.found]
    assert not outcome.problems
    train = outcome.split("train")
    if file.records is not None:
        assert [one.record for one in train] == list(file.records)
        return
    assert [one.line for one in train] == list(file.lines)
    assert [text_of(one.prompt[0]) for one in train] == list(file.prompts)
    assert train[-1].target == file.target


def test_every_rule_has_a_case() -> None:
    assert {rule for case in CORPUS for rule, _, _ in case.found} | ELSEWHERE == set(RULES)


def test_no_two_cases_have_one_name() -> None:
    names = [case.name for case in CORPUS] + [file.name for file in UNCHANGED]
    assert len(names) == len(set(names)) and len(CORPUS) >= 75


def test_a_file_that_changes_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("train.jsonl").write_bytes(jsonl(pair("a")))
    Path("test.jsonl").write_bytes(jsonl(pair("x")))
    original = blocks._shape

    def grow(content: bytes) -> object:
        if b'"a"' in content:
            with Path("train.jsonl").open("ab") as file:
                file.write(jsonl(pair("b")))
        return original(content)

    monkeypatch.setattr(blocks, "_shape", grow)
    with pytest.raises(DataError) as caught:
        prepared(Path("out").absolute(), "train.jsonl", "test.jsonl")
    rule = RULES["changed_while_read"]
    assert str(caught.value) == f"train.jsonl: {rule.title}: {rule.remedy}"
    assert not list(Path("out").glob("*/examples.jsonl"))


@pytest.mark.parametrize(
    "text", ['{"prompt": "Caf\\u00e9 \\n", "completion": null}', '{"a": [true, -1.5e+3, "é"], "b": {}}']
)
def test_wherever_a_last_line_is_cut_off_it_is_called_truncated(text: str) -> None:
    line = text.encode()
    assert {cut: diagnose(line[:cut], last=True).rule for cut in range(1, len(line))} == {
        cut: "truncated" for cut in range(1, len(line))
    }
