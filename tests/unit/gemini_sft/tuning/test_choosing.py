"""Which checkpoint is taken."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.cost import Bill
from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.tuning import Candidate, Curves, Selection
from gemini_sft.tuning.choosing import candidates_of, choose, to_be_asked
from gemini_sft.tuning.curves import Curve
from gemini_sft.tuning.record import Checkpoint
from tests.unit.gemini_sft.report.sample import sample_record
from tests.unit.gemini_sft.report.selection_sample import candidate

METRIC, LOSS, LAST = CheckpointChoice.METRIC, CheckpointChoice.LOSS, CheckpointChoice.LAST
GOLDEN = Path(__file__).parents[3] / "golden"

SCORES = st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1)
LOSSES = st.none() | st.sampled_from([0.0, 0.5, 2.0]) | st.floats(0, 20)


@st.composite
def trials(draw: st.DrawFn, most: int = 4) -> list[list[Candidate]]:
    """Trials of up to four checkpoints each."""
    made = []
    for number in range(draw(st.integers(1, most))):
        values = draw(st.lists(st.tuples(SCORES, LOSSES), min_size=1, max_size=4))
        named = {"trial": f"epochs={number}", "job": f"{number}"}
        made.append([candidate(epoch, score, loss, **named) for epoch, (score, loss) in enumerate(values, 1)])
    return made


def flat(made: list[list[Candidate]]) -> list[Candidate]:
    return [one for trial in made for one in trial]


def checkpoint(id_: str, epoch: int, endpoint: str = "e") -> Checkpoint:
    return Checkpoint(id=id_, epoch=epoch, step=10 * epoch, endpoint=endpoint and f"{endpoint}{epoch}")


class TestCandidates:
    def test_they_come_in_the_order_of_their_epochs_each_with_its_loss(self) -> None:
        record = sample_record(checkpoints=[checkpoint("9", 3), checkpoint("2", 1), checkpoint("10", 2)])
        curves = Curves(validation_loss=Curve(steps=[0, 9, 10, 19, 30], values=[5, 4, 3, 2, 1]))
        found = candidates_of(record, curves)
        assert [(one.checkpoint, one.epoch, one.step, one.endpoint, one.validation_loss) for one in found] == [
            ("2", 1, 10, "e1", 3),
            ("10", 2, 20, "e2", 2),
            ("9", 3, 30, "e3", 1),
        ]
        assert {(one.job, one.model, one.trial) for one in found} == {(record.job, record.model, record.trial)}
        assert all((one.n, one.failures, one.score, one.error) == (0, 0, None, None) for one in found)

    def test_one_that_answers_nowhere_is_none(self) -> None:
        record = sample_record(checkpoints=[checkpoint("1", 1), checkpoint("2", 2, ""), checkpoint("3", 3)])
        assert [one.checkpoint for one in candidates_of(record, Curves())] == ["1", "3"]

    @pytest.mark.parametrize("exported", [[], [checkpoint("1", 1, "")]], ids=["none", "none-deployed"])
    def test_a_job_that_exported_only_its_last_has_one(self, exported: list[Checkpoint]) -> None:
        record = sample_record(checkpoints=exported, epochs=4, steps=60, trial="epochs=4")
        (only,) = candidates_of(record, Curves(validation_loss=Curve(steps=[15, 60, 75], values=[3, 2, 1])))
        assert (only.checkpoint, only.epoch, only.step, only.endpoint) == ("", 4, 60, record.endpoint)
        assert (only.trial, only.validation_loss) == ("epochs=4", 2)

    def test_what_the_service_did_not_say_is_not_known(self) -> None:
        (only,) = candidates_of(sample_record(checkpoints=[], epochs=None, steps=0), Curves())
        assert (only.epoch, only.step, only.validation_loss) == (None, None, None)

    def test_a_loss_that_was_measured_later_is_not_its_own(self) -> None:
        curves = Curves(validation_loss=Curve(steps=[11], values=[0.5]))
        (only,) = candidates_of(sample_record(checkpoints=[checkpoint("1", 1)]), curves)
        assert only.validation_loss is None


class TestToBeAsked:
    THREE = tuple(candidate(n, None) for n in (1, 2, 3))

    @pytest.mark.parametrize(
        ("by", "trial", "epochs", "asked"),
        [
            (METRIC, False, 3, [1, 2, 3]),
            (METRIC, False, 1, []),
            (METRIC, True, 3, [1, 2, 3]),
            (METRIC, True, 1, [1]),
            (LOSS, False, 3, []),
            (LOSS, True, 3, []),
            (LAST, False, 3, []),
            (LAST, True, 3, [3]),
            (LAST, True, 1, [1]),
        ],
    )
    def test_only_what_decides_is_asked(self, by: CheckpointChoice, trial: bool, epochs: int, asked: list[int]) -> None:
        assert [one.epoch for one in to_be_asked(self.THREE[:epochs], by, trial=trial)] == asked


def taken(candidates: list[Candidate], by: CheckpointChoice) -> int:
    return choose(candidates, by, "rougeL_f").chosen


class TestChoosing:
    def test_by_the_metric(self) -> None:
        made = choose([candidate(1, 0.25), candidate(2, 0.5), candidate(3, 0.4)], METRIC, "rougeL_f")
        assert (made.by, made.metric, made.chosen) == (METRIC, "rougeL_f", 1)
        assert made.reason == "its rougeL_f on 30 validation examples, 0.500, is the best of 3 checkpoints"

    def test_by_a_metric_of_which_less_is_better(self) -> None:
        made = choose([candidate(1, 4.0), candidate(2, 2.5), candidate(3, 9.0)], METRIC, "edits", lower_is_better=True)
        assert (made.metric, made.lower_is_better, made.chosen) == ("edits", True, 1)
        assert made.reason == "its edits on 30 validation examples, 2.500, is the lowest of 3 checkpoints"

    def test_by_the_loss(self) -> None:
        made = choose([candidate(1, 0.9, 0.51), candidate(2, 0.1, 0.41234), candidate(3, 0.95, None)], LOSS, "f1")
        assert (made.by, made.chosen) == (LOSS, 1)
        assert made.reason == "its loss on validation, 0.4123, is the lowest of 2"

    def test_the_last(self) -> None:
        made = choose([candidate(1, None, 0.1), candidate(2, None, 0.9)], LAST, "f1")
        assert (made.by, made.chosen, made.reason) == (LAST, 1, "tuning.checkpoint is last")

    @pytest.mark.parametrize("by", CheckpointChoice)
    def test_the_only_one(self, by: CheckpointChoice) -> None:
        made = choose([candidate(3, None)], by, "f1")
        assert (made.by, made.chosen, made.reason) == (LAST, 0, "there is no other")

    @pytest.mark.parametrize(
        ("by", "lacking"), [(METRIC, "are no validation examples"), (LOSS, "is no loss on validation")]
    )
    def test_where_there_is_nothing_to_choose_by_it_is_the_last(self, by: CheckpointChoice, lacking: str) -> None:
        made = choose([candidate(1, None), candidate(2, None)], by, "f1")
        assert (made.by, made.chosen) == (LAST, 1)
        assert made.reason == f"there {lacking} to choose by, so it is the last"

    def test_of_several_trials_the_best_last_checkpoint(self) -> None:
        made = choose(
            [
                candidate(1, None, 0.1, trial="a"),
                candidate(2, 0.3, 0.4, trial="a"),
                candidate(1, 0.5, 0.9, trial="b"),
                candidate(1, 0.4, 0.2, trial="c"),
            ],
            LAST,
            "f1",
        )
        assert (made.by, made.taken.trial) == (LAST, "b")
        assert made.reason == "its f1 on 30 validation examples, 0.500, is the best of 3 last checkpoints"

    @pytest.mark.parametrize(
        ("values", "chosen"),
        [
            ([(0.5, 2.0), (0.5, 1.0), (0.5, 3.0)], 1),
            ([(0.5, 1.0), (0.5, 1.0)], 0),
            ([(0.5, None), (0.5, 9.0)], 1),
            ([(0.5, None), (0.5, None), (0.4, 0.0)], 0),
            ([(0.0, 1.0), (0.0, 1.0), (None, 0.0)], 0),
        ],
    )
    @pytest.mark.parametrize("lower", [False, True])
    def test_among_equal_scores_the_lower_loss_and_then_the_earlier(
        self, values: list[tuple[float | None, float | None]], chosen: int, lower: bool
    ) -> None:
        sign = -1 if lower else 1
        made = [candidate(n, score and sign * score, loss) for n, (score, loss) in enumerate(values, 1)]
        assert choose(made, METRIC, "f1", lower_is_better=lower).chosen == chosen

    def test_among_equal_losses_the_earlier(self) -> None:
        assert taken([candidate(1, 0.1, 0.5), candidate(2, 0.9, 0.5)], LOSS) == 0

    def test_one_that_could_not_be_scored_is_passed_over(self) -> None:
        made = choose([candidate(1, 0.1), candidate(2, None, error="quota"), candidate(3, 0.0)], METRIC, "f1")
        assert made.chosen == 0 and made.reason.endswith("is the best of 2 checkpoints")

    def test_every_job_is_on_the_bill(self) -> None:
        bills = [Bill(trial="a", tokens=1, epochs=2), Bill(trial="b", tokens=3, epochs=4)]
        assert choose([candidate(1, 0.5)], METRIC, "f1", bills).bills == bills


def worth(one: Candidate, by: CheckpointChoice, lower: bool) -> float | None:
    """What a candidate is chosen by; more is better."""
    number = one.validation_loss if by is LOSS else one.score
    return -number if number is not None and (lower or by is LOSS) else number


@given(trials(), st.sampled_from(CheckpointChoice), st.booleans())
def test_none_is_better_than_the_one_that_is_taken(
    made: list[list[Candidate]], by: CheckpointChoice, lower: bool
) -> None:
    candidates = flat(made)
    selection = choose(candidates, by, "f1", lower_is_better=lower)
    assert selection.candidates == candidates
    known = [value for one in candidates if (value := worth(one, by, lower)) is not None]
    if known:
        assert worth(selection.taken, by, lower) == max(known)
    else:
        assert selection.taken == candidates[-1]


@given(trials(), st.sampled_from([METRIC, LOSS]), st.randoms(use_true_random=False))
def test_the_order_of_trials_matters_only_among_equals(
    made: list[list[Candidate]], by: CheckpointChoice, chance: Any
) -> None:
    first = choose(flat(made), by, "f1")
    chance.shuffle(made)
    second = choose(flat(made), by, "f1")
    if first.by is LAST:  # nothing to choose by
        assert second.by is LAST
        return

    def equal(one: Candidate) -> tuple[float | None, float]:
        loss = math.inf if one.validation_loss is None else one.validation_loss
        return (one.score, loss) if by is METRIC else (None, loss)

    assert equal(first.taken) == equal(second.taken)
    if [equal(one) for one in flat(made)].count(equal(first.taken)) == 1:
        assert first.taken == second.taken


@given(trials(), st.sampled_from(CheckpointChoice))
def test_what_a_trial_made_its_default_is_what_is_taken_of_all(
    made: list[list[Candidate]], by: CheckpointChoice
) -> None:
    """Each trial chooses by itself before all are compared."""
    alone = {trial[0].trial: choose(trial, by, "f1").taken for trial in made}
    if by is LAST:
        made = [[*(one.model_copy(update={"score": None}) for one in trial[:-1]), trial[-1]] for trial in made]
        alone = {trial[0].trial: trial[-1] for trial in made}
    best = choose(flat(made), by, "f1").taken
    assert best == alone[best.trial]


@given(trials(), st.sampled_from(CheckpointChoice))
def test_a_selection_survives_its_json(made: list[list[Candidate]], by: CheckpointChoice) -> None:
    selection = choose(flat(made), by, "f1", [Bill(trial="a", tokens=1, epochs=None)])
    assert Selection.model_validate_json(selection.model_dump_json()) == selection
    assert selection.trials == [trial[0].trial for trial in made]
    assert selection.summary()["candidates"] == len(flat(made))


@pytest.mark.parametrize("pipeline", ["finetune", "sweep"])
def test_the_test_split_has_no_part_in_it(pipeline: str) -> None:
    """What leads to the choice takes train and validation at most, and none of it an evaluation."""
    spec = yaml.safe_load((GOLDEN / f"{pipeline}.yaml").read_text("utf-8"))
    dags = [part["dag"]["tasks"] for part in (spec["root"], *spec["components"].values()) if "dag" in part]
    leading = ("list trials", "tune model", "extract metrics", "select checkpoint", "select trial")
    tasks = [task for dag in dags for task in dag.values() if task["taskInfo"]["name"] in leading]
    assert len(tasks) == (3 if pipeline == "finetune" else 5)
    for task in tasks:
        given_ = task["inputs"].get("artifacts", {})
        assert not any("test" in port or "evaluat" in port or "predict" in port for port in given_)
        assert "prepare-data-test" not in str(given_) and "'outputArtifactKey': 'test'" not in str(given_)
        assert "evaluate-model" not in str(given_)
