from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gemini_sft.data.splitting import TEST, TRAIN, VALIDATION, divide, shuffled, validation_cap

Hashes = NDArray[np.uint64]

hashes = st.integers(1, 2**64 - 1)
shares = st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5]), st.sampled_from([0.05, 0.2, 0.4]))
seeds = st.integers(0, 3)


@st.composite
def data_sets(draw: st.DrawFn) -> tuple[Hashes, Hashes]:
    """Units of one to five rows and their strata, in any order."""
    names = draw(st.lists(hashes, min_size=1, max_size=40, unique=True))
    labels = draw(st.lists(hashes, min_size=1, max_size=3, unique=True))
    rows = [
        (name, label)
        for name in names
        for label in [draw(st.sampled_from(labels))]
        for _ in range(draw(st.integers(1, 5)))
    ]
    return as_columns(draw(st.permutations(rows)))


def as_columns(rows: list[tuple[int, int]]) -> tuple[Hashes, Hashes]:
    units, strata = np.array(rows, np.uint64).reshape(-1, 2).T
    return units, strata


def by_unit(units: Hashes, parts: NDArray[np.uint8]) -> dict[int, int]:
    """Returns the split of each unit, which must be one."""
    found: dict[int, int] = {}
    for unit, part in zip(units.tolist(), parts.tolist(), strict=True):
        assert found.setdefault(unit, part) == part
    return found


@given(data_sets(), shares, seeds)
def test_every_row_has_a_split_and_no_unit_has_two(
    data: tuple[Hashes, Hashes], shares: tuple[float, float], seed: int
) -> None:
    parts = divide(*data, shares, seed)
    assert parts.shape == data[0].shape
    assert set(by_unit(data[0], parts).values()) <= {TRAIN, VALIDATION, TEST}


@given(data_sets(), shares, seeds)
def test_each_stratum_has_its_shares_but_for_one_unit(
    data: tuple[Hashes, Hashes], shares: tuple[float, float], seed: int
) -> None:
    units, strata = data
    parts = divide(units, strata, shares, seed)
    for stratum in set(strata.tolist()):
        inside = strata == stratum
        largest = max(Counter(units[inside].tolist()).values())
        for split, share in ((VALIDATION, shares[0]), (TEST, shares[1])):
            there = int((parts[inside] == split).sum())
            assert abs(there - share * inside.sum()) <= largest


@given(data_sets(), shares, seeds, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(
    data: tuple[Hashes, Hashes], shares: tuple[float, float], seed: int, random: Random
) -> None:
    units, strata = data
    order = np.array(random.sample(range(len(units)), len(units)))
    parts = divide(units, strata, shares, seed)
    assert by_unit(units[order], divide(units[order], strata[order], shares, seed)) == by_unit(units, parts)


@given(data_sets(), shares, seeds, st.lists(hashes, max_size=20))
def test_rows_of_another_stratum_change_nothing(
    data: tuple[Hashes, Hashes], shares: tuple[float, float], seed: int, more: list[int]
) -> None:
    units, strata = data
    new = [(unit, 0) for unit in more if unit not in set(units.tolist())]
    all_units, all_strata = as_columns([*zip(units.tolist(), strata.tolist(), strict=True), *new])
    parts = divide(all_units, all_strata, shares, seed)
    assert parts[: len(units)].tolist() == divide(units, strata, shares, seed).tolist()


@settings(max_examples=25)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), seeds)
def test_shares_that_fit_are_met_exactly_in_each_stratum(tens: list[int], seed: int) -> None:
    strata = np.repeat(np.arange(len(tens), dtype=np.uint64), [10 * ten for ten in tens])
    units = shuffled(np.arange(len(strata), dtype=np.uint64), 99)
    parts = divide(units, strata, (0.1, 0.2), seed)
    for stratum, ten in enumerate(tens):
        counted = Counter(parts[strata == stratum].tolist())
        assert counted == {TRAIN: 7 * ten, VALIDATION: ten, TEST: 2 * ten}


@given(data_sets(), seeds)
def test_no_share_is_nothing(data: tuple[Hashes, Hashes], seed: int) -> None:
    assert VALIDATION not in divide(*data, (0.0, 0.2), seed)


def test_another_seed_is_another_division() -> None:
    units = np.arange(64, dtype=np.uint64)
    found = {divide(units, np.zeros_like(units), (0.1, 0.2), seed).tobytes() for seed in range(20)}
    assert len(found) == 20


def test_a_row_that_is_added_moves_few_others() -> None:
    units = shuffled(np.arange(1000, dtype=np.uint64), 1)
    before = divide(units, np.zeros_like(units), (0.1, 0.2), 0)
    after = divide(np.append(units, np.uint64(7)), np.zeros(1001, np.uint64), (0.1, 0.2), 0)[:-1]
    assert (before != after).sum() <= 2


def test_no_rows_are_divided_into_none() -> None:
    nothing = np.empty(0, np.uint64)
    assert len(divide(nothing, nothing, (0.1, 0.2), 0)) == 0


@given(st.lists(hashes, unique=True, max_size=50), seeds)
def test_no_two_hashes_are_shuffled_to_one(values: list[int], seed: int) -> None:
    assert len(set(shuffled(np.array(values, np.uint64), seed).tolist())) == len(values)


@pytest.mark.parametrize(
    ("validation", "train", "kept"),
    [
        (0, 10, 0),
        (1000, 10, 1000),
        (1001, 10, 1000),
        (1001, 3333, 1000),
        (2000, 5000, 1500),
        (1500, 5000, 1500),
        (6000, 15_000, 4500),
        (6000, 20_000, 5000),
        (6000, 10**6, 5000),
    ],
)
def test_validation_is_capped_as_vertex_ai_demands(validation: int, train: int, kept: int) -> None:
    assert validation_cap(validation, train) == kept
