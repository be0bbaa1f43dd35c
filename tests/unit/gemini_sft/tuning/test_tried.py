import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.tuning import Selection
from gemini_sft.tuning.choosing import choose
from gemini_sft.tuning.tried import compared, is_best, job_of, tried, value
from tests.unit.gemini_sft.report.selection_sample import candidate, chosen, one_job, sweep

NUMBERS = st.none() | st.floats(0, 1)


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    """Any candidates of some jobs, any of which was taken."""
    made = [
        candidate(n, draw(NUMBERS), draw(NUMBERS), trial=f"trial {job}", job=f"job {job}")
        for job in range(draw(st.integers(1, 5)))
        for n in range(1, draw(st.integers(1, 4)) + 1)
    ]
    by = draw(st.sampled_from(CheckpointChoice))
    taken = draw(st.integers(0, len(made) - 1))
    return Selection(by=by, metric="rougeL_f", candidates=made, chosen=taken, reason="so")


def test_jobs_are_ordered_by_their_best_checkpoints() -> None:
    jobs = tried(sweep())
    assert [round(job.best.score or 0, 3) for job in jobs] == [0.423, 0.365, 0.355, 0.352]
    assert [job.taken for job in jobs] == [True, False, False, False]
    assert [job.place(job.best) for job in jobs] == [2, 2, 2, 3]


def test_the_lowest_loss_is_the_best() -> None:
    jobs = tried(sweep(by=CheckpointChoice.LOSS))
    losses = [job.best.validation_loss or 0 for job in jobs]
    assert losses == sorted(losses) and jobs[0].taken
    assert all(job.place(job.best) == 3 for job in jobs)


def test_where_less_is_better_the_lowest_score_is_the_best() -> None:
    made = [candidate(n, score, trial=name, job=name) for name, n, score in (("a", 1, 5), ("b", 1, 4), ("b", 2, 3))]
    selection = choose(made, CheckpointChoice.METRIC, "edits", lower_is_better=True)
    assert [(job.name, job.best.score) for job in tried(selection)] == [("b", 3), ("a", 5)]
    assert is_best(selection) and not is_best(selection.model_copy(update={"chosen": 0}))


def test_the_one_that_was_taken_stands_for_its_job_although_another_scores_higher() -> None:
    selection = one_job().model_copy(update={"chosen": 0})
    assert job_of(selection).best is selection.taken and not is_best(selection)
    assert is_best(one_job())


def test_of_what_cannot_be_compared_the_last_stands_for_its_job() -> None:
    made = [candidate(n, None, trial=name, job=name) for name in ("a", "b") for n in (1, 2)]
    jobs = tried(chosen([*made, candidate(1, 0.1, trial="c", job="c")]))
    assert [(job.name, job.place(job.best)) for job in jobs] == [("c", 1), ("a", 2), ("b", 2)]


def test_what_is_no_number_cannot_be_compared() -> None:
    selection = chosen([candidate(1, math.nan), candidate(2, 0.3), candidate(3, None)]).model_copy(update={"chosen": 1})
    assert [value(selection, one) for one in selection.candidates] == [None, 0.3, None]
    assert compared(selection) == [selection.candidates[1]] and is_best(selection)


def test_the_last_is_compared_by_nothing() -> None:
    selection = one_job(CheckpointChoice.LAST)
    assert compared(selection) == [] and not is_best(selection)
    assert job_of(selection).place(selection.taken) == 3


def test_the_last_of_each_trial_are_compared_by_the_metric() -> None:
    made = [
        candidate(epoch, score, trial=trial, job=trial)
        for trial, epoch, score in (("a", 1, None), ("a", 2, 0.3), ("b", 1, None), ("b", 2, 0.5), ("c", 1, 0.4))
    ]
    selection = choose(made, CheckpointChoice.LAST, "f1")
    assert [job.name for job in tried(selection)] == ["b", "c", "a"]
    assert [one.score for one in compared(selection)] == [0.3, 0.5, 0.4] and is_best(selection)


@given(selections())
def test_every_candidate_is_in_one_job_in_its_order(selection: Selection) -> None:
    jobs = tried(selection)
    assert sorted(one.name for one in jobs) == selection.trials
    for job in jobs:
        assert [one for one in selection.candidates if one.trial == job.name] == list(job.candidates)
        assert job.best in job.candidates
    assert [job.name for job in jobs if job.taken] == [selection.taken.trial]


@pytest.mark.parametrize("by", CheckpointChoice)
def test_equal_candidates_are_told_apart(by: CheckpointChoice) -> None:
    """The same job twice: what stands in the list is a checkpoint, not its values."""
    twin = candidate(1, 0.5, 0.5)
    selection = chosen([twin, twin.model_copy()], by).model_copy(update={"chosen": 1})
    assert job_of(selection).place(selection.taken) == 2
