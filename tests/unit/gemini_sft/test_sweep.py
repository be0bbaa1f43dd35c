"""What an experiment file may say of tuning jobs: a sweep, labels, keys, and a model that was tuned before."""

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.errors import ExperimentError
from gemini_sft.experiment import Experiment, load_experiment
from gemini_sft.experiment.schema import is_tuned
from gemini_sft.experiment.section import Section, section_in
from gemini_sft.experiment.tuning import OWN_LABELS, Grid, Sweep, Trial, Tuning

HEAD = """\
name: demo
task: summarization
base_model: gemini-2.5-flash
data: {train: train.jsonl, validation: v.jsonl}
"""
MODEL = "projects/p/locations/us-central1/models/12"
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "epochs": st.integers(1, 100),
        "adapter_size": st.sampled_from([1, 2, 4, 8, 16]),
        "learning_rate_multiplier": st.floats(0, 10, exclude_min=True, width=32),
        "attempt": st.integers(1, 9),
    },
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.yaml"


def load(file: Path, text: str) -> Experiment:
    file.write_text(HEAD + text, "utf-8")
    return load_experiment(str(file))


def problems(file: Path, text: str, head: str = HEAD) -> list[str]:
    """What is wrong with a file, which must be refused; its own lines begin at the fifth."""
    file.write_text(head + text, "utf-8")
    with pytest.raises(ExperimentError) as caught:
        load_experiment(str(file))
    return [str(one).replace(str(file), "x.yaml") for one in caught.value.problems]


def names(sweep: Sweep) -> list[str]:
    return list(sweep.settings(Tuning()))


class TestSweep:
    def test_a_grid_is_every_combination(self, file: Path) -> None:
        text = "tuning: {epochs: 9, timeout_minutes: 5}\nsweep:\n  grid: {adapter_size: [4, 8], epochs: [2, 4]}\n"
        experiment = load(file, text + "  concurrent_jobs: 2\n")
        assert experiment.sweep and experiment.sweep.concurrent_jobs == 2
        settings = experiment.sweep.settings(experiment.tuning)
        assert {name: (one.epochs, one.adapter_size) for name, one in settings.items()} == {
            "epochs=2 adapter_size=4": (2, 4),
            "epochs=2 adapter_size=8": (2, 8),
            "epochs=4 adapter_size=4": (4, 4),
            "epochs=4 adapter_size=8": (4, 8),
        }
        assert all(one.timeout_minutes == 5 for one in settings.values()), "the rest is as tuning has it"

    def test_trials_one_by_one(self, file: Path) -> None:
        text = "tuning: {epochs: 9}\nsweep:\n  trials:\n  - {}\n  - learning_rate_multiplier: 0.5\n    epochs: 2\n"
        experiment = load(file, text + "  - {attempt: 2}\n")
        assert experiment.sweep
        settings = experiment.sweep.settings(experiment.tuning)
        assert {name: (one.epochs, one.learning_rate_multiplier, one.attempt) for name, one in settings.items()} == {
            "defaults": (9, None, 1),
            "epochs=2 learning_rate_multiplier=0.5": (2, 0.5, 1),
            "attempt=2": (9, None, 2),
        }

    def test_one_job_at_a_time_unless_more_are_asked_for(self) -> None:
        assert Sweep(grid=Grid(epochs=[1])).concurrent_jobs == 1

    @pytest.mark.parametrize(
        "text",
        [
            "sweep: {}\n",
            "sweep: {grid: {}}\n",
            "sweep: {trials: []}\n",
            "sweep: {grid: {epochs: [1]}, trials: [{epochs: 2}]}\n",
        ],
    )
    def test_a_grid_or_trials_and_never_both_or_none(self, file: Path, text: str) -> None:
        (problem,) = problems(file, text)
        assert problem.startswith("x.yaml:5: sweep is {")
        assert problem.endswith("}: give either sweep.grid or sweep.trials")

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "sweep:\n  grid:\n    epochs: [1, 2]\n    adapter_size: [4, 3]\n",
                ["x.yaml:8: gemini-2.5-flash has no adapter of size 3: choose one of 1, 2, 4, 8, 16"],
            ),
            (
                "sweep:\n  grid:\n    adapter_size:\n    - 4\n    - 32\n    - 5\n",
                [
                    "x.yaml:9: gemini-2.5-flash has no adapter of size 32: choose one of 1, 2, 4, 8, 16",
                    "x.yaml:10: gemini-2.5-flash has no adapter of size 5: choose one of 1, 2, 4, 8, 16",
                ],
            ),
            (
                "sweep:\n  trials:\n  - {adapter_size: 4}\n  - epochs: 2\n    adapter_size: 3\n",
                ["x.yaml:9: gemini-2.5-flash has no adapter of size 3: choose one of 1, 2, 4, 8, 16"],
            ),
            (
                "sweep:\n  trials:\n  - adapter_size: true\n  - adapter_size: '3'\n",
                [
                    "x.yaml:7: sweep.trials.0.adapter_size is True: input should be a valid integer",
                    "x.yaml:8: sweep.trials.1.adapter_size is '3': input should be a valid integer",
                ],
            ),
            (
                "sweep:\n  grid:\n    epochs: [1, 0]\n    learning_rate_multiplier: [11]\n    attempt: [0]\n",
                [
                    "x.yaml:7: sweep.grid.epochs.1 is 0: input should be greater than or equal to 1",
                    "x.yaml:8: sweep.grid.learning_rate_multiplier.0 is 11: input should be less than or equal to 10",
                    "x.yaml:9: sweep.grid.attempt.0 is 0: input should be greater than or equal to 1",
                ],
            ),
            (
                "sweep:\n  grid:\n    epochs: []\n",
                ["x.yaml:7: sweep.grid.epochs is []: list should have at least 1 item after validation, not 0"],
            ),
            (
                "sweep:\n  grid:\n    epochs: 3\n",
                ["x.yaml:7: sweep.grid.epochs is 3: input should be a valid list"],
            ),
            (
                "sweep: {grid: {epochs: [1]}, concurrent_jobs: 0}\n",
                ["x.yaml:5: sweep.concurrent_jobs is 0: input should be greater than or equal to 1"],
            ),
        ],
    )
    def test_a_wrong_value_is_named_with_its_line(self, file: Path, text: str, said: list[str]) -> None:
        assert problems(file, text) == said

    def test_wrong_sizes_are_said_beside_other_mistakes(self, file: Path) -> None:
        found = problems(file, "sweep:\n  grid: nothing\n  trials: 3\n  concurrent_jobs: no\n")
        assert [one.split(":")[1] for one in found] == ["6", "7", "8"]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (
                "sweep:\n  gird: {epochs: [1]}\n",
                "x.yaml:6: sweep.gird is not a key of an experiment: did you mean grid?",
            ),
            (
                "sweep:\n  grid:\n    epochs: [1]\n    adaptor_size: [1]\n",
                "x.yaml:8: sweep.grid.adaptor_size is not a key of an experiment: did you mean adapter_size?",
            ),
            (
                "sweep:\n  trials:\n  - epochs: 1\n  - epoch: 2\n",
                "x.yaml:8: sweep.trials.1.epoch is not a key of an experiment: did you mean epochs?",
            ),
            (
                "sweep:\n  trials:\n  - epochs: 1\n    zzz: 2\n",
                "x.yaml:8: sweep.trials.0.zzz is not a key of an experiment (there are: epochs, adapter_size,"
                " learning_rate_multiplier, attempt)",
            ),
            (
                "sweep:\n  trials:\n  - epochs: 1\n    timeout_minutes: 2\n",
                "x.yaml:8: sweep.trials.0.timeout_minutes is not a key of an experiment: did you mean"
                " tuning.timeout_minutes?",
            ),
        ],
    )
    def test_an_unknown_key_with_what_was_meant(self, file: Path, text: str, said: str) -> None:
        assert said in problems(file, text)

    def test_as_many_as_are_allowed(self) -> None:
        assert len(names(Sweep(grid=Grid(epochs=list(range(1, 51)))))) == 50
        assert len(names(Sweep(trials=[Trial(epochs=n) for n in range(1, 51)]))) == 50

    def test_too_many(self, file: Path) -> None:
        ten = list(range(1, 11))
        (problem,) = problems(file, f"sweep: {{grid: {{epochs: {ten}, attempt: {ten}}}}}\n")
        assert problem.startswith("x.yaml:5: sweep is ") and problem.endswith(
            "}: sweep.grid has 100 combinations: at most 50 are tried"
        )
        trials = "".join(f"  - epochs: {n}\n" for n in range(1, 52))
        (problem,) = problems(file, f"sweep:\n  trials:\n{trials}")
        assert problem.startswith("x.yaml:6: sweep.trials is ")
        assert problem.endswith(": list should have at most 50 items after validation, not 51")

    def test_a_grid_too_large_to_be_listed_is_only_counted(self, file: Path) -> None:
        many = str([1] * 3000)
        (problem,) = problems(file, f"sweep: {{grid: {{epochs: {many}, adapter_size: {many}, attempt: {many}}}}}\n")
        assert problem.endswith("sweep.grid has 27000000000 combinations: at most 50 are tried")

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("grid: {epochs: [2, 3, 2]}", "epochs=2"),
            ("grid: {epochs: [2], learning_rate_multiplier: [1, 1.0]}", "epochs=2 learning_rate_multiplier=1"),
            ("trials: [{epochs: 2, adapter_size: 4}, {adapter_size: 4, epochs: 2}]", "epochs=2 adapter_size=4"),
            ("trials: [{}, {}]", "defaults"),
        ],
    )
    def test_the_same_twice(self, file: Path, text: str, name: str) -> None:
        (problem,) = problems(file, f"sweep: {{{text}}}\n")
        assert problem.endswith(f": the trial {name} is there twice: to repeat one, give each an attempt of its own")

    def test_values_that_differ_little_are_not_the_same(self) -> None:
        assert names(Sweep(grid=Grid(learning_rate_multiplier=[0.1234567, 0.1234568]))) == [
            "learning_rate_multiplier=0.1234567",
            "learning_rate_multiplier=0.1234568",
        ]

    @given(st.lists(VALUES, min_size=1, max_size=8, unique_by=lambda one: tuple(sorted(one.items()))))
    def test_every_trial_has_a_name_of_its_own_and_what_it_asks_for(self, given_: list[dict[str, Any]]) -> None:
        sweep = Sweep(trials=[Trial.model_validate(one) for one in given_])
        tuning = Tuning(epochs=7, adapter_size=2, attempt=3, description="as before")
        settings = sweep.settings(tuning)
        assert len(settings) == len(given_)
        for (name, made), one in zip(settings.items(), given_, strict=True):
            assert made == tuning.model_copy(update=one)
            assert all(f"{key}=" in name for key in one) and name == (name if one else "defaults")
        assert Sweep.model_validate_json(sweep.model_dump_json()).settings(tuning) == settings

    def test_it_survives_the_json_in_which_it_is_staged(self, file: Path) -> None:
        experiment = load(file, "sweep: {grid: {epochs: [1, 2]}}\n")
        file.write_text(experiment.model_dump_json(indent=2), "utf-8")
        assert load_experiment(str(file)) == experiment
        plain = load(file, "")
        assert plain.sweep is None
        file.write_text(plain.model_dump_json(indent=2), "utf-8")
        assert load_experiment(str(file)).sweep is None


class TestLabels:
    def test_what_is_allowed(self, file: Path) -> None:
        longest = {"a" * 63: "0-_" * 21, "a-1_b": "", "team": "search"}
        text = "".join(f"    {key}: '{value}'\n" for key, value in longest.items())
        assert load(file, f"tuning:\n  labels:\n{text}").tuning.labels == longest

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("Team", "x"),
            ("1team", "x"),
            ("_team", "x"),
            ("te am", "x"),
            ("a" * 64, "x"),
            ("team", "Search"),
            ("team", "a.b"),
            ("team", "a b"),
            ("team", "a\n"),
            ("team", "é"),
            ("team", "a" * 64),
        ],
    )
    def test_what_is_not(self, file: Path, key: str, value: str) -> None:
        (problem,) = problems(file, f"tuning:\n  labels: {json.dumps({key: value})}\n")
        assert problem.startswith("x.yaml:6: tuning.labels is {")
        assert problem.endswith(
            f"{key}: {value} cannot be a label: keys and values have up to 63 lower-case letters, digits, _ and -, and"
            " a key begins with a letter"
        )

    @pytest.mark.parametrize("key", OWN_LABELS)
    def test_those_of_the_run_itself(self, file: Path, key: str) -> None:
        (problem,) = problems(file, f"tuning:\n  labels: {{{key}: x}}\n")
        assert problem.endswith(f": {key} is a label that the run sets itself: take another name")

    def test_a_number_is_no_text(self, file: Path) -> None:
        (problem,) = problems(file, "tuning:\n  labels:\n    cost: 12\n")
        assert problem == "x.yaml:7: tuning.labels.cost is 12: input should be a valid string"


class TestWhatAJobCarries:
    KEY = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"

    def test_a_key_and_an_account(self, file: Path) -> None:
        text = f"tuning:\n  kms_key: {self.KEY}\n  service_account: tuner@p.iam.gserviceaccount.com\n"
        tuning = load(file, text).tuning
        assert (tuning.kms_key, tuning.service_account) == (self.KEY, "tuner@p.iam.gserviceaccount.com")

    @pytest.mark.parametrize("key", ["k", f"{KEY}/cryptoKeyVersions/1", KEY.replace("/keyRings/r", ""), f"/{KEY}", ""])
    def test_no_key(self, file: Path, key: str) -> None:
        assert problems(file, f"tuning: {{kms_key: '{key}'}}\n") == [
            f"x.yaml:5: tuning.kms_key is {key!r}: A key of your own for the model, where the base model allows one:"
            " projects/P/locations/REGION/keyRings/R/cryptoKeys/K."
        ]

    @pytest.mark.parametrize("account", ["tuner", "a@b@c", "a b@c", "@c", "a@", ""])
    def test_no_account(self, file: Path, account: str) -> None:
        assert problems(file, f"tuning: {{service_account: '{account}'}}\n") == [
            f"x.yaml:5: tuning.service_account is {account!r}: What the job runs as:"
            " NAME@PROJECT.iam.gserviceaccount.com."
        ]

    def test_what_the_job_computes(self, file: Path) -> None:
        assert load(file, "tuning: {evaluation: [bleu, rouge]}\n").tuning.evaluation == ["bleu", "rouge"]
        (problem,) = problems(file, "tuning: {evaluation: [bleu, rouge_l]}\n")
        assert problem == "x.yaml:5: tuning.evaluation.1 is 'rouge_l': input should be 'exact_match', 'bleu' or 'rouge'"

    def test_how_a_checkpoint_is_chosen(self, file: Path) -> None:
        assert load(file, "").tuning.checkpoint == "metric"
        assert load(file, "tuning: {checkpoint: loss}\n").tuning.checkpoint == "loss"
        (problem,) = problems(file, "tuning: {checkpoint: best}\n")
        assert problem == "x.yaml:5: tuning.checkpoint is 'best': input should be 'metric', 'loss' or 'last'"


class TestBaseModel:
    @pytest.mark.parametrize("model", [MODEL, f"{MODEL}@2", f"{MODEL}@champion", "champion"])
    def test_a_tuned_one_is_looked_up_later(self, file: Path, model: str) -> None:
        head = HEAD.replace("gemini-2.5-flash", model)
        file.write_text(f"{head}tuning: {{adapter_size: 3, from_checkpoint: '2'}}\n", "utf-8")
        experiment = load_experiment(str(file))
        assert experiment.base_model == model and is_tuned(model)

    @pytest.mark.parametrize(
        ("model", "hint"),
        [
            (MODEL.replace("/models/", "/endpoints/"), ": an endpoint answers, but what is tuned further is its model"),
            ("publishers/google/models/gemini-2.5-flash", ""),
            (f"{MODEL}@", ""),
            (f"{MODEL}/versions/2", ""),
            ("projects/p/models/12", ""),
        ],
    )
    def test_another_resource(self, file: Path, model: str, hint: str) -> None:
        found = problems(file, "", HEAD.replace("gemini-2.5-flash", model))
        assert found[0] == (
            f"x.yaml:3: base_model is {model!r}: must be a model's id or"
            f" projects/PROJECT/locations/REGION/models/ID[@VERSION]{hint}"
        )
        assert len(found) == 1, "one mistake, said once"

    def test_a_champion_misspelt_is_a_model_that_nobody_knows(self, file: Path) -> None:
        (problem,) = problems(file, "", HEAD.replace("gemini-2.5-flash", "champion@2"))
        assert problem.startswith("x.yaml:3: champion@2 is not a model that can be tuned")


class Inner(Section):
    """Some section."""


@pytest.mark.parametrize(
    ("annotation", "section"),
    [
        (Inner, Inner),
        (Inner | None, Inner),
        (list[Inner], Inner),
        (Inner | Grid, None),
        (dict[str, Inner], None),
        (list[str], None),
        (str | None, None),
        (Annotated[int, "x"], None),
        (type(None), None),
        (int, None),
        (None, None),
    ],
)
def test_the_section_that_a_key_holds(annotation: Any, section: type[Section] | None) -> None:
    assert section_in(annotation) is section
