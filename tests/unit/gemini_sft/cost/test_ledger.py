"""What runs were quoted at, kept for the budget of a month."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gemini_sft.cost.ledger import note, spent

TODAY = date(2030, 3, 1)


def test_a_run_is_counted_once_however_often_it_is_noted(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert spent(folder, "run-1", TODAY) == 0
    note(folder, "run-1", 2.5, "run", TODAY)
    note(folder, "run-1", 2.5, "run", TODAY + timedelta(days=1))
    note(folder, "run-2", 0.25, "recheck", TODAY)
    assert spent(folder, "run-3", TODAY) == 2.75
    assert spent(folder, "run-1", TODAY) == 0.25, "another attempt does not count the first"
    assert len(list(tmp_path.rglob("*.json"))) == 2


@pytest.mark.parametrize(("days", "counted"), [(0, True), (30, True), (31, False)])
def test_a_month_is_30_days(tmp_path: Path, days: int, counted: bool) -> None:
    note(str(tmp_path), "run-1", 2.5, "run", TODAY - timedelta(days=days))
    assert spent(str(tmp_path), "run-2", TODAY) == 2.5 * counted


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 40)), max_size=8))
def test_it_is_what_the_runs_of_30_days_come_to(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[str, int]]
) -> None:
    folder = str(tmp_path_factory.mktemp("spending"))
    first: dict[str, int] = {}
    for name, days in runs:
        note(folder, name, 1.0, "run", TODAY - timedelta(days=days))
        first.setdefault(name, days)
    assert spent(folder, "other", TODAY) == sum(days <= 30 for days in first.values())
