import pytest

from gemini_sft.errors import DataError, Problem, UserError


@pytest.mark.parametrize("count", [1, 20, 21, 500])
def test_many_problems_are_counted_and_the_first_twenty_shown(count: int) -> None:
    error = DataError([Problem(f"f.csv:{line}", "is wrong") for line in range(1, count + 1)])
    lines = str(error).splitlines()
    assert len(error.problems) == count
    assert lines[: min(count, 20)] == [f"f.csv:{line}: is wrong" for line in range(1, min(count, 20) + 1)]
    assert lines[20:] == ([f"... and {count - 20} more"] if count > 20 else [])
    assert isinstance(error, UserError)
