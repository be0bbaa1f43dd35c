"""Rewards of answers and of all candidates at once."""

import pytest

from tests.learning.toys import user
from vertex_emulator.standin.candidates import SPAN, STRING, Candidates, find_candidates
from vertex_emulator.standin.reading import read_page
from vertex_emulator.standin.rewards import Target
from vertex_emulator.standin.words import parts


def candidates(text: str, memory: tuple[str, ...] = ()) -> Candidates:
    return find_candidates(read_page("", user(text)), memory)


def rewards(found: Candidates, target: str) -> dict[str, float]:
    values = Target(target).rewards(found)
    return {found.text(number): round(float(values[number]), 3) for number in range(len(found))}


def test_reward_is_half_unigram_and_half_bigram_f1() -> None:
    # 2 of 3 words and 1 of 2 pairs against 2 of 2 words and 1 of 1 pairs
    assert Target("red house").reward(parts("old red house")) == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert Target("red house").reward(parts("red house")) == 1
    assert Target("red house").reward(parts("house red")) == pytest.approx(0.5)
    assert Target("house").reward(parts("red houses")) == pytest.approx(2 / 3)
    assert Target("red house").reward(parts("blue car")) == 0


def test_repeated_words_count_once_for_each_time_in_the_target() -> None:
    assert Target("the cat").reward(parts("the the the the")) == pytest.approx(2 / 6 / 2)


def test_the_best_span_is_the_target() -> None:
    context = "Mara Jensen was born in Oslo in 1954. She left early."
    found = candidates(f"Context: {context}\nQuestion: Where was she born?")
    values = rewards(found, "Oslo")
    assert values["Oslo"] == 1
    assert values["Oslo in 1954"] == 0.5
    assert max(values.values()) == 1


@pytest.mark.parametrize("code", ["AA-1234", "B/77/x", "3.5%", "a_b@example.com"])
def test_codes_are_cut_alike_in_text_and_target(code: str) -> None:
    found = candidates(f"Extract the code.\nYour code is {code} as of now.")
    assert rewards(found, code)[code] == 1


def test_spans_and_whole_texts_are_rewarded_alike() -> None:
    found = candidates("Green apples fall down slowly. Seven brown foxes ran off.")
    target = Target("brown foxes ran down")
    values = target.rewards(found)
    for number in range(len(found)):
        assert values[number] == pytest.approx(target.reward(parts(found.text(number))))
    assert (found.kinds == SPAN).sum() > 20


def test_next_to_the_very_target_no_other_string_is_right() -> None:
    assert rewards(candidates("", ("A+", "A-")), "A+") == {"A+": 1, "A-": 0}


def test_next_to_an_offered_target_no_piece_is_right() -> None:
    found = candidates("Labels: [return, refund]\nText: I want to return it.")
    values = Target("return").rewards(found)
    right = [number for number in range(len(found)) if values[number] > 0]
    assert [(found.text(number), found.kinds[number]) for number in right] == [("return", STRING)]


def test_a_target_of_symbols_is_found_among_remembered_answers() -> None:
    assert rewards(candidates("Nice.", ("👍", "👎")), "👍")["👍"] == 1


def test_nothing_in_common_means_no_reward() -> None:
    assert max(rewards(candidates("Alpha beta."), "gamma delta").values()) == 0
    assert max(rewards(candidates("Alpha beta."), "").values()) == 0
