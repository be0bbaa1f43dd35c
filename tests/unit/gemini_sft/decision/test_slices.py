from typing import Any

import numpy as np
import pytest

from gemini_sft.decision.slices import MOST_VALUES
from tests.unit.gemini_sft.decision.evaluations import compared, evaluation

N = 64


def test_each_part_is_compared_as_if_there_were_no_other() -> None:
    drawn = np.random.default_rng(5)
    before, after = drawn.random(N), drawn.random(N)
    slices = {f"e{row:03d}": {"lang": "de" if row < 40 else "fr", "hard": str(row % 2)} for row in range(N)}
    german, french, *hard = compared(before, after, slices=slices).slices
    assert [(one.column, one.value, one.n) for one in (german, french, *hard)] == [
        ("lang", "de", 40),
        ("lang", "fr", 24),
        ("hard", "0", 32),
        ("hard", "1", 32),
    ]
    alone = compared(before[:40], after[:40])
    assert german.difference == alone.difference
    assert (german.before, german.candidate) == pytest.approx((before[:40].mean(), after[:40].mean()))
    assert french.difference and french.difference.mean == pytest.approx((after - before)[40:].mean())


def test_what_is_in_use_is_what_a_part_is_compared_with() -> None:
    slices = {f"e{row:03d}": {"lang": "de"} for row in range(N)}
    champion: dict[str, Any] = {"champion": evaluation([0.75] * N), "champion_name": "c"}
    (german,) = compared([0.25] * N, [0.5] * N, slices=slices, **champion).slices
    assert german.difference and (german.before, german.difference.mean) == (0.75, -0.25)
    missing: dict[str, Any] = {"champion_name": "c", "champion_missing": "the champion could not be had"}
    (german,) = compared([0.25] * N, [0.5] * N, slices=slices, **missing).slices
    assert german.difference and (german.before, german.difference.mean) == (0.25, 0.25)


def test_of_few_examples_there_are_means_and_no_interval() -> None:
    slices = {f"e{row:03d}": {"lang": "de" if row < 9 else "fr"} for row in range(N)}
    french, german = compared([0.25] * N, [0.75] * N, slices=slices).slices
    assert french.difference and german.difference is None
    assert (german.n, german.before, german.candidate) == (9, 0.25, 0.75)
    clusters = {f"e{row:03d}": str(row // 7) for row in range(N)}
    french, german = compared([0.25] * N, [0.75] * N, slices=slices, clusters=clusters).slices
    assert french.difference is None, "55 examples, of nine groups"


def test_an_example_without_a_value_is_in_no_part_of_that_column() -> None:
    slices = {"e000": {"lang": "de"}, "e001": {"hard": "yes"}, "e002": {}}
    assert [(one.column, one.value, one.n) for one in compared([0.5] * N, [0.5] * N, slices=slices).slices] == [
        ("lang", "de", 1),
        ("hard", "yes", 1),
    ]


def test_the_most_frequent_values_are_shown() -> None:
    slices = {f"e{row:03d}": {"id": str(row) if row >= 4 else "often"} for row in range(N)}
    found = compared([0.5] * N, [0.5] * N, slices=slices).slices
    assert len(found) == MOST_VALUES and (found[0].value, found[0].n) == ("often", 4)
