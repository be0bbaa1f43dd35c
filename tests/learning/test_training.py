"""What training reports, and that it can be repeated."""

import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.learning.toys import (
    Training,
    articles,
    exact_match,
    fit,
    intents,
    questions,
    user,
)
from vertex_emulator.standin import Record, Settings, StandIn, default_epochs, steps_per_epoch, train
from vertex_emulator.standin import lessons as lessons_module

BASE = StandIn.base()


def test_step_0_is_the_base(question_training: Training) -> None:
    epoch, untouched, metrics = question_training.epochs[0]
    assert (epoch, metrics and metrics.step, metrics and metrics.epoch) == (0, 0, 0)
    for record in [*questions(10, seed=9), *articles(5, seed=9), *intents(5, seed=9, place="system")]:
        assert untouched.answer(record.system, record.turns) == BASE.answer(record.system, record.turns)


def test_an_adapter_that_learnt_nothing_answers_as_the_base() -> None:
    records = intents(24, seed=1, place="prompt")
    remembering, _ = lessons_module.remember(StandIn.base(), records, 4, np.random.default_rng(1))
    assert remembering.memory
    named = Record("", user("Is the lost card a lost card?\nYes."), "")
    for record in [named, *records, *intents(8, seed=2, place="nowhere"), *questions(8, seed=1)]:
        assert remembering.answer(record.system, record.turns) == BASE.answer(record.system, record.turns)


def test_answers_seen_once_are_remembered_only_of_a_closed_set() -> None:
    def remembered(targets: list[str]) -> set[str]:
        records = [Record("", user(f"Message {number}."), target) for number, target in enumerate(targets)]
        return set(lessons_module.remember(BASE, records, 1, np.random.default_rng(0))[0].memory)

    assert remembered([*"aaabbbcd"]) == {*"abcd"}
    assert remembered([*"aabbcdefgh"]) == {*"ab"}
    assert remembered([*"aacdefgh"]) == set()


def test_what_was_learnt_stays_when_there_is_more_to_learn(intent_training: Training) -> None:
    start = intent_training.model
    grown, _ = lessons_module.remember(start, questions(64, seed=5), 6, np.random.default_rng(1))
    assert len(grown.memory) > len(start.memory)
    assert len(grown.vocabulary.numbers) > len(start.vocabulary.numbers)
    for name, number in start.answer_numbers.items():
        old = start.adapter.strings_out[:, number]
        new = grown.adapter.strings_out[:, grown.answer_numbers[name]]
        assert np.array_equal(new[: len(old)], old)
        assert not new[len(old) :].any()
    for word, number in start.vocabulary.numbers.items():
        old, new = start.adapter.words_in[number], grown.adapter.words_in[grown.vocabulary.numbers[word]]
        assert np.array_equal(new[: len(old)], old)


def test_every_step_and_epoch_is_reported(question_training: Training) -> None:
    assert [step.step for step in question_training.steps] == list(range(1, 49))
    assert [step.epoch for step in question_training.steps] == sorted([1, 2, 3, 4] * 12)
    assert {step.predictions for step in question_training.steps} == {8}
    validations = [metrics for _, _, metrics in question_training.epochs]
    assert [(m.step, m.epoch, m.predictions) for m in validations if m] == [
        (0, 0, 24),
        (12, 1, 24),
        (24, 2, 24),
        (36, 3, 24),
        (48, 4, 24),
    ]
    assert question_training.epochs[-1][1] is question_training.model


def test_validation_improves(question_training: Training) -> None:
    first, last = question_training.epochs[0][2], question_training.epochs[-1][2]
    assert first
    assert last
    assert last.loss < first.loss / 2
    assert last.accuracy > first.accuracy + 0.5


def test_without_validation_records_there_are_no_metrics(intent_training: Training) -> None:
    assert [metrics for _, _, metrics in intent_training.epochs] == [None] * 5


def test_records_that_nothing_can_answer_are_counted_but_teach_nothing() -> None:
    good = questions(16, seed=1)
    hopeless = [Record("", user("Alpha beta gamma."), f"Zeta{number} theta{number}") for number in range(16)]
    training = fit(good + hopeless, Settings(8, 1.0, 4), validation=good[:4] + hopeless[:4])
    assert sum(step.predictions for step in training.steps) == 8 * 32
    assert all(math.isfinite(step.loss) for step in training.steps)
    metrics = training.epochs[-1][2]
    assert metrics
    assert (metrics.accuracy, metrics.predictions) == (0.5, 8)
    only = fit(hopeless[:4], Settings(1, 1.0, 4), validation=hopeless[:2])
    assert [(step.loss, step.accuracy, step.predictions) for step in only.steps] == [(0.0, 0.0, 4)]
    assert only.model.answer("", user("Alpha beta gamma.")) == "Alpha beta gamma."


@pytest.mark.parametrize("multiplier", [1e-9, 10.0, 1e12])
def test_loss_is_finite_at_any_learning_rate(multiplier: float) -> None:
    records = intents(24, seed=1, place="nowhere") + questions(24, seed=1)
    training = fit(records, Settings(4, multiplier, 4), validation=questions(8, seed=2))
    assert all(math.isfinite(step.loss) and step.loss >= 0 for step in training.steps)
    assert all(metrics and math.isfinite(metrics.loss) for _, _, metrics in training.epochs)
    assert training.model.answer("", records[0].turns)


def test_the_same_settings_give_the_same_file(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.learning.toys import *\n"
        "records = intents(16, 1, 'system') + questions(16, 1)\n"
        "fit(records, Settings(2, 1.0, 4, seed=3)).model.save(Path(sys.argv[1]))\n"
    )
    digests = set()
    for hash_seed in ("1", "2"):
        path = tmp_path / f"{hash_seed}.npz"
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path.cwd())}
        subprocess.run([sys.executable, "-c", code, str(path)], env=environment, check=True)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_seed_changes_the_weights() -> None:
    records = questions(16, seed=1)
    first, second = (fit(records, Settings(1, 1.0, 4, seed=seed)).model.adapter for seed in (0, 1))
    assert not (first.flags_in == second.flags_in).all()


def test_of_too_many_candidates_a_sample_is_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    records, held_out = questions(48, seed=1), questions(30, seed=9)
    exact = fit(records, validation=records)
    monkeypatch.setattr(lessons_module, "_CANDIDATE_BUDGET", 0)
    monkeypatch.setattr(lessons_module, "_MIN_CANDIDATES", 80)
    sampled = fit(records, validation=records)
    first, estimate = exact.epochs[0][2], sampled.epochs[0][2]
    assert first
    assert estimate
    assert estimate.loss != first.loss
    assert estimate.loss == pytest.approx(first.loss, rel=0.1)
    assert exact_match(sampled.model, held_out) >= exact_match(exact.model, held_out) - 0.1


def test_a_sample_stands_for_all_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons_module, "_MIN_CANDIDATES", 50)
    strings = lessons_module.Strings({})
    teacher = lessons_module.Teacher(BASE, strings, 10**9, np.random.default_rng(0))
    record = questions(1, seed=1)[0]
    lesson, candidates, full = teacher.prepare(record.target, BASE.read(record.system, record.turns))
    assert len(lesson.corrections) == len(lesson.example.features.hot) == 50
    assert len(candidates) == len(full.features.hot) > 60
    assert np.exp(lesson.corrections).sum() == pytest.approx(len(candidates))
    assert lesson.right.any()


def test_defaults_of_the_service() -> None:
    assert [steps_per_epoch(count) for count in (1, 8, 9, 800)] == [1, 1, 2, 100]
    assert [default_epochs(count) for count in (1, 100, 500, 800, 10_000)] == [8, 8, 6, 4, 3]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, 1.0, 4), "epochs"),
        ((1, 0.0, 4), "multiplier"),
        ((1, math.nan, 4), "multiplier"),
        ((1, 1.0, 0), "adapter_size"),
    ],
)
def test_impossible_settings_are_refused(values: tuple[int, float, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings(*values)


def test_training_without_records_is_refused() -> None:
    def ignore(*_: object) -> None:
        return None

    with pytest.raises(ValueError, match="no training records"):
        train([], [], Settings(1, 1.0, 4), on_step=ignore, on_epoch=ignore)
    with pytest.raises(ValueError, match="record 0 has no turn"):
        train([Record("", (), "x")], [], Settings(1, 1.0, 4), on_step=ignore, on_epoch=ignore)
