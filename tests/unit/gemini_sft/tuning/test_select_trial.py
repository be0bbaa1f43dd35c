"""The steps of a sweep: which trials there are, and which of them goes on."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gemini_sft import storage
from gemini_sft.cost import Bill
from gemini_sft.errors import EvaluationError, UserError
from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.steps.sweep import list_trials, select_trial
from gemini_sft.tuning import Curves, Selection, TuningRecord
from gemini_sft.tuning.choosing import choose
from gemini_sft.tuning.curves import Curve
from tests.unit.gemini_sft.report.sample import sample_record
from tests.unit.gemini_sft.report.selection_sample import PLACE, candidate

OUTPUTS = ("tuning", "curves", "selection", "page")


class Sweep:
    """The files that the trials of a sweep have left, and the step that takes one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.by = CheckpointChoice.METRIC
        self.lower_is_better = False
        self.names: list[str] = []
        self.outputs = {f"{one}_uri": str(folder / "out" / one) for one in OUTPUTS}

    @property
    def experiment_uri(self) -> str:
        return str(self.folder / "x.yaml")

    def experiment(self, by: CheckpointChoice, sweep: dict[str, Any] | None) -> None:
        self.by = by
        head = {"name": "demo", "task": "chat", "base_model": "gemini-2.5-flash", "data": {"train": "t.jsonl"}}
        settings = {"tuning": {"checkpoint": by.value}} | ({"sweep": sweep} if sweep else {})
        storage.write_json(self.experiment_uri, head | settings)

    def add(self, name: str, *values: tuple[float | None, float | None]) -> None:
        """Adds a trial whose checkpoints have these scores and losses, as its own step has left it."""
        number = len(self.names)
        self.names.append(name)
        own: dict[str, Any] = {
            "trial": name, "job": f"{PLACE}/tuningJobs/{number}", "model": f"{PLACE}/models/{number}@1",
        }  # fmt: skip
        made = [
            candidate(n, score, loss, **own, endpoint=f"{PLACE}/endpoints/{number}{n}")
            for n, (score, loss) in enumerate(values, 1)
        ]
        bill = Bill(trial=name, tokens=100 + number, epochs=len(values))
        documents = {
            "tuning": sample_record(**own),
            "curves": Curves(train_loss=Curve(steps=[number], values=[1.0])),
            "selection": choose(made, self.by, "rougeL_f", [bill], lower_is_better=self.lower_is_better),
        }
        for port, document in documents.items():
            storage.write_json(str(self.folder / port / f"{number}"), document.model_dump(mode="json"))

    def inputs(self, order: Sequence[int]) -> dict[str, Any]:
        return {
            f"{port}_uris": [str(self.folder / port / f"{number}") for number in order]
            for port in ("tuning", "curves", "selection")
        }

    def run(self, order: Sequence[int] | None = None) -> Selection:
        order = range(len(self.names)) if order is None else order
        made = select_trial(experiment_uri=self.experiment_uri, **self.inputs(order), **self.outputs)
        assert Selection.model_validate(storage.read_json(self.outputs["selection_uri"])) == made
        assert made.reason[1:] in storage.read_text(self.outputs["page_uri"])
        return made

    def handed_on(self) -> tuple[str, list[int]]:
        """Whose job and curves go on."""
        record = TuningRecord.model_validate(storage.read_json(self.outputs["tuning_uri"]))
        curves = Curves.model_validate(storage.read_json(self.outputs["curves_uri"]))
        return record.trial, curves.train_loss.steps if curves.train_loss else []


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    made = Sweep(tmp_path)
    made.experiment(CheckpointChoice.METRIC, {"grid": {"epochs": [1, 2, 3]}})
    return made


def three(sweep: Sweep) -> None:
    sweep.add("epochs=1", (0.5, 0.9))
    sweep.add("epochs=2", (0.4, 0.2), (0.7, 0.8))
    sweep.add("epochs=3", (0.6, 0.5), (0.3, 0.1), (0.65, 0.7))


def test_the_best_of_all_checkpoints_goes_on_with_its_job(sweep: Sweep) -> None:
    three(sweep)
    selection = sweep.run()
    assert (selection.taken.trial, selection.taken.checkpoint) == ("epochs=2", "2")
    assert selection.reason == "its rougeL_f on 30 validation examples, 0.700, is the best of 6 checkpoints"
    assert [(one.trial, one.epoch) for one in selection.candidates] == [
        ("epochs=1", 1), ("epochs=2", 1), ("epochs=2", 2), ("epochs=3", 1), ("epochs=3", 2), ("epochs=3", 3),
    ]  # fmt: skip
    assert sweep.handed_on() == ("epochs=2", [1])


def test_where_less_is_better_the_lowest_of_all_goes_on(sweep: Sweep) -> None:
    sweep.lower_is_better = True
    three(sweep)
    selection = sweep.run()
    assert (selection.taken.trial, selection.taken.checkpoint) == ("epochs=3", "2")
    assert selection.reason == "its rougeL_f on 30 validation examples, 0.300, is the lowest of 6 checkpoints"


def test_every_job_is_on_the_bill(sweep: Sweep) -> None:
    three(sweep)
    assert sweep.run().bills == [
        Bill(trial="epochs=1", tokens=100, epochs=1),
        Bill(trial="epochs=2", tokens=101, epochs=2),
        Bill(trial="epochs=3", tokens=102, epochs=3),
    ]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_the_order_in_which_trials_come_changes_nothing(sweep: Sweep, order: list[int]) -> None:
    three(sweep)
    assert sweep.run(order).taken.trial == "epochs=2" and sweep.handed_on() == ("epochs=2", [1])


def test_by_the_loss(sweep: Sweep) -> None:
    sweep.experiment(CheckpointChoice.LOSS, {"grid": {"epochs": [1, 2, 3]}})
    three(sweep)
    selection = sweep.run()
    assert (selection.by, selection.taken.trial, selection.taken.epoch) == ("loss", "epochs=3", 2)
    assert sweep.handed_on() == ("epochs=3", [2])


def test_of_the_last_ones_the_best_by_the_metric(sweep: Sweep) -> None:
    sweep.experiment(CheckpointChoice.LAST, {"grid": {"epochs": [1, 2]}})
    sweep.add("epochs=1", (0.6, 0.9))
    sweep.add("epochs=2", (None, 0.2), (0.5, 0.3))
    selection = sweep.run()
    assert (selection.by, selection.taken.trial) == ("last", "epochs=1")
    assert sweep.handed_on() == ("epochs=1", [0])


def test_with_nothing_to_choose_by_it_is_the_last(sweep: Sweep) -> None:
    sweep.add("epochs=1", (None, None))
    sweep.add("epochs=2", (None, None), (None, None))
    selection = sweep.run()
    assert (selection.by, selection.taken.trial, selection.taken.epoch) == ("last", "epochs=2", 2)
    assert sweep.handed_on() == ("epochs=2", [1])


def test_equal_trials_are_told_apart(sweep: Sweep) -> None:
    """Another attempt may come out the same."""
    sweep.add("attempt=1", (0.5, 0.5))
    sweep.add("attempt=2", (0.5, 0.5))
    assert sweep.run().taken.trial == "attempt=1" and sweep.handed_on() == ("attempt=1", [0])


def test_one_of_its_trials_can_be_all_that_there_is(sweep: Sweep) -> None:
    sweep.add("epochs=1", (0.5, 0.5))
    assert sweep.run().taken.trial == "epochs=1"


def test_the_component_hands_on_model_and_endpoint(sweep: Sweep) -> None:
    from components.select_trial import select_trial as component

    three(sweep)
    inputs = {name.removesuffix("_uris"): uris for name, uris in sweep.inputs(range(3)).items()}
    ports = {"tuning": "tunings", "curves": "trial_curves", "selection": "selections"}
    metrics = SimpleNamespace(metadata={})
    model, model_uri, endpoint, endpoint_uri = component.python_func(
        experiment_uri=sweep.experiment_uri,
        **{ports[name]: [SimpleNamespace(uri=uri) for uri in uris] for name, uris in inputs.items()},
        **{name.removesuffix("_uri"): SimpleNamespace(uri=uri) for name, uri in sweep.outputs.items()},
        metrics=metrics,
    )
    assert (model, endpoint) == (f"{PLACE}/models/1@1", f"{PLACE}/endpoints/12")
    assert model_uri.endswith(f"/v1/{model}") and endpoint_uri.endswith(f"/v1/{endpoint}")
    assert (metrics.metadata["trial"], metrics.metadata["trials"], metrics.metadata["candidates"]) == ("epochs=2", 3, 6)


class TestListing:
    def test_the_names_are_those_by_which_settings_are_found(self, sweep: Sweep) -> None:
        sweep.experiment(CheckpointChoice.METRIC, {"grid": {"epochs": [2, 4], "adapter_size": [4, 8]}})
        assert list_trials(experiment_uri=sweep.experiment_uri) == [
            "epochs=2 adapter_size=4", "epochs=2 adapter_size=8", "epochs=4 adapter_size=4", "epochs=4 adapter_size=8",
        ]  # fmt: skip

    def test_an_experiment_without_a_sweep_has_none(self, sweep: Sweep) -> None:
        sweep.experiment(CheckpointChoice.METRIC, None)
        with pytest.raises(UserError) as caught:
            list_trials(experiment_uri=sweep.experiment_uri)
        assert str(caught.value) == ("the experiment demo has no sweep: give it one, or run the pipeline finetune")


def test_a_trial_that_could_not_be_scored_is_passed_over(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    sweep.experiment(CheckpointChoice.METRIC, {"grid": {"epochs": [1, 2]}})
    sweep.add("epochs=1", (0.25, 1.0))
    sweep.add("epochs=2", (None, 0.5))
    assert sweep.run().taken.trial == "epochs=1"


def test_a_sweep_of_which_nothing_could_be_scored_ends(tmp_path: Path) -> None:
    sweep = Sweep(tmp_path)
    sweep.experiment(CheckpointChoice.METRIC, {"grid": {"epochs": [1, 2]}})
    for number, name in enumerate(("epochs=1", "epochs=2")):
        sweep.add(name, (None, 0.5))
        uri = str(tmp_path / "selection" / f"{number}")
        document = storage.read_json(uri)
        document["candidates"][0]["error"] = "the endpoint is gone"
        storage.write_json(uri, document)
    with pytest.raises(EvaluationError, match=r"no checkpoint of any trial could be scored .*: the endpoint is gone"):
        sweep.run()
