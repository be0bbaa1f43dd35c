import functools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.cost import Champion, Quote, SplitCount, quote, quote_recheck, require_within
from gemini_sft.cost.jobs import Settings
from gemini_sft.errors import BudgetError, UserError
from gemini_sft.experiment.schema import Budget
from tests.unit.gemini_sft.cost.test_quote import TEST, TRAIN, VALIDATION, counted, experiment, tokens

SAMPLED = counted(tokens(9_000_000, 50_000, 1000, error=40_000), tokens(1_000_000, 50_000, 1000, error=10_000))
"""10 epochs of gemini-2.5-flash: 500 USD ± 2.50; the evaluations 0.48 USD."""
DEAR = counted(tokens(80_000_000, 1000), tokens(0, 1000))
"""24 USD for each checkpoint."""


def hold(
    budget: Budget,
    model: str = "gemini-2.5-flash",
    epochs: int | None = 10,
    train: SplitCount = TRAIN,
    validation: SplitCount | None = None,
    spent: float = 0.0,
    **sections: Any,
) -> None:
    """Holds the quote of an experiment against a budget."""
    wanted = experiment(model, epochs, **sections).model_copy(update={"budget": budget})

    def requote(settings: Settings | None = None) -> Quote:
        return quote(wanted, "us-central1", train, TEST, validation=validation, settings=settings)

    require_within(requote(), wanted, requote, spent)


def refusal(budget: Budget, **asked: Any) -> str:
    with pytest.raises(BudgetError) as caught:
        hold(budget, **asked)
    assert isinstance(caught.value, UserError)
    return str(caught.value)


def test_without_a_budget_all_is_allowed_whose_price_is_known() -> None:
    hold(Budget())


@pytest.mark.parametrize(("maximum", "allowed"), [(60.49, True), (60.47, False)])
def test_the_quote_is_held_against_the_budget(maximum: float, allowed: bool) -> None:
    if allowed:
        hold(Budget(max_usd=maximum))
    else:
        assert refusal(Budget(max_usd=maximum)) == (
            "the run would cost 60.48 USD, more than the 60.47 USD of budget.max_usd: take fewer epochs (tuning.epochs"
            " is 10; 9 would fit), fewer examples (data.train has 100) or a higher budget.max_usd"
        )


@pytest.mark.parametrize(("spent", "allowed"), [(39.52, True), (39.53, False)])
def test_the_month_has_a_budget_of_its_own(spent: float, allowed: bool) -> None:
    budget = Budget(max_usd=70, max_usd_per_month=100)
    if allowed:
        hold(budget, spent=spent)
    else:
        assert refusal(budget, spent=spent) == (
            "the run would cost 60.48 USD, and the other runs of the last 30 days were quoted at 39.53 USD, together"
            " more than the 100 USD of budget.max_usd_per_month: wait, or set a higher budget.max_usd_per_month"
        )


def test_a_recheck_is_advised_by_what_it_can_change() -> None:
    champion = Champion("gemini-2.5-flash", "us-central1")
    wanted = experiment("gemini-2.5-flash", 10).model_copy(update={"budget": Budget(max_usd=0.0001)})
    with pytest.raises(BudgetError, match=r"take fewer examples \(in data\.test\) or a higher budget\.max_usd$"):
        require_within(quote_recheck(wanted, TEST, champion), wanted, None)


def test_what_costs_nothing_passes_whatever_was_spent() -> None:
    wanted = experiment("gemini-2.5-flash", 10).model_copy(update={"budget": Budget(max_usd_per_month=1)})
    nothing = quote_recheck(wanted, None, None)
    assert (nothing.usd, nothing.lines, nothing.summary()["tuning_jobs"]) == (0.0, [], 0)
    require_within(nothing, wanted, None, 2.0)


@pytest.mark.parametrize(("maximum", "allowed"), [(502.99, True), (502.97, False)])
def test_so_is_what_it_may_be_wrong_by(maximum: float, allowed: bool) -> None:
    if allowed:
        hold(Budget(max_usd=maximum), train=SAMPLED)
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
    hold(Budget(allow_unknown_price=True), "gemini-3.5-flash-lite")
    hold(Budget(allow_unknown_price=True, max_usd=0.53), "gemini-3.5-flash-lite")
    said = refusal(Budget(allow_unknown_price=True, max_usd=0.52), model="gemini-3.5-flash-lite")
    assert said.startswith("the run would cost at least 0.5280 USD, more than the 0.52 USD") and "epochs" not in said


@given(st.integers(1, 50), st.integers(2, 60_000_000), st.sampled_from([None, VALIDATION, DEAR]))
def test_the_epochs_that_are_advised_fit_and_one_more_would_not(
    epochs: int, micros: int, validation: SplitCount | None
) -> None:
    budget = Budget(max_usd=micros / 100_000)
    held = functools.partial(hold, budget, train=SAMPLED, validation=validation)
    try:
        held(epochs=epochs)
    except BudgetError as error:
        advised = re.search(r"(\d+) would fit", str(error))
        fits = int(advised[1]) if advised else 0
        if fits:
            held(epochs=fits)
        with pytest.raises(BudgetError):
            held(epochs=fits + 1)


def test_the_last_checkpoint_is_advised_where_the_others_are_too_dear() -> None:
    said = refusal(Budget(max_usd=61), validation=DEAR)
    assert said == (
        "the run would cost 300.48 USD, more than the 61 USD of budget.max_usd: take tuning.checkpoint: last"
        " (evaluation of 10 checkpoints on validation costs 240.00 USD), fewer epochs (tuning.epochs is 10;"
        " 2 would fit), fewer examples (data.train has 100) or a higher budget.max_usd"
    )
    hold(Budget(max_usd=61), validation=DEAR, tuning={"checkpoint": "last"})
    assert "checkpoint" not in refusal(Budget(max_usd=60), validation=DEAR), "it would not be enough"
    assert "checkpoint" not in refusal(Budget(max_usd=60), validation=DEAR, tuning={"checkpoint": "loss"})


def test_evaluation_inside_tuning_can_be_left_out() -> None:
    said = refusal(Budget(max_usd=61), validation=DEAR, tuning={"checkpoint": "last", "evaluation": ["bleu"]})
    assert "take fewer epochs (tuning.epochs is 10; 3 would fit), fewer examples" in said
    assert said.endswith("no tuning.evaluation or a higher budget.max_usd")


def test_fewer_trials_and_fewer_epochs_of_a_sweep() -> None:
    sweep = {"grid": {"adapter_size": [1, 2, 4, 8]}}
    said = refusal(Budget(max_usd=200), sweep=sweep, validation=VALIDATION)
    assert "take fewer trials (the sweep has 4; 3 would fit), fewer epochs (tuning.epochs is 10; 8 would fit)" in said
    hold(Budget(max_usd=200), sweep={"grid": {"adapter_size": [1, 2, 4]}}, validation=VALIDATION)
    hold(Budget(max_usd=200), epochs=8, sweep=sweep, validation=VALIDATION)
    said = refusal(Budget(max_usd=200), epochs=None, sweep=sweep)
    assert "fewer epochs (tuning.epochs is not set, and 20 are assumed; 8 would fit)" in said


def test_of_trials_with_different_epochs_the_shortest_are_advised() -> None:
    said = refusal(Budget(max_usd=100), sweep={"grid": {"epochs": [12, 2, 8]}})
    assert "fewer trials (the sweep has 3; the 2 with the fewest epochs would fit)" in said
    assert "fewer epochs (the trials have up to 12; up to 7 would fit)" in said
    hold(Budget(max_usd=100), sweep={"grid": {"epochs": [2, 8]}})
    hold(Budget(max_usd=100), sweep={"trials": [{"epochs": 7}, {"epochs": 2}, {"epochs": 7, "adapter_size": 1}]})


def test_of_a_sweep_that_is_far_too_dear_what_one_trial_may_be() -> None:
    said = refusal(Budget(max_usd=15), sweep={"grid": {"adapter_size": [1, 2, 4], "epochs": [4, 8]}})
    assert "take fewer trials of fewer epochs (one of 2 would fit), fewer examples" in said
    hold(Budget(max_usd=15), sweep={"grid": {"epochs": [2]}})
    said = refusal(Budget(max_usd=1), sweep={"grid": {"adapter_size": [1, 2, 4]}})
    assert "take fewer examples" in said


def test_a_sweep_without_a_known_price_is_named_once() -> None:
    said = refusal(Budget(), model="gemini-3.5-flash-lite", sweep={"grid": {"adapter_size": [1, 2]}})
    assert said.startswith("what tuning in 2 jobs costs with gemini-3.5-flash-lite is not known: ")


@given(st.lists(st.integers(1, 30), min_size=2, max_size=6), st.integers(1, 20_000), st.booleans())
def test_what_is_advised_for_a_sweep_fits(epochs: list[int], cents: int, dear: bool) -> None:
    held = functools.partial(hold, Budget(max_usd=cents / 10), validation=DEAR if dear else VALIDATION)
    trials = [{"epochs": one, "attempt": number} for number, one in enumerate(epochs, start=1)]
    try:
        held(sweep={"trials": trials})
    except BudgetError as error:
        said = str(error)
        if "checkpoint: last" in said:
            held(sweep={"trials": trials}, tuning={"checkpoint": "last"})
        if found := re.search(r"the sweep has \d+; (?:the )?(\d+) ", said):
            shortest = sorted(trials, key=lambda one: one["epochs"])
            held(sweep={"trials": shortest[: int(found[1])]})
        if found := re.search(r"up to (\d+) would fit", said):
            held(sweep={"trials": [one | {"epochs": min(one["epochs"], int(found[1]))} for one in trials]})
        if found := re.search(r"one of (\d+) would fit", said):
            held(sweep={"trials": [{"epochs": int(found[1])}]})
