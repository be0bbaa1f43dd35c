"""The stand-in learns what the records teach, and nothing from records that teach nothing."""

import random

import pytest

from tests.learning.toys import (
    Training,
    articles,
    exact_match,
    fit,
    intents,
    mean_reward,
    orders,
    questions,
    shuffled,
    user,
)
from vertex_emulator.standin import Record, Settings, StandIn

BASE = StandIn.base()
LABELS = ["Hull", "Mast", "Sail", "Keel", "Deck", "Crew", "Port", "Flag"]


def test_questions_are_learnt(question_training: Training) -> None:
    held_out = questions(30, seed=9)
    assert exact_match(BASE, held_out) <= 0.1
    assert exact_match(question_training.model, held_out) >= 0.8


def test_shuffled_answers_teach_nothing_about_questions() -> None:
    control = fit(shuffled(questions(80, seed=1)))
    assert exact_match(control.model, questions(30, seed=9)) <= 0.2


def test_the_order_number_is_told_from_others() -> None:
    held_out = orders(30, seed=9)
    assert exact_match(BASE, held_out) == 0
    assert exact_match(fit(orders(48, seed=1)).model, held_out) >= 0.9
    assert exact_match(fit(shuffled(orders(48, seed=1))).model, held_out) <= 0.1


@pytest.mark.parametrize("place", ["prompt", "system", "nowhere"])
def test_labels_are_learnt(place: str) -> None:
    train_set, held_out = intents(96, seed=3, place=place), intents(60, seed=9, place=place)
    base = exact_match(BASE, held_out)
    assert base == 0 if place == "nowhere" else base > 0
    assert exact_match(fit(train_set).model, held_out) >= max(0.85, base + 0.3)
    if place != "system":
        assert exact_match(fit(shuffled(train_set)).model, held_out) <= 0.3


def test_the_label_list_of_the_system_instruction_is_read() -> None:
    turns = user("Rain in the garden.")
    first = BASE.answer("Answer with one label.\nLabels: [garden, office]", turns)
    second = BASE.answer("Answer with one label.\nLabels: [rain_today, office]", turns)
    assert (first, second) == ("garden", "rain_today")


def test_summaries_are_learnt() -> None:
    held_out = articles(20, seed=9)
    base = mean_reward(BASE, held_out)
    tuned = mean_reward(fit(articles(40, seed=1)).model, held_out)
    control = mean_reward(fit(shuffled(articles(40, seed=1))).model, held_out)
    assert tuned >= base + 0.1
    assert tuned >= control + 0.1


def test_facts_are_chosen_by_the_words_and_labels_beside_them() -> None:
    def sheets(count: int, seed: int) -> list[Record]:
        chance = random.Random(seed)
        values = [f"{first} {second}" for first in ("red", "old", "big", "wet") for second in ("oak", "tin", "wool")]
        records = []
        for _ in range(count):
            facts = list(zip(LABELS, chance.sample(values, len(LABELS)), strict=True))
            chance.shuffle(facts)
            lines = [f"- {label}: {value}" for label, value in facts]
            target = ", ".join(value for label, value in facts if label in LABELS[:5])
            records.append(Record("", user("\n".join(["Write a text from these facts.", *lines])), target))
        return records

    held_out = sheets(20, seed=9)
    base = mean_reward(BASE, held_out)
    tuned = mean_reward(fit(sheets(48, seed=1)).model, held_out)
    control = mean_reward(fit(shuffled(sheets(48, seed=1))).model, held_out)
    assert tuned >= max(base, control) + 0.1


def test_earlier_turns_can_hold_the_answer() -> None:
    def chats(count: int, seed: int) -> list[Record]:
        records = []
        for record in orders(count, seed):
            order, message = record.turns[0][1].split("\n", 1)
            turns = (("user", message), ("model", "Thank you."), ("user", order))
            records.append(Record("", turns, record.target))
        return records

    model = fit(chats(48, seed=1)).model
    assert exact_match(model, chats(30, seed=9)) >= 0.9


def test_more_epochs_lower_the_training_loss() -> None:
    records = intents(40, seed=5, place="nowhere")
    losses = [fit(records, Settings(epochs, 1.0, 4)).last_loss for epochs in (1, 2, 5)]
    assert losses[0] > losses[1] > losses[2]


def test_the_learning_rate_multiplier_and_the_adapter_size_matter() -> None:
    records = intents(40, seed=5, place="nowhere")
    slow, usual = fit(records, Settings(3, 0.1, 4)).last_loss, fit(records, Settings(3, 1.0, 4)).last_loss
    small = fit(records, Settings(3, 1.0, 1)).last_loss
    assert slow > small > usual


def test_training_can_be_continued() -> None:
    first, second = intents(48, seed=5, place="nowhere"), questions(48, seed=6)
    start = fit(first).model
    again = fit(second, Settings(3, 1.0, 8), start=start)
    assert again.epochs[0][1] is start
    assert set(again.model.memory) >= set(start.memory)
    assert again.model.adapter.size == 8
    further = fit(first, start=start)
    assert fit(first).steps[0].accuracy <= 0.25
    assert further.steps[0].accuracy >= 0.75


def test_continuing_does_not_change_the_start() -> None:
    records = intents(16, seed=5, place="nowhere")
    start = fit(records, Settings(2, 1.0, 4)).model
    before = start.adapter.copy().parameters()
    fit(questions(16, seed=1), start=start)
    assert all((array == before[name]).all() for name, array in start.adapter.parameters().items())
