"""Scores, gradients and the optimizer."""

from itertools import pairwise

import numpy as np
import pytest

from tests.learning.toys import Training, fit, intents, questions, user
from vertex_emulator.standin import Settings, StandIn
from vertex_emulator.standin.ranker import Adapter, Example, add_gradients, mapped_strings, scores
from vertex_emulator.standin.strings import string_vectors
from vertex_emulator.standin.training import LEARNING_RATE, Adam, learning_rate

PROMPT = "Labels: [lost_card, top_up]\nText: Is the card lost in Oslo?"


@pytest.fixture(scope="module")
def model() -> StandIn:
    return fit(intents(16, seed=1, place="prompt"), Settings(1, 1.0, 2)).model


def prepared(model: StandIn) -> tuple[Example, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    page = model.read("", user(PROMPT))
    found = model.find(page)
    vectors = string_vectors(found.strings, model.answer_numbers)
    return model.prepare(page, found, range(len(found.strings))), vectors


def test_a_fresh_adapter_changes_no_score() -> None:
    base = StandIn.base()
    example, vectors = prepared(base)
    expected = scores(base.adapter, example, mapped_strings(base.adapter, vectors))
    other = Adapter.fresh(16, 0, 0, np.random.default_rng(5))
    assert np.array_equal(scores(other, example, mapped_strings(other, vectors)), expected)


def test_gradients_are_the_slopes_of_the_scores(model: StandIn) -> None:
    example, vectors = prepared(model)
    adapter = model.adapter.copy()
    random = np.random.default_rng(0)
    errors = random.standard_normal(len(example.features.hot)).astype(np.float32)
    mapped = mapped_strings(adapter, vectors)
    gradients = {name: np.zeros_like(array) for name, array in adapter.parameters().items()}
    onto = np.zeros_like(mapped)
    add_gradients(gradients, adapter, example, mapped, errors, onto)
    gradients["strings_out"] += onto @ vectors

    def weighted() -> float:
        return float(scores(adapter, example, mapped_strings(adapter, vectors)).astype(np.float64) @ errors)

    for name, array in adapter.parameters().items():
        direction = random.standard_normal(array.shape).astype(np.float32)
        kept = array.copy()
        array[...] = kept + np.float32(0.01) * direction
        above = weighted()
        array[...] = kept - np.float32(0.01) * direction
        below = weighted()
        array[...] = kept
        slope = (above - below) / 0.02
        assert slope == pytest.approx(float(np.sum(gradients[name] * direction)), rel=0.01, abs=0.01), name
        assert np.any(gradients[name] != 0), name


@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_adapter_has_the_rank_of_its_size(size: int) -> None:
    adapter = fit(questions(32, seed=2), Settings(2, 1.0, size)).model.adapter
    assert adapter.size == size
    change = adapter.flags_in.astype(np.float64) @ adapter.features_out
    singular = np.linalg.svd(change, compute_uv=False)
    assert np.count_nonzero(singular > 1e-6 * singular[0]) == size
    assert adapter.words_in.shape[1] == adapter.strings_out.shape[0] == 16 * size


def test_adam_goes_down() -> None:
    weights = np.full(3, 5, dtype=np.float32)
    adam = Adam({"weights": weights})
    for _ in range(300):
        adam.step({"weights": 2 * weights}, 0.1)
    assert np.abs(weights).max() < 0.1


def test_learning_rate_rises_then_falls() -> None:
    rates = [learning_rate(step, 100, 2.0) for step in range(1, 101)]
    assert rates[9] == max(rates) == pytest.approx(2 * LEARNING_RATE)
    assert rates[:10] == sorted(rates[:10])
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[0] == pytest.approx(rates[9] / 10)
    assert rates[-1] == pytest.approx(rates[9] / 10)
    assert learning_rate(1, 1, 1.0) == pytest.approx(LEARNING_RATE)


def test_training_leaves_reported_models_alone(question_training: Training) -> None:
    weights = [model.adapter.features_out for _, model, _ in question_training.epochs]
    assert not any(np.shares_memory(first, second) for first, second in pairwise(weights))
    assert not np.array_equal(weights[1], weights[2])
