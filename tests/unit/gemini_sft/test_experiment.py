from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from gemini_sft.catalog import catalog
from gemini_sft.errors import ExperimentError, UserError
from gemini_sft.experiment import Experiment, Task, load_experiment

ROOT = Path(__file__).parents[3]
VALID = """\
name: demo
task: summarization
base_model: gemini-2.5-flash
data:
  train: train.jsonl
  test: test.csv
"""
KEYS = "name, task, base_model, data, prompt, tuning, sweep, evaluation, gate, budget, retraining, notification"

Refused = Callable[..., list[str]]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """Returns a function that loads a text which must be refused, and returns its problems with `x.yaml` as place."""
    file = tmp_path / "x.yaml"

    def refuse(content: str | bytes, *overrides: str) -> list[str]:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ExperimentError) as caught:
            load_experiment(str(file), overrides)
        return [str(problem).replace(str(file), "x.yaml") for problem in caught.value.problems]

    return refuse


def load(folder: Path, text: str, *overrides: str) -> Experiment:
    file = folder / "x.yaml"
    file.write_text(text, "utf-8")
    return load_experiment(str(file), overrides)


@pytest.mark.parametrize("file", sorted((ROOT / "experiments").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_experiments_that_we_ship_load_and_name_files_that_exist(file: Path) -> None:
    experiment = load_experiment(str(file))
    assert experiment.name == file.stem.replace("_", "-")
    for name in (experiment.data.train, experiment.data.validation, experiment.data.test):
        assert name is None or (isinstance(name, str) and (file.parent / name).is_file())


def test_there_is_an_experiment_for_every_task() -> None:
    tasks = {load_experiment(str(file)).task for file in (ROOT / "experiments").glob("*.yaml")}
    assert tasks == {*Task}


def test_a_minimal_file_is_enough(tmp_path: Path) -> None:
    experiment = load(tmp_path, VALID)
    assert (experiment.name, experiment.task, experiment.base_model) == (
        "demo",
        Task.SUMMARIZATION,
        "gemini-2.5-flash",
    )
    assert experiment.data.validation is None
    assert experiment.tuning.epochs is None and experiment.tuning.adapter_size is None


def test_everything_that_is_wrong_is_said_at_once_with_its_line(refused: Refused) -> None:
    text = """\
name: Demo!
task: sumarization

base_model: gemini-2.0-flash   # retired
data:
  trian: a.jsonl
  test: ""
tuning:
  epochs: 0
  learning_rate_multiplier: fast
gate: {confidence: 1.5}
extra: 1
"""
    assert sorted(refused(text)) == sorted(
        [
            "x.yaml:1: name is 'Demo!': Names the runs: lower case, digits and hyphens.",
            "x.yaml:2: task is 'sumarization': input should be 'summarization', 'question_answering',"
            " 'classification', 'chat', 'generation' or 'extraction'",
            "x.yaml:4: gemini-2.0-flash was retired on 2026-06-01: use gemini-3.5-flash",
            "x.yaml:6: data.trian is not a key of an experiment: did you mean train?",
            "x.yaml:7: data.test is '': string should have at least 1 character",
            "x.yaml:9: tuning.epochs is 0: input should be greater than or equal to 1",
            "x.yaml:10: tuning.learning_rate_multiplier is 'fast': input should be a valid number",
            "x.yaml:11: gate.confidence is 1.5: input should be less than 1",
            f"x.yaml:12: extra is not a key of an experiment (there are: {KEYS})",
        ]
    )


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["x.yaml:1: is empty; see experiments/summarization.yaml for an example"]),
        ("# nothing\n", ["x.yaml:1: is empty; see experiments/summarization.yaml for an example"]),
        (
            "- name\n",
            ["x.yaml:1: must be a mapping of keys to values; see experiments/summarization.yaml for an example"],
        ),
        (
            "hello",
            ["x.yaml:1: must be a mapping of keys to values; see experiments/summarization.yaml for an example"],
        ),
        ("name: a\n\tb: c\n", ["x.yaml:2: is not YAML: found character '\\t' that cannot start any token"]),
        ("name: [a\ntask: b\n", ["x.yaml:2: is not YAML: expected ',' or ']', but got ':'"]),
        ("name: a\n---\nname: b\n", ["x.yaml:2: is not YAML: but found another document"]),
        ("name: 2026-13-01\n", ["x.yaml: is not YAML: month must be in 1..12"]),
        ("name: !!int x\n", ["x.yaml: is not YAML: invalid literal for int() with base 10: 'x'"]),
        (VALID + "extra: &it [1, *it]\n", ["x.yaml:7: extra.1 holds itself"]),
        (VALID + "name: again\n", ["x.yaml:7: name is already given on x.yaml:1"]),
        (VALID + "gate:\n  min_gain: 0\n  min_gain: 1\n", ["x.yaml:9: gate.min_gain is already given on x.yaml:8"]),
        (
            VALID + "on: 1\n5: 2\n",
            [
                "x.yaml:7: the key on is not a text: names of keys are words",
                "x.yaml:8: the key 5 is not a text: names of keys are words",
            ],
        ),
        (
            VALID + "gate:\n",
            [
                "x.yaml:7: gate is None: expected keys below it"
                " (there are: metric, min_gain, confidence, guards, min_win_rate)"
            ],
        ),
        (
            "task: summarization\nbase_model: gemini-2.5-flash\ndata: {train: a.jsonl, test: b.csv}\n",
            ["x.yaml:1: name is missing: Names the runs: lower case, digits and hyphens."],
        ),
        (
            VALID.replace("task:", "tsk:"),
            [
                "x.yaml:2: tsk is not a key of an experiment: did you mean task?",
            ],
        ),
        (
            VALID.replace("gemini-2.5-flash", "gemini-2.5-flahs"),
            [
                "x.yaml:3: gemini-2.5-flahs is not a model that can be tuned (known on 2026-11-22:"
                f" {', '.join(catalog().models)}); did you mean gemini-2.5-flash?"
            ],
        ),
        (
            VALID + "tuning:\n  adapter_size: 3\n",
            ["x.yaml:8: gemini-2.5-flash has no adapter of size 3: choose one of 1, 2, 4, 8, 16"],
        ),
        (
            VALID + "tuning: {adapter_size: '3', epochs: true}\n",
            [
                "x.yaml:7: tuning.epochs is True: input should be a valid integer",
                "x.yaml:7: tuning.adapter_size is '3': input should be a valid integer",
            ],
        ),
        (
            VALID + "evaluation: {request_timeout_seconds: .inf}\n",
            ["x.yaml:7: evaluation.request_timeout_seconds is inf: input should be a finite number"],
        ),
        (
            VALID + "gate: {min_gain: .nan}\n",
            ["x.yaml:7: gate.min_gain is nan: input should be a finite number"],
        ),
    ],
)
def test_a_file_that_cannot_be_run(refused: Refused, text: str, problems: list[str]) -> None:
    assert refused(text) == problems


@pytest.mark.parametrize("text", ["{webhook: ADDRESS}", "{webhook: [ADDRESS]}", "{email: [ADDRESS]}", "ADDRESS"])
def test_the_address_of_a_webhook_is_not_repeated(refused: Refused, text: str) -> None:
    """Whoever writes it here by mistake finds it in no log."""
    address = "https://hooks.slack.com/services/T00/B00/SECRET"
    (problem,) = refused(VALID + f"notification: {text}\n".replace("ADDRESS", address))
    assert problem.startswith("x.yaml:7: notification") and "SECRET" not in problem


@pytest.mark.parametrize("text", ["[" * 500, "name: \x01\n", "name: !!python/object:os.system {}\n"])
def test_hostile_yaml_is_refused_and_not_a_crash(refused: Refused, text: str) -> None:
    (problem,) = refused(text)
    assert "is not YAML: " in problem


@pytest.mark.parametrize("model", sorted(catalog().retired))
def test_a_retired_model_names_its_replacement(refused: Refused, model: str) -> None:
    (problem,) = refused(VALID.replace("gemini-2.5-flash", model))
    assert problem.startswith(f"x.yaml:3: {model} was retired on ")
    assert problem.endswith(f": use {catalog().retired[model].replacement}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "{file}: there is no such file"),
        (VALID.encode("utf-16"), "{file}: is not UTF-8 (byte 0): save the file as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "x.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        load_experiment(str(file))
    assert str(caught.value) == message.format(file=file)


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    plain = load(tmp_path, VALID)
    (tmp_path / "w.yaml").write_bytes(b"\xef\xbb\xbf" + VALID.replace("\n", "\r\n").encode())
    assert load_experiment(str(tmp_path / "w.yaml")) == plain


def test_merge_keys_are_yaml_too(tmp_path: Path) -> None:
    text = VALID.replace("data:", "data: &data").replace("  test: test.csv\n", "") + "  test: test.csv\n"
    merged = text.replace("data: &data\n", "data:\n  <<: {validation: v.jsonl}\n")
    assert load(tmp_path, merged).data.validation == "v.jsonl"


class TestSet:
    def test_replaces_adds_and_removes(self, tmp_path: Path) -> None:
        text = VALID + "gate: {min_gain: 0.5}\n"
        experiment = load(
            tmp_path, text, "gate.min_gain=0.25", "tuning.epochs=3", "tuning.adapter_size=8", "gate.min_gain=0.125"
        )
        assert (experiment.tuning.epochs, experiment.tuning.adapter_size, experiment.gate.min_gain) == (3, 8, 0.125)

    def test_fills_an_empty_section(self, tmp_path: Path) -> None:
        assert load(tmp_path, VALID + "tuning:\n", "tuning.epochs=3").tuning.epochs == 3

    def test_the_value_may_hold_an_equals_sign(self, tmp_path: Path) -> None:
        experiment = load(tmp_path, VALID, "prompt.system_instruction=Answer a=b.")
        assert experiment.prompt.system_instruction == "Answer a=b."

    @pytest.mark.parametrize(
        ("override", "problem"),
        [
            ("tuning.epochs", "--set tuning.epochs: expected KEY=VALUE, such as tuning.epochs=3"),
            ("=3", "--set =3: expected KEY=VALUE, such as tuning.epochs=3"),
            (
                "tuning.epochs=many",
                "--set tuning.epochs: tuning.epochs is 'many': input should be a valid integer",
            ),
            ("tuning.epoch=3", "--set tuning.epoch: tuning.epoch is not a key of an experiment: did you mean epochs?"),
            ("data.slice=[a]", "--set data.slice: data.slice is not a key of an experiment: did you mean slices?"),
            (
                "data.epochs=3",
                "--set data.epochs: data.epochs is not a key of an experiment: did you mean tuning.epochs?",
            ),
            (
                "gate.model=m",
                "--set gate.model: gate.model is not a key of an experiment: did you mean evaluation.judge.model?",
            ),
            ("name.first=a", "--set name.first: name has no keys below it"),
            ("name=[", "--set name: '[' is not a YAML value"),
            ("name=2026-13-01", "--set name: '2026-13-01' is not a YAML value"),
            (
                "base_model=gemini-1.5-pro-002",
                "--set base_model: gemini-1.5-pro-002 was retired on 2025-09-24: use gemini-3.5-flash",
            ),
            ("gate={confidence: 7}", "--set gate: gate.confidence is 7: input should be less than 1"),
        ],
    )
    def test_a_mistake_is_placed_on_the_command_line(self, refused: Refused, override: str, problem: str) -> None:
        assert refused(VALID + "gate:\n  confidence: 0.9\n", override) == [problem]


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "tuning.epochs": st.integers(1, 100),
    "tuning.adapter_size": st.sampled_from([1, 2, 4, 8, 16]),
    "tuning.learning_rate_multiplier": st.floats(0.001, 10),
    "evaluation.temperature": st.floats(0, 2),
    "evaluation.max_concurrency": st.integers(1, 500),
    "evaluation.max_failure_rate": st.floats(0, 1),
    "gate.min_gain": st.floats(0, 1),
    "gate.confidence": st.floats(0.51, 0.999),
    "prompt.system_instruction": st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1),
    "data.validation": st.text(st.characters(categories=["L", "N"]), min_size=1).map("{}.csv".format),
}


@given(st.fixed_dictionaries({}, optional=SCALARS), st.randoms())
@settings(deadline=None, max_examples=20)
def test_a_value_means_the_same_in_the_file_and_on_the_command_line(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any], random: Any
) -> None:
    folder = tmp_path_factory.mktemp("experiment")
    document = yaml.safe_load(VALID)
    for key, value in values.items():
        section, _, name = key.partition(".")
        document.setdefault(section, {})[name] = value
    overrides = [f"{key}={yaml.safe_dump(value, allow_unicode=True)}" for key, value in values.items()]
    random.shuffle(overrides)
    written = load(folder, yaml.safe_dump(document, allow_unicode=True))
    assert load(folder, VALID, *overrides) == written
    for key, value in values.items():
        section, _, name = key.partition(".")
        assert getattr(getattr(written, section), name) == value


@given(st.lists(st.sampled_from(["", "# a comment", "   "]), max_size=5), st.integers(0, 6))
@settings(deadline=None, max_examples=20)
def test_a_problem_stands_on_the_line_that_has_it(
    tmp_path_factory: pytest.TempPathFactory, blanks: list[str], position: int
) -> None:
    lines = VALID.splitlines()
    lines[position:position] = [*blanks, "" if 4 <= position <= 5 else "zzz: 1"]
    if 4 <= position <= 5:
        lines[position + len(blanks)] = "  zzz: 1"
    file = tmp_path_factory.mktemp("experiment") / "x.yaml"
    file.write_text("\n".join(lines), "utf-8")
    with pytest.raises(ExperimentError) as caught:
        load_experiment(str(file))
    (problem,) = caught.value.problems
    assert problem.where == f"{file}:{position + len(blanks) + 1}"


def keys(section: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    for name, field in section.model_fields.items():
        yield prefix + name, field.description
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{prefix}{name}.")


def test_every_key_is_described_in_a_sentence() -> None:
    described = dict(keys(Experiment))
    assert {"task", "data", "data.validation", "gate.min_gain"} <= described.keys()
    assert [key for key, text in described.items() if not text or not text.endswith(".")] == []


def test_an_experiment_survives_the_json_in_which_it_is_staged(tmp_path: Path) -> None:
    experiment = load_experiment(str(ROOT / "experiments" / "summarization.yaml"), ["tuning.epochs=3"])
    assert load(tmp_path, experiment.model_dump_json(indent=2)) == experiment


@pytest.mark.parametrize("key", ["criteria: brevity", "pointwise: true"])
def test_what_is_for_a_judge_needs_one(tmp_path: Path, key: str) -> None:
    head = "name: demo\ntask: chat\nbase_model: gemini-2.5-flash\ndata: {train: t.jsonl}\n"
    text = f"{head}evaluation:\n  judge:\n    {key}\n"
    (tmp_path / "x.yaml").write_text(text, "utf-8")
    name = key.partition(":")[0]
    with pytest.raises(
        ExperimentError, match=f"x.yaml:7: evaluation.judge.{name} is for a judge: name one in judge.model"
    ):
        load_experiment(str(tmp_path / "x.yaml"))


@given(st.floats(min_value=1e-12, max_value=1e12))
def test_a_number_that_was_staged_as_json_is_read_back(amount: float) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        experiment = load(Path(folder), VALID, f"budget.max_usd={amount!r}")
        assert experiment.budget.max_usd == amount
        assert load(Path(folder), experiment.model_dump_json()).budget.max_usd == amount
