"""Frames: learnt from targets, read, filled in, and kept."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.toys import articles, exact_match, fit, intents, questions, shuffled, user
from vertex_emulator.standin import Record, StandIn
from vertex_emulator.standin.frames import Frame, learn_frame

NAMES = ["Ann", "Bob Ray", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal"]
PROMPTS = [f"{name} called, room {place}." for place, name in enumerate(NAMES, start=11)]


def learn(targets: list[str], prompts: list[str] = PROMPTS) -> Frame:
    frame = learn_frame(prompts, targets)
    assert frame
    return frame


def bookings(count: int, seed: int) -> list[Record]:
    """Extraction of a room and a day, often not given, as JSON; other numbers and days are in the way."""
    chance = random.Random(seed)
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
    records = []
    for _ in range(count):
        room, guests = (str(number) for number in chance.sample(range(100, 999), 2))
        day, other = chance.sample(days, 2)
        given = chance.random() < 0.7
        lines = [
            chance.choice([f"We would like to book room {room}", f"Please keep room {room} for us"])
            + (f" on {day}." if given else "."),
            f"Call extension {guests}.",
            f"It rained since {other}.",
        ]
        chance.shuffle(lines)
        target = json.dumps({"room": room, "day": day if given else None})
        records.append(Record("Answer in JSON.", user(" ".join(lines)), target))
    return records


def test_the_frame_is_what_all_targets_share() -> None:
    targets = [json.dumps({"name": name, "age": None}) for name in NAMES]
    frame = learn(targets)
    assert frame.literals == ('{"name": ', ', "age": null}')
    assert (frame.slots[0].opening, frame.slots[0].closing) == ('"', '"')
    assert [frame.read(target) for target in targets] == [(name,) for name in NAMES]
    assert [frame.write((name,)) for name in NAMES] == targets


def test_what_is_repeated_but_not_copied_is_a_constant() -> None:
    values = ["Ann", None, "Cleo", "Dan", None, "Finn", "Gus", None]
    frame = learn([json.dumps({"name": value, "urgent": value is None}) for value in values])
    name, urgent = frame.slots
    assert (name.opening, name.closing, name.constants) == ('"', '"', ("null",))
    assert set(urgent.constants) == {"true", "false"}
    assert frame.read('{"name": null, "urgent": true}') == ("null", "true")
    assert json.loads(frame.write(("null", "true"))) == {"name": None, "urgent": True}
    assert json.loads(frame.write(('Jo "x" \\', "false"))) == {"name": 'Jo "x" \\', "urgent": False}


def test_a_repeated_value_that_prompts_have_is_no_constant() -> None:
    prompts = ["Ann called.", "Ann wrote.", *PROMPTS[1:]]
    frame = learn([f"Name: {name}" for name in ["Ann", "Ann", *NAMES[1:]]], prompts)
    assert frame.slots[0].constants == ()


def test_lines_of_keys_and_values_make_a_frame() -> None:
    frame = learn([f"Name: {name}\nRoom: {room}." for room, name in enumerate(NAMES, start=11)])
    assert frame.literals == ("Name: ", "\nRoom: ", ".")
    assert [slot.name for slot in frame.slots] == ["Name", "Room"]
    assert frame.slots[1].takes("7.5")
    assert not frame.slots[1].takes("seven")
    assert frame.slots[0].takes("seven")
    assert frame.write(("Ida", "7")) == "Name: Ida\nRoom: 7."


@pytest.mark.parametrize("text", ["", "Ida", "Name: Ida", "Room: 7.\nName: Ida", "Name: Ida\nRoom: 7"])
def test_other_texts_do_not_fit(text: str) -> None:
    frame = learn([f"Name: {name}\nRoom: {room}." for room, name in enumerate(NAMES, start=11)])
    assert frame.read(text) is None


def test_one_odd_target_does_not_hide_the_frame() -> None:
    targets = [f"Name: {name}." for name in NAMES * 2]
    frame = learn([*targets, "I do not know"], [*PROMPTS, *PROMPTS, "Nobody."])
    assert frame.literals == ("Name: ", ".")


@settings(deadline=None, max_examples=60)
@given(st.text(), st.text())
def test_any_text_in_a_slot_is_valid_json_and_is_read_again(name: str, room: str) -> None:
    frame = learn([json.dumps({"name": name, "room": f"{room}th"}) for room, name in enumerate(NAMES, start=11)])
    answer = frame.write((name, room))
    assert json.loads(answer) == {"name": name, "room": room}
    if not {"name", "room"} & set(name.split('"') + room.split('"')):
        assert frame.read(answer) == (name, room)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.text(max_size=6), st.text('ab": ,{}', max_size=8)), max_size=12))
def test_any_targets_can_be_looked_at(records: list[tuple[str, str]]) -> None:
    frame = learn_frame([prompt for prompt, _ in records], [target for _, target in records])
    if frame:
        assert any(frame.read(target) is not None for _, target in records)


@pytest.mark.parametrize("records", [articles(40, 1), intents(40, 1, "prompt"), questions(40, 1)])
def test_prose_labels_and_short_answers_have_no_frame(records: list[Record]) -> None:
    assert fit(records).model.frame is None


def test_targets_without_differences_and_few_targets_have_no_frame() -> None:
    assert learn_frame(PROMPTS, ["Name: Ann."] * len(PROMPTS)) is None
    assert learn_frame(PROMPTS[:4], [f"Name: {name}." for name in NAMES[:4]]) is None
    assert learn_frame([], []) is None


def test_slots_are_learnt_and_kept(tmp_path: Path) -> None:
    held_out = bookings(40, seed=9)
    model = fit(bookings(64, seed=1)).model
    assert exact_match(StandIn.base(), held_out) == 0
    assert exact_match(model, held_out) >= 0.8
    model.save(tmp_path / "model.npz")
    loaded = StandIn.load(tmp_path / "model.npz")
    assert loaded.frame == model.frame
    assert [loaded.answer(r.system, r.turns) for r in held_out] == [model.answer(r.system, r.turns) for r in held_out]


def test_shuffled_targets_teach_the_frame_but_nothing_to_put_in() -> None:
    held_out = bookings(40, seed=9)
    control = fit(shuffled(bookings(64, seed=1))).model
    assert all(json.loads(control.answer(r.system, r.turns)).keys() == {"room", "day"} for r in held_out)
    assert exact_match(control, held_out) <= 0.1


def test_one_wrong_slot_makes_an_example_wrong() -> None:
    records = bookings(48, seed=1)
    odd = [Record(r.system, r.turns, json.dumps({"room": "zeta", "day": None})) for r in records[:4]]
    training = fit([*records, *odd], validation=[*bookings(8, seed=5), *odd])
    assert all(0 <= step.accuracy <= 1 and step.loss >= 0 for step in training.steps)
    metrics = training.epochs[-1][2]
    assert metrics
    assert metrics.predictions == 12
    assert metrics.accuracy <= 8 / 12


def test_continued_training_takes_the_frame_of_the_new_records() -> None:
    start = fit(bookings(48, seed=1)).model
    assert fit(questions(48, seed=1), start=start).model.frame is None
    again = fit(bookings(48, seed=2), start=start)
    assert again.steps[0].accuracy >= 0.7


def test_nothing_to_fill_in_still_gives_the_frame() -> None:
    model = fit(bookings(48, seed=1)).model
    assert json.loads(model.answer("", user("")))["day"] is None
    assert json.loads(model.answer("", ())).keys() == {"room", "day"}
