"""What an experiment names beside its own file."""

from pathlib import Path
from typing import Any

import pytest

from gemini_sft.errors import ExperimentError
from gemini_sft.experiment import Data, Experiment, Prompt, Task
from gemini_sft.experiment.files import complete


def experiment(data: dict[str, Any] | None = None, **prompt: Any) -> Experiment:
    return Experiment(
        name="demo",
        task=Task.SUMMARIZATION,
        base_model="gemini-2.5-flash",
        data=Data(**(data or {"train": "a.csv", "test": "b.csv"})),
        prompt=Prompt(**prompt),
    )


def test_paths_stand_relative_to_the_experiments_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    given = experiment(
        {"train": ["../data/*.csv", "gs://b/x.csv"], "test": "/absolute/test.csv", "validation": "v.csv"}
    )
    resolved = complete(given, "../experiments/x.yaml")
    folder = tmp_path / "experiments"
    assert resolved.data == Data(
        train=[f"{folder}/../data/*.csv", "gs://b/x.csv"], validation=f"{folder}/v.csv", test="/absolute/test.csv"
    )
    assert resolved.model_copy(update={"data": given.data}) == given


def test_what_is_elsewhere_stays_as_it_is(tmp_path: Path) -> None:
    given = experiment({"train": "gs://b/train.jsonl", "test": "bq://p.d.t", "validation": "https://h/../v.jsonl"})
    assert complete(given, str(tmp_path / "x.yaml")) == given


def test_texts_of_the_prompt_are_taken_in(tmp_path: Path) -> None:
    (tmp_path / "system.txt").write_text("Be kind.\n\nBe brief.\n")
    (tmp_path / "prompt.txt").write_text("Read {document}\n")
    given = experiment(system_instruction_file="system.txt", template_file="prompt.txt")
    prompt = complete(given, str(tmp_path / "x.yaml")).prompt
    assert prompt == Prompt(system_instruction="Be kind.\n\nBe brief.", template="Read {document}")


def test_texts_that_cannot_be_taken_in_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("Read {0.real}")
    given = experiment(system_instruction_file="none.txt", template_file="prompt.txt")
    with pytest.raises(ExperimentError) as caught:
        complete(given, str(tmp_path / "x.yaml"))
    assert str(caught.value).splitlines() == [
        f"prompt.system_instruction_file: {tmp_path}/none.txt: there is no such file",
        "prompt.template_file: prompt.txt: a name of a column must stand in braces, such as {question}; write {{ and }}"
        " for braces",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "prompt.system_instruction_file: x.txt is empty"),
        ("x", "prompt.system_instruction_file: prompt.system_instruction is given too: keep one of them"),
    ],
)
def test_a_text_given_twice_or_empty(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.txt").write_text(content)
    given = experiment(system_instruction_file="x.txt", system_instruction=content or None)
    with pytest.raises(ExperimentError) as caught:
        complete(given, str(tmp_path / "x.yaml"))
    assert str(caught.value) == message


@pytest.mark.parametrize("template", ["no column", "{", "{}", "{a!r}", "{a:>3}", "{a.b}", "{a[0]}", "}"])
def test_a_template_that_is_none(template: str) -> None:
    with pytest.raises(ValueError, match="template"):
        experiment(template=template)


def test_a_templates_braces_are_written_twice() -> None:
    from gemini_sft.experiment.template import columns_of, render

    template = "{{{a}}} and {b}, {a}"
    assert columns_of(template) == ("a", "b")
    assert render(template, {"a": "{b}", "b": "%s"}) == "{{b}} and %s, {b}"
