"""Prompts that are only asked: read as in tuning, with or without an answer beside them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemini_sft.data import Example
from gemini_sft.data.prompts import instructed, one_prompt, read_prompts
from gemini_sft.errors import DataError, UserError
from gemini_sft.experiment import Experiment
from tests.unit.gemini_sft.data import formats
from tests.unit.gemini_sft.data.formats import Record
from tests.unit.gemini_sft.data.preparation import prepared

QUESTION = "Context: {context}\nQuestion: {question}"


def experiment(task: str = "generation", **changes: Any) -> Experiment:
    document = {"name": "demo", "task": task, "base_model": "gemini-2.5-flash", "data": {"train": "train.jsonl"}}
    return Experiment.model_validate(document | changes)


def sent(examples: list[Example]) -> list[Record]:
    """What a model gets of them."""
    return [{**one.record, "contents": one.prompt} for one in examples]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def unanswered(record: Record, remove: bool) -> Record:
    """The same record with no answer, or with an empty one."""
    if "messages" in record or "contents" in record:
        key = "messages" if "messages" in record else "contents"
        return record | {key: record[key][:-1]}
    names = ("completion", "answers", "label", "json")
    if remove:
        return {name: one for name, one in record.items() if name not in names}
    return {name: None if name in names else one for name, one in record.items()}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_format_gives_the_prompts_in_its_order(data: st.DataObject) -> None:
    kinds = [(formats.single, formats.SINGLE), (formats.spoken, formats.SPOKEN), (formats.rich, formats.CONTENTS)]
    strategy, writers = data.draw(st.sampled_from(kinds), "kind")
    records = data.draw(formats.several(strategy()), "records")
    suffix = data.draw(st.sampled_from(sorted(writers)), "format")
    lines = writers[suffix](Path(f"asked.{suffix}"), records)
    found = read_prompts(experiment(), f"asked.{suffix}")
    assert [(one.source, one.line) for one in found] == [(f"asked.{suffix}", line) for line in lines]
    assert sent(found) == [{**one, "contents": one["contents"][:-1]} for one in records]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_an_answer_that_is_there_makes_no_difference(data: st.DataObject) -> None:
    strategy = data.draw(st.sampled_from([formats.single, formats.spoken, formats.rich]), "kind")
    records = data.draw(formats.several(strategy()), "records")
    shape = data.draw(st.sampled_from(["contents", "messages", "pairs"]), "shape")
    if strategy is formats.spoken and shape == "messages":
        records = [*map(formats.as_messages, records)]
    elif strategy is formats.single and shape != "contents":
        records = [*map(formats.as_messages if shape == "messages" else formats.as_pair, records)]
    remove = data.draw(st.booleans(), "remove")
    formats.write_lines(Path("with.jsonl"), records)
    formats.write_lines(Path("without.jsonl"), [unanswered(one, remove) for one in records])
    assert sent(read_prompts(experiment(), "with.jsonl")) == sent(read_prompts(experiment(), "without.jsonl"))


@pytest.mark.parametrize(
    ("task", "prompt", "row", "expected"),
    [
        ("generation", {}, {"input_text": "a"}, "a"),
        ("classification", {}, {"text": "a"}, "a"),
        ("extraction", {}, {"text": "a"}, "a"),
        ("question_answering", {}, {"context": "a", "question": "b"}, "Context: a\nQuestion: b"),
        ("question_answering", {}, {"context": "a", "question": "b", "answers": []}, "Context: a\nQuestion: b"),
        ("summarization", {"template": "{b} {a}", "target": "c"}, {"a": 1, "b": "x", "other": "y"}, "x 1"),
        ("chat", {}, {"prompt": "a", "response": ""}, "a"),
    ],
)
def test_columns_are_rendered_by_the_template(
    task: str, prompt: Record, row: Record, expected: str, tmp_path: Path
) -> None:
    formats.write_lines(Path("asked.jsonl"), [row])
    (found,) = read_prompts(experiment(task, prompt=prompt), "asked.jsonl")
    assert found.prompt_text == expected


def test_the_columns_of_an_answer_tell_which_form_is_meant() -> None:
    """Both fit `text`; the one whose answer is there is the one of the data."""
    formats.write_lines(Path("asked.jsonl"), [{"document": "a", "text": "b", "summary": "c", "prompt": "d"}])
    (found,) = read_prompts(experiment("summarization"), "asked.jsonl")
    assert found.prompt_text == "a"


def test_what_sorts_data_is_not_asked_of_a_prompt() -> None:
    formats.write_lines(Path("asked.jsonl"), [{"text": "mail jo.smith@acme-tools.com"}])
    labelled = {"train": "train.jsonl", "group": "author", "labels": ["a", "b"], "policy": {"personal_data": "error"}}
    (found,) = read_prompts(experiment("classification", data=labelled), "asked.jsonl")
    assert "jo.smith@acme-tools.com" in found.prompt_text


@pytest.mark.parametrize(
    ("name", "content", "problems"),
    [
        ("none.jsonl", "", ["none.jsonl: has no record: there is nothing to ask"]),
        ("head.csv", "input_text\n", ["head.csv: has no record: there is nothing to ask"]),
        (
            "other.csv",
            "a,b\n1,2\n",
            ["other.csv:2: has the columns a, b: expected input_text; or prompt; or input: fill or rename it, or set"],
        ),
        (
            "some.jsonl",
            '{"prompt": "x"}\n\nnot json\n{"prompt": " "}\n[1]\n',
            [
                "some.jsonl:3: is not JSON",
                "some.jsonl:4: turn 1 (the user's) is empty",
                "some.jsonl:5: is JSON, but not an",
            ],
        ),
        (
            "turns.jsonl",
            '{"messages": [{"role": "assistant", "content": "x"}]}\n{"messages": []}\n{"messages": "x"}\n',
            ["turns.jsonl:1: begins with the model's turn", "turns.jsonl:2: has no turn", 'turns.jsonl:3: "messages"'],
        ),
    ],
)
def test_what_cannot_be_asked_is_named_by_its_line(name: str, content: str, problems: list[str]) -> None:
    Path(name).write_text(content, "utf-8")
    with pytest.raises(DataError) as caught:
        read_prompts(experiment(), name)
    told = str(caught.value).splitlines()
    assert len(told) == len(problems)
    assert all(one.startswith(beginning) for one, beginning in zip(told, problems, strict=True)), told


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(UserError, match=r"nowhere\.csv: there is no such file"):
        read_prompts(experiment(), "nowhere.csv")


@pytest.mark.parametrize(
    ("prompt", "texts", "expected"),
    [
        ({}, ["a=b {x}"], "a=b {x}"),
        ({"template": "Sum up: {text}"}, ["text=b"], "Sum up: b"),
        ({"template": QUESTION}, ["question=q?", "context=c = d"], "Context: c = d\nQuestion: q?"),
        ({}, ["context=c", "question=q"], "Context: c\nQuestion: q"),
    ],
)
def test_one_prompt_of_texts(prompt: Record, texts: list[str], expected: str) -> None:
    (found,) = one_prompt(experiment("question_answering", prompt=prompt), texts)
    assert found.prompt_text == expected
    assert len(found.prompt) == 1


@pytest.mark.parametrize(
    ("template", "texts", "message"),
    [
        (
            QUESTION,
            ["secret words"],
            "TEXT must be context=... question=..., each once: one of what was given is for no",
        ),
        (QUESTION, ["context=c"], "TEXT must be context=... question=..., each once: question not given"),
        (
            QUESTION,
            ["context=c", "context=d"],
            "TEXT must be context=... question=..., each once: context is given twice",
        ),
        (
            QUESTION,
            ["context=c", "answer=d"],
            "TEXT must be context=... question=..., each once: one of what was given",
        ),
        ("{text}", ["a", "b"], "2 texts are given, and one is wanted: put it in quotes"),
        ("{text}", ["text=a", "b=c"], "TEXT must be text=..., each once: one of what was given is for no column"),
        (None, ["a", "b", "c=d"], "3 texts are given, and one is wanted: put it in quotes"),
        (
            None,
            ["a=1", "b=2"],
            "TEXT: has the columns a, b: expected context, question; or input_text; or prompt; or in",
        ),
        (None, [" "], "TEXT: turn 1 (the user's) is empty"),
        ("Sum up: {text}", [""], "TEXT: has nothing in 'text', of which the prompt is made"),
    ],
)
def test_texts_that_make_no_prompt(template: str | None, texts: list[str], message: str) -> None:
    with pytest.raises(UserError) as caught:
        one_prompt(experiment("question_answering", prompt={"template": template}), texts)
    assert str(caught.value).startswith(message)
    assert "secret" not in str(caught.value)


def test_few_shot_examples_are_those_that_were_tuned_with(tmp_path: Path) -> None:
    with Path("train.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("input_text", "output_text"), *((f"word {n}", f"{n * 7}") for n in range(40))])
    prompt = {"system_instruction": "Multiply.", "few_shot": 3}
    data = {"seed": 5, "split": {"test": 0.5}}
    outcome = prepared(tmp_path / "out", "train.csv", None, data=data, prompt=prompt)
    (tuned_with,) = {one.system_instruction for one in outcome.split("train")}
    assert tuned_with and tuned_with.count("Answer: ") == 3
    asked = experiment(data={"train": "train.csv", **data}, prompt=prompt)
    (found,) = instructed(asked, one_prompt(asked, ["word 90"]))
    assert found.system_instruction == tuned_with
    assert found.prompt_text == "word 90"


def test_data_that_cannot_be_read_any_more_are_told() -> None:
    asked = experiment(data={"train": "gone.csv"}, prompt={"few_shot": 1})
    with pytest.raises(DataError, match=r"gone\.csv: there is no such file"):
        instructed(asked, one_prompt(asked, ["x"]))
    unread = experiment(data={"train": "gone.csv"}, prompt={"system_instruction": "Be brief."})
    assert instructed(unread, one_prompt(unread, ["x"]))[0].system_instruction == "Be brief."


def test_a_prompt_that_brings_its_own_instruction_keeps_it() -> None:
    own = {"messages": [{"role": "system", "content": "Own."}, {"role": "user", "content": "x"}]}
    Path("asked.jsonl").write_text(f"{json.dumps(own)}\n{json.dumps({'messages': own['messages'][1:]})}\n", "utf-8")
    asked = experiment(prompt={"system_instruction": "The experiment's."})
    found = instructed(asked, read_prompts(asked, "asked.jsonl"))
    assert [one.system_instruction for one in found] == ["Own.", "The experiment's."]
    bare = experiment()
    assert [one.system_instruction for one in instructed(bare, read_prompts(bare, "asked.jsonl"))] == ["Own.", None]
