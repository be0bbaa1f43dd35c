import random
import statistics
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.cost.sample import draw, estimate, student_t
from tests.unit.gemini_sft.cost.conftest import record, write_split


def test_all_are_drawn_if_there_are_no_more_than_wanted(tmp_path: Path) -> None:
    uri = write_split(tmp_path, [record(f"q{number}", "a") for number in range(10)])
    for limit in (10, 11, 1000):
        sample = draw(uri, limit, seed=0)
        assert sample.size == 10
        assert sample.drawn == [(f"e{number}", record(f"q{number}", "a")) for number in range(10)]


def test_a_sample_has_its_size_no_example_twice_and_its_own_names(tmp_path: Path) -> None:
    uri = write_split(tmp_path, [record(f"q{number}", "a") for number in range(200)])
    sample = draw(uri, 30, seed=3)
    names = [name for name, _ in sample.drawn]
    assert sample.size == 200 and len(names) == len(set(names)) == 30
    for name, one in sample.drawn:
        assert one == record(f"q{name[1:]}", "a")
    assert sample == draw(uri, 30, seed=3) != draw(uri, 30, seed=4)


def test_every_line_has_the_same_chance(tmp_path: Path) -> None:
    uri = write_split(tmp_path, [record(f"q{number}", "a") for number in range(20)])
    times = 2000
    drawn = Counter(name for seed in range(times) for name, _ in draw(uri, 5, seed).drawn)
    deviation = (times * 0.25 * 0.75) ** 0.5
    assert len(drawn) == 20 and all(abs(count - times / 4) < 5 * deviation for count in drawn.values())


def test_memory_does_not_grow_with_the_split(tmp_path: Path) -> None:
    uri = write_split(tmp_path, [record("word " * 1000, "a")] * 5000)
    tracemalloc.start()
    try:
        assert draw(uri, 10, seed=0).size == 5000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    size = (tmp_path / "examples.jsonl").stat().st_size
    assert size > 20 << 20 and peak < 6 << 20


def test_names_that_do_not_match_the_examples_are_an_error(tmp_path: Path) -> None:
    uri = write_split(tmp_path, [record("q", "a")] * 3)
    (tmp_path / "sources.jsonl").write_text('{"id": "e0"}\n')
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        draw(uri, 10, seed=0)


@given(st.lists(st.integers(0, 10**6)))
def test_a_whole_population_is_exact(values: list[int]) -> None:
    assert estimate(values, len(values)) == (sum(values), 0)


@given(st.integers(0, 1000), st.integers(2, 50), st.integers(1, 1000))
def test_of_equal_values_any_sample_tells_all(value: int, count: int, more: int) -> None:
    assert estimate([value] * count, count + more) == (value * (count + more), 0)


def test_an_interval_by_hand() -> None:
    # Mean 3, s = 2.5 ** 0.5, t(4) = 2.776, 50 examples: 50 * 1.5811 / 5 ** 0.5 * (1 - 5 / 50) ** 0.5 * 2.776 = 93.1
    assert estimate([1, 2, 3, 4, 5], 50) == (150, 94)


@pytest.mark.parametrize("values", [[], [5]])
def test_too_few_values_stand_for_nothing(values: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot stand for 3"):
        estimate(values, 3)


@pytest.mark.parametrize(("freedom", "table"), [(4, 2.776), (9, 2.262), (29, 2.045), (99, 1.984), (10**6, 1.960)])
def test_students_t_is_the_tables(freedom: int, table: float) -> None:
    assert student_t(freedom) == pytest.approx(table, rel=1e-3)


@pytest.mark.parametrize(("count", "times"), [(10, 4000), (100, 2000), (900, 1000)])
def test_the_interval_holds_the_truth_in_95_of_100_samples(count: int, times: int) -> None:
    """With 10 the normal quantile would hold it in 92; with 900 of 1,000, no correction in 100."""
    generator = random.Random(7)
    population = [round(generator.gauss(500, 100)) for _ in range(1000)]
    hits, sums = 0, []
    for _ in range(times):
        tokens, error = estimate(generator.sample(population, count), len(population))
        hits += abs(tokens - sum(population)) <= error
        sums.append(tokens)
    assert 0.935 < hits / times < 0.966
    assert statistics.mean(sums) == pytest.approx(sum(population), rel=0.002)
