import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.cost import require_within
from gemini_sft.errors import BudgetError, UserError
from gemini_sft.experiment.schema import Budget
from tests.unit.gemini_sft.cost.test_quote import counted, quoted, tokens

SAMPLED = counted(tokens(9_000_000, 50_000, 1000, error=40_000), tokens(1_000_000, 50_000, 1000, error=10_000))
"""10 epochs of gemini-2.5-flash: 500 USD ± 2.50; the evaluations 0.48 USD."""


def refusal(budget: Budget, **quote: Any) -> str:
    with pytest.raises(BudgetError) as caught:
        require_within(quoted(**quote), budget)
    assert isinstance(caught.value, UserError)
    return str(caught.value)


def test_without_a_budget_all_is_allowed_whose_price_is_known() -> None:
    require_within(quoted(), Budget())


@pytest.mark.parametrize(("maximum", "allowed"), [(60.49, True), (60.47, False)])
def test_the_quote_is_held_against_the_budget(maximum: float, allowed: bool) -> None:
    if allowed:
        require_within(quoted(), Budget(max_usd=maximum))
    else:
        assert refusal(Budget(max_usd=maximum)) == (
            "the run would cost 60.48 USD, more than the 60.47 USD of budget.max_usd: take fewer epochs (tuning.epochs"
            " is 10; 9 would fit), fewer examples (data.train has 100) or a higher budget.max_usd"
        )


@pytest.mark.parametrize(("maximum", "allowed"), [(502.99, True), (502.97, False)])
def test_so_is_what_it_may_be_wrong_by(maximum: float, allowed: bool) -> None:
    if allowed:
        require_within(quoted(train=SAMPLED), Budget(max_usd=maximum))
    else:
        said = refusal(Budget(max_usd=maximum), train=SAMPLED)
        assert "would cost 500.48 USD, or up to 502.98 USD as not all examples were counted, more than" in said
        assert "the 502.97 USD of" in said and "data.train has 50,000" in said


def test_epochs_that_are_assumed_are_called_so() -> None:
    said = refusal(Budget(max_usd=61), epochs=None)
    assert "fewer epochs (tuning.epochs is not set, and 20 are assumed; 10 would fit)" in said


def test_epochs_are_not_advised_if_one_is_too_many() -> None:
    assert refusal(Budget(max_usd=5)).endswith(
        "budget.max_usd: take fewer examples (data.train has 100) or a higher budget.max_usd"
    )


@pytest.mark.parametrize("maximum", [None, 1000.0])
def test_a_price_that_is_not_known_stops_the_run(maximum: float | None) -> None:
    assert refusal(Budget(max_usd=maximum), model="gemini-3.5-flash-lite") == (
        "what tuning costs with gemini-3.5-flash-lite is not known: set budget.allow_unknown_price to true to run all"
        " the same, or choose another base_model"
    )


def test_unless_that_is_allowed_and_then_the_known_part_counts() -> None:
    require_within(quoted("gemini-3.5-flash-lite"), Budget(allow_unknown_price=True))
    require_within(quoted("gemini-3.5-flash-lite"), Budget(allow_unknown_price=True, max_usd=0.53))
    said = refusal(Budget(allow_unknown_price=True, max_usd=0.52), model="gemini-3.5-flash-lite")
    assert said.startswith("the run would cost at least 0.5280 USD, more than the 0.52 USD") and "epochs" not in said


@given(st.integers(1, 50), st.integers(2, 60_000_000))
def test_the_epochs_that_are_advised_fit_and_one_more_would_not(epochs: int, micros: int) -> None:
    budget = Budget(max_usd=micros / 100_000)
    try:
        require_within(quoted(epochs=epochs, train=SAMPLED), budget)
    except BudgetError as error:
        advised = re.search(r"(\d+) would fit", str(error))
        fits = int(advised[1]) if advised else 0
        if fits:
            require_within(quoted(epochs=fits, train=SAMPLED), budget)
        with pytest.raises(BudgetError):
            require_within(quoted(epochs=fits + 1, train=SAMPLED), budget)
