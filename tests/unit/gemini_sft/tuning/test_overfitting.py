import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.tuning import Curves, LowestLoss, epoch_ends, lowest_validation_loss
from gemini_sft.tuning.curves import Curve
from gemini_sft.tuning.record import Checkpoint
from tests.unit.gemini_sft.report.sample import sample_record

LOSSES = st.lists(st.floats(0.01, 10), min_size=1, max_size=30)


def lowest(values: list[float], **changes: object) -> LowestLoss:
    """Of points at steps 20, 40, 60, ..., in a job of three epochs of 20 steps."""
    curve = Curve(steps=[20 * n for n in range(1, len(values) + 1)], values=values)
    found = lowest_validation_loss(
        Curves(validation_loss=curve), sample_record(240, **{"checkpoints": [], "steps": 60} | changes)
    )
    assert found
    return found


def checkpoints(**steps: int) -> list[Checkpoint]:
    return [Checkpoint(id="1", epoch=int(epoch[1:]), step=step, endpoint="e") for epoch, step in steps.items()]


@given(LOSSES)
def test_what_only_falls_never_turns(values: list[float]) -> None:
    assert not lowest(sorted(values, reverse=True)).turned


@given(LOSSES)
def test_what_ends_at_its_lowest_never_turns(values: list[float]) -> None:
    assert not lowest([*values, min(values)]).turned


@given(LOSSES, st.floats(0, 0.05))
def test_what_comes_back_has_not_turned(values: list[float], within: float) -> None:
    best = min(values)
    assert not lowest([*values, best + within * 0.02]).turned


@given(st.floats(0.05, 5), st.lists(st.floats(-0.009, 0.009), min_size=1, max_size=30))
def test_thousandths_of_noise_are_not_a_turn(level: float, noise: list[float]) -> None:
    assert not lowest([level + one for one in noise]).turned


@given(st.floats(0.05, 5), st.floats(0.03, 3), LOSSES)
def test_a_clear_rise_is_one(best: float, share: float, between: list[float]) -> None:
    high = best + max(0.03, share * best)
    assert lowest([high, best, *(max(best, one) for one in between), high]).turned


@given(LOSSES, st.floats(1, 100))
def test_what_turned_still_does_when_all_of_it_is_larger(values: list[float], factor: float) -> None:
    if lowest(values).turned and factor > 1.001:
        assert lowest([factor * one for one in values]).turned


@given(LOSSES)
def test_best_and_last_are_points_of_the_curve(values: list[float]) -> None:
    found = lowest(values)
    assert (found.value, found.last) == (min(values), values[-1])
    assert (found.step, found.last_step) == (20 * (values.index(min(values)) + 1), 20 * len(values))


def test_the_rise_is_held_against_0_02_nats_and_2_percent() -> None:
    assert not lowest([0.42, 0.439]).turned and lowest([0.42, 0.441]).turned
    assert not lowest([3.0, 3.05]).turned and lowest([3.0, 3.07]).turned


def test_the_epoch_of_the_best_step() -> None:
    found = lowest([0.9, 0.42, 0.61])
    assert (found.value, found.step, found.epoch, found.ends_epoch) == (0.42, 40, 2, True)
    assert (found.last, found.last_step, found.turned) == (0.61, 60, True)
    within = lowest([0.9, 0.42, 0.61], epochs=2)
    assert (within.epoch, within.ends_epoch) == (2, False)


def test_before_the_first_step_no_epoch_has_begun() -> None:
    curves = Curves(validation_loss=Curve(steps=[0, 20], values=[0.4, 0.9]))
    found = lowest_validation_loss(curves, sample_record())
    assert found and (found.step, found.epoch, found.ends_epoch, found.turned) == (0, None, False, True)


@pytest.mark.parametrize("curve", [None, Curve(steps=[], values=[]), Curve(steps=[1, 2], values=[math.nan, math.inf])])
def test_without_a_number_there_is_none(curve: Curve | None) -> None:
    assert lowest_validation_loss(Curves(validation_loss=curve), sample_record()) is None


def test_values_that_are_no_numbers_are_passed_over() -> None:
    found = lowest([0.5, math.nan, 0.4, math.inf])
    assert (found.value, found.step, found.last, found.last_step) == (0.4, 60, 0.4, 60)


class TestEpochEnds:
    def test_are_those_of_the_checkpoints(self) -> None:
        assert epoch_ends(sample_record()) == {1: 60, 2: 120, 3: 180}

    def test_follow_from_epochs_and_steps(self) -> None:
        assert epoch_ends(sample_record(checkpoints=[], epochs=3, steps=100)) == {1: 33, 2: 67, 3: 100}

    def test_between_checkpoints_lie_evenly(self) -> None:
        record = sample_record(checkpoints=checkpoints(e2=21, e5=50), epochs=6, steps=60)
        assert epoch_ends(record) == {1: 10, 2: 21, 3: 31, 4: 40, 5: 50, 6: 60}

    def test_are_unknown_where_nothing_tells(self) -> None:
        assert epoch_ends(sample_record(checkpoints=[], epochs=None)) == {}
        assert epoch_ends(sample_record(checkpoints=checkpoints(e0=0), epochs=None)) == {}
        assert epoch_ends(sample_record(checkpoints=[], epochs=3, steps=0)) == {}

    @given(
        st.lists(st.tuples(st.integers(0, 12), st.integers(0, 200)), max_size=6),
        st.none() | st.integers(0, 12),
        st.integers(0, 200),
    )
    def test_never_fall(self, kept: list[tuple[int, int]], epochs: int | None, steps: int) -> None:
        made = [Checkpoint(id="1", epoch=epoch, step=step, endpoint="e") for epoch, step in kept]
        ends = epoch_ends(sample_record(checkpoints=made, epochs=epochs, steps=steps))
        assert list(ends) == list(range(1, len(ends) + 1))
        assert list(ends.values()) == sorted(ends.values())
