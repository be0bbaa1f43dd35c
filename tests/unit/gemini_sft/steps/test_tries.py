"""How often what is in use was challenged with the same examples."""

import threading

import pytest

from gemini_sft import storage
from gemini_sft.decision.deciding import corrected
from gemini_sft.errors import UserError
from gemini_sft.experiment import load_experiment
from gemini_sft.steps.absent import write_absent
from gemini_sft.steps.evidence import tries_of
from gemini_sft.steps.places import TRIES, beside
from tests.unit.gemini_sft.report.step_files import arm_uris, compared
from tests.unit.gemini_sft.steps.found import (
    CHAMPION,
    IN_USE,
    TAKEN,
    Files,
    answer,
    ask,
    find,
    judged_alike,
    other_examples,
    outcome,
    take,
)


def test_each_is_held_to_more_and_so_is_whatever_stands_beside_it(files: Files) -> None:
    judged_alike(files)
    ask(files, "evaluation", few_shot=2)
    answer(files, few_shot=IN_USE)
    assert compared(files).tries == 1
    take(files, checkpoint="9")
    found, held = compared(files, "demo-2"), corrected(0.95, 2)
    assert found.tries == 2 and found.confidence == held != 0.95
    assert found.judge and found.judge.confidence == held
    assert found.few_shot and {one.confidence for one in found.few_shot.differences.values()} == {held}
    assert outcome(files).confidence == 0.95 and outcome(files, "demo-2").confidence == held


@pytest.mark.parametrize(
    ("changes", "tries"),
    [
        ({}, 1),
        ({"model": "projects/7/locations/us/models/5@1"}, 2),
        ({"checkpoint": "9"}, 2),
        ({"endpoint": "projects/7/locations/us/endpoints/5"}, 1),
    ],
    ids=["the same", "another model", "another checkpoint", "another endpoint"],
)
def test_a_try_is_a_model_that_could_answer_otherwise(files: Files, changes: dict[str, str], tries: int) -> None:
    compared(files)
    take(files, **changes)
    assert compared(files, "demo-2").tries == tries


def test_the_same_model_by_another_metric_is_another(files: Files) -> None:
    compared(files)
    ask(files, "gate", metric="rouge1_f")
    assert compared(files, "demo-2").tries == 2


def test_what_is_answered_by_chance_is_another_in_every_run(files: Files) -> None:
    compared(files)
    ask(files, "evaluation", temperature=0.7)
    assert [compared(files, run).tries for run in ("demo-2", "demo-3", "demo-3")] == [2, 3, 3]


def test_other_examples_and_another_model_in_use_begin_anew(files: Files) -> None:
    compared(files)
    take(files, checkpoint="9")
    find(files, CHAMPION)
    answer(files, champion=IN_USE)
    assert compared(files, "demo-2").tries == 1
    find(files, None)
    other_examples(files)
    assert compared(files, "demo-3").tries == 1


def test_none_is_spent_on_a_champion_that_could_not_be_asked(files: Files) -> None:
    find(files, CHAMPION)
    write_absent(arm_uris(files, "champion").evaluation, "the champion", UserError("it is gone"))
    assert compared(files).tries == 1
    assert not storage.list_files(beside(files["experiment_uri"], TRIES), deep=True)
    answer(files, champion=IN_USE)
    take(files, checkpoint="9")
    assert compared(files, "demo-2").tries == 1


def test_of_two_at_the_same_moment_each_counts_the_other(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    both, listed, counted = threading.Barrier(2, timeout=20), storage.list_files, []

    def together(folder: str) -> list[str]:
        both.wait()
        return listed(folder)

    def run(checkpoint: str) -> None:
        taken = TAKEN.model_copy(update={"checkpoint": checkpoint})
        counted.append(tries_of(experiment, files["experiment_uri"], f"run {checkpoint}", "t", "m", taken))

    experiment = load_experiment(files["experiment_uri"])
    monkeypatch.setattr(storage, "list_files", together)
    threads = [threading.Thread(target=run, args=(one,)) for one in "12"]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert counted == [2, 2]
