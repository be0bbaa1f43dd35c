"""Counting verdicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.inference import Outcome, Prediction
from gemini_sft.judging import Choice, Pair, Tally, Winner, tally
from gemini_sft.judging.judgement import grades
from gemini_sft.judging.pair import judged, read, unasked

TEXTS = st.sampled_from(["", "x", "y"])
VERDICTS = st.none() | st.sampled_from(Choice)
MADE = st.lists(st.tuples(TEXTS, TEXTS, VERDICTS, VERDICTS), max_size=30)


def prediction(text: str) -> Prediction:
    return Prediction(example_id="e", outcome=Outcome.ANSWERED if text else Outcome.ERROR, text=text)


def pair(base: str, candidate: str, base_first: Choice | None, candidate_first: Choice | None) -> Pair:
    return unasked(prediction(base), prediction(candidate)) or judged("e", base_first, candidate_first)


def counted(made: list[tuple[str, str, Choice | None, Choice | None]]) -> Tally:
    return tally([pair(*one) for one in made])


@given(MADE)
def test_of_swapped_sides_the_result_is_the_mirror_image(
    made: list[tuple[str, str, Choice | None, Choice | None]],
) -> None:
    result, mirrored = counted(made), counted([(after, before, two, one) for before, after, one, two in made])
    assert (result.wins, result.losses) == (mirrored.losses, mirrored.wins)
    swapped = {"wins": result.losses, "losses": result.wins, "win_rate": None}
    assert result.model_copy(update=swapped) == mirrored.model_copy(update={"win_rate": None})
    if result.win_rate is None:
        assert mirrored.win_rate is None
    else:
        assert mirrored.win_rate == pytest.approx(1 - result.win_rate)


@given(MADE)
def test_every_example_is_counted_once(made: list[tuple[str, str, Choice | None, Choice | None]]) -> None:
    result = counted(made)
    assert result.wins + result.ties + result.losses == result.n == len(made) - result.unreadable
    assert result.judged + result.identical + result.missing + result.unreadable == result.examples == len(made)
    assert result.first_place + result.second_place <= result.judged and result.position_bias != -1
    asked = result.judged + result.unreadable
    if result.win_rate is not None:
        assert 0 <= result.win_rate <= 1 and result.unreadable <= 0.1 * asked
    else:
        assert not result.n or result.unreadable > 0.1 * asked


@pytest.mark.parametrize(
    ("base_first", "candidate_first", "winner"),
    [
        ("A", "B", Winner.BASE),
        ("B", "A", Winner.CANDIDATE),
        ("TIE", "TIE", Winner.TIE),
        ("A", "A", Winner.TIE),
        ("B", "B", Winner.TIE),
        ("A", "TIE", Winner.TIE),
        ("TIE", "A", Winner.TIE),
        ("A", None, None),
        (None, "TIE", None),
        (None, None, None),
    ],
)
def test_only_who_wins_in_both_orders_wins(
    base_first: str | None, candidate_first: str | None, winner: Winner | None
) -> None:
    one, two = (None if said is None else Choice(said) for said in (base_first, candidate_first))
    assert judged("e", one, two).winner is winner


@pytest.mark.parametrize(
    ("text", "outcome", "said"),
    [
        ("A", Outcome.ANSWERED, "A"),
        (" TIE\n", Outcome.ANSWERED, "TIE"),
        ("a", Outcome.ANSWERED, None),
        ("A.", Outcome.ANSWERED, None),
        ("Answer A", Outcome.ANSWERED, None),
        ("A", Outcome.TRUNCATED, None),
        ("A", Outcome.BLOCKED, None),
        ("", Outcome.EMPTY, None),
    ],
)
def test_a_verdict_is_one_of_the_choices_or_none(text: str, outcome: Outcome, said: str | None) -> None:
    assert read(Prediction(example_id="e", outcome=outcome, text=text), ("A", "B", "TIE")) == said


def test_a_missing_answer_has_the_lowest_grade() -> None:
    made = grades([5] * 19 + [None], 5)
    assert (made.mean, made.n, made.missing, made.unreadable) == ((95 + 5) / 24, 24, 5, 1)
    assert grades([5, None], 0).mean is None and grades([], 0).mean is None
