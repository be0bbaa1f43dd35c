"""What the control arm, the judge and batch jobs do to a quote."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.catalog import catalog
from gemini_sft.cost import Champion, Extras, FrameCount, Quote, SplitCount, quote, require_within
from gemini_sft.cost.quote import TUNING
from gemini_sft.errors import BudgetError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import Budget
from tests.unit.gemini_sft.cost.test_quote import TEST, TRAIN, counted, experiment, tokens

COMPARISON, GRADE = FrameCount(instruction=400, verdict=1), FrameCount(instruction=300, verdict=1)


def asking(model: str = "gemini-2.5-flash", **evaluation: Any) -> Experiment:
    plain = experiment(model).model_dump(mode="json", exclude_none=True)
    return Experiment.model_validate(plain | {"evaluation": evaluation})


def quoted(extras: Extras, test: SplitCount = TEST, location: str = "us-central1", **evaluation: Any) -> Quote:
    return quote(asking(**evaluation), location, TRAIN, test, extras=extras)


def hold(made: Quote, budget: Budget) -> None:
    """Holds a quote against a budget, which no other settings would keep to."""
    require_within(made, experiment().model_copy(update={"budget": budget}), lambda _: made)


def test_examples_in_the_prompt_are_sent_with_every_request() -> None:
    made = quoted(Extras(shots=700), few_shot=5)
    assert [line.what for line in made.lines] == [
        "tuning",
        "evaluation of the base model",
        "evaluation of the base model with 5 examples",
        "evaluation of the tuned model",
    ]
    plain, shown = made.lines[1], made.lines[2]
    assert (shown.tokens, shown.output_tokens) == (300_000 + 50 * 700, 60_000)
    assert shown.usd == pytest.approx((335_000 * 0.30 + 60_000 * 2.50) / 1e6)
    assert plain.usd is not None and made.usd == pytest.approx(60 + 2 * plain.usd + (shown.usd or 0))


def test_the_judge_reads_prompt_reference_and_both_answers_twice_at_its_own_price() -> None:
    judge = {"model": "gemini-3.5-flash", "pointwise": True}
    made = quoted(Extras(comparison=COMPARISON, grade=GRADE), judge=judge)
    comparisons, grades = made.line("comparisons by the judge"), made.line("grades by the judge")
    assert comparisons.tokens == 2 * (300_000 + 3 * 60_000 + 50 * 400) and comparisons.output_tokens == 100
    assert comparisons.usd == pytest.approx((1_000_000 * 1.65 + 100 * 9.90) / 1e6) and comparisons.error_usd == 0
    assert grades.tokens == 2 * (300_000 + 2 * 60_000 + 50 * 300) and grades.output_tokens == 100
    assert {line.model for line in made.lines[:3]} == {"gemini-2.5-flash"} != {comparisons.model, grades.model}
    assert made.price_date == catalog().models["gemini-3.5-flash"].price.date, "the earlier one"  # type: ignore[union-attr]
    assert any("The judge, gemini-3.5-flash, is taken to see as many tokens" in note for note in made.notes)


def test_without_grades_there_is_no_line_for_them() -> None:
    made = quoted(Extras(comparison=COMPARISON), judge={"model": "gemini-2.5-flash"})
    assert [line.what for line in made.lines][3:] == ["comparisons by the judge"]


def test_every_reference_is_read_and_thoughts_are_paid_for() -> None:
    judge = {"model": "gemini-2.5-pro"}
    made = quoted(Extras(comparison=COMPARISON, references=2.5), judge=judge).line("comparisons by the judge")
    assert made.tokens == 2 * (300_000 + 4.5 * 60_000 + 50 * 400)
    assert made.output_tokens == 2 * 50 * (1 + 128), "2.5 Pro cannot think less"


@pytest.mark.parametrize("backend", ["online", "batch"])
def test_every_evaluation_of_a_model_that_must_think_has_its_thoughts(backend: str) -> None:
    made = quote(
        asking("gemini-2.5-pro", few_shot=5, backend=backend), "us-central1", TRAIN, TEST, extras=Extras(shots=700)
    )
    _, *lines = made.lines
    thoughts = 50 * 128
    assert [line.output_tokens for line in lines] == [60_000 + thoughts] * 3
    factor = 1 if backend == "online" else 0.5
    assert lines[0].usd == pytest.approx(factor * (300_000 * 1.25 + 66_400 * 10) / 1e6)
    assert all(", 60,000 tokens answered and up to 6,400 thought at" in line.how for line in lines)
    (note,) = [note for note in made.notes if "cannot be kept from thinking" in note]
    assert note.startswith("gemini-2.5-pro ") and "the 128 tokens that it may think in each request" in note


def test_of_others_nothing_is_said_of_thoughts() -> None:
    made = quoted(Extras(comparison=COMPARISON), judge={"model": "gemini-3.5-flash"})
    assert not any("thought" in line.how for line in made.lines)
    assert not any("cannot be kept" in note for note in made.notes)
    made = quoted(Extras(comparison=COMPARISON), judge={"model": "gemini-2.5-pro"})
    assert [bool("thought" in line.how) for line in made.lines] == [False, False, False, True]
    assert any(note.startswith("gemini-2.5-pro cannot be kept from thinking") for note in made.notes)


def test_references_have_their_full_length_where_answers_are_cut() -> None:
    cut = TEST.model_copy(update={"answers": tokens(10_000, 50)})
    judge = {"model": "gemini-2.5-flash"}
    made = quoted(Extras(comparison=COMPARISON), cut, judge=judge).line("comparisons by the judge")
    assert made.tokens == 2 * (300_000 + 60_000 + 2 * 10_000 + 50 * 400)


def test_sampling_errors_of_both() -> None:
    test = counted(tokens(300_000, 9000, 1000, error=3000), tokens(60_000, 9000, 1000, error=600))
    judge = {"model": "gemini-2.5-flash"}
    made = quoted(Extras(shots=10, comparison=COMPARISON), test, few_shot=1, judge=judge)
    assert made.line("evaluation of the base model with 1 example").error_usd == made.lines[1].error_usd > 0
    assert made.line("comparisons by the judge").error_usd == pytest.approx(2 * (3000 + 3 * 600) * 0.30 / 1e6)
    cut = test.model_copy(update={"answers": tokens(10_000, 9000, 1000, error=50)})
    made = quoted(Extras(comparison=COMPARISON), cut, judge=judge)
    bound = 3000 + (3600 + 3000) + 2 * 50  # of the targets at full length, no more is known than that of their sums
    assert made.line("comparisons by the judge").error_usd == pytest.approx(2 * bound * 0.30 / 1e6)


@given(st.sampled_from(sorted(catalog().models)), st.sampled_from(["global", "us-central1"]))
def test_batch_jobs_halve_what_they_are_sure_to_take(model: str, location: str) -> None:
    extras = Extras(shots=700, comparison=COMPARISON, grade=GRADE)
    settings: dict[str, Any] = {"few_shot": 2, "judge": {"model": model, "pointwise": True}}
    online, batch = (quoted(extras, location=location, backend=one, **settings) for one in ("online", "batch"))
    for before, after in zip(online.lines, batch.lines, strict=True):
        share = 1 if before.what in (TUNING, "evaluation of the tuned model") else 2
        assert after.usd == pytest.approx((before.usd or 0) / share), before.what
    assert any("at 50% of the price of single requests (Google, 2026-11-22)" in note for note in batch.notes)
    assert not any("batch" in note for note in online.notes)


def test_the_champion_has_the_price_of_its_own_root_where_its_endpoint_is() -> None:
    made = quoted(Extras(champion=Champion("gemini-3.5-flash", "us")), location="global", backend="batch")
    assert [line.what for line in made.lines][1:] == [
        "evaluation of the base model",
        "evaluation of the champion",
        "evaluation of the tuned model",
    ]
    line = made.line("evaluation of the champion")
    assert (line.model, line.tokens, line.output_tokens) == ("gemini-3.5-flash", 300_000, 60_000)
    assert line.usd == pytest.approx((300_000 * 1.65 + 60_000 * 9.90) / 1e6), "a tenth more than globally, and no batch"
    assert made.usd == pytest.approx(sum(one.usd or 0 for one in made.lines))
    said = " ".join(made.notes)
    assert "The champion, tuned from gemini-3.5-flash, is taken to see as many tokens" in said
    assert "the champion and the tuned model are quoted at the full price, for whether batch jobs take them" in said


def test_of_a_champion_of_the_same_root_nothing_need_be_said() -> None:
    made = quoted(Extras(champion=Champion("gemini-2.5-flash", "us-central1")))
    assert not any("champion" in note for note in made.notes)
    base, champion, _ = made.lines[1:]
    assert champion.usd == base.usd and champion.how == base.how


def test_a_champion_that_must_think_is_said_to() -> None:
    made = quoted(Extras(champion=Champion("gemini-2.5-pro", "us-central1")))
    assert made.line("evaluation of the champion").output_tokens == 60_000 + 50 * 128
    assert any(note.startswith("gemini-2.5-pro cannot be kept from thinking") for note in made.notes)


def test_a_champion_without_a_price_is_nothing_to_be_chosen_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    model = catalog().models["gemini-2.5-pro"]
    monkeypatch.setitem(catalog().models, "gemini-2.5-pro", model.model_copy(update={"price": None}))
    made = quoted(Extras(champion=Champion("gemini-2.5-pro", "us-central1")))
    with pytest.raises(BudgetError, match=r"^what evaluation of the champion costs .* to run all the same$"):
        hold(made, Budget())


def test_the_budget_applies_to_the_sum() -> None:
    made = quoted(Extras(comparison=COMPARISON), judge={"model": "gemini-2.5-pro"})
    judged = made.line("comparisons by the judge").usd
    assert made.usd is not None and judged is not None and made.usd > 60.48 + judged / 2
    hold(made, Budget(max_usd=made.usd))
    with pytest.raises(BudgetError, match=r"no evaluation\.judge or a higher budget\.max_usd$"):
        hold(made, Budget(max_usd=made.usd - judged / 2))


def test_a_judge_without_a_price_is_like_any_other_unknown_price(monkeypatch: pytest.MonkeyPatch) -> None:
    model = catalog().models["gemini-2.5-pro"]
    monkeypatch.setitem(catalog().models, "gemini-2.5-pro", model.model_copy(update={"price": None}))
    made = quoted(Extras(comparison=COMPARISON), judge={"model": "gemini-2.5-pro"})
    assert made.usd is None and made.known_usd == pytest.approx(60.48)
    said = "hat comparisons by the judge costs with gemini-2.5-pro is not known"
    assert f"W{said}, and is not in the amount." in made.notes
    with pytest.raises(BudgetError, match=rf"^w{said}: .* choose another evaluation\.judge\.model$"):
        hold(made, Budget())
    hold(made, Budget(allow_unknown_price=True))
