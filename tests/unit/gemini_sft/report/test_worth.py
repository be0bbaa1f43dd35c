"""Was it worth it: what each model used and costs, what tuning cost, and when that has come back."""

from dataclasses import replace

import pytest

from gemini_sft.catalog import catalog
from gemini_sft.experiment.schema import Backend, Evaluation
from gemini_sft.inference.traffic import traffic
from gemini_sft.report import ReportInput, report_page
from gemini_sft.report.arms import arm_numbers
from gemini_sft.report.worth import WorthView, gain_per_dollar, payback, tuning_cost, worth_view
from tests.unit.gemini_sft.report.sample import sample_input
from tests.unit.gemini_sft.report.whole_sample import inconclusive, promoted

MODEL = "gemini-2.5-flash-lite"


def view(data: ReportInput) -> WorthView:
    return worth_view(data, arm_numbers(data))


def cells(data: ReportInput) -> dict[str, list[str]]:
    return {row.label: row.cells for row in view(data).rows}


def test_all_models_that_were_asked_stand_side_by_side() -> None:
    found = view(promoted())
    assert found.names == ["Base", "Base with 4 examples", "Champion", "Tuned"]
    assert all(len(row.cells) == 4 for row in found.rows)
    assert view(inconclusive()).names == ["Base", "Tuned"]


def test_a_request_costs_its_tokens_at_the_prices_of_the_catalog() -> None:
    data, price = promoted(), catalog().models[MODEL].price
    assert price and price.input and price.output
    tuned = arm_numbers(data)["candidate"]
    counted = [one for one in data.candidate.predictions if one.prompt_tokens]
    answer = sum(one.output_tokens + one.thought_tokens for one in counted) / len(counted)
    assert tuned.prompt == 212 and tuned.answer == pytest.approx(answer)
    factor = 1 + price.surcharge_outside_global
    assert tuned.usd == pytest.approx((212 * price.input + answer * price.output) * factor / 1e6)


def test_batch_jobs_have_their_own_price_for_all_models() -> None:
    data = promoted()
    batch = data.experiment.model_copy(update={"evaluation": Evaluation(backend=Backend.BATCH)})
    cheaper = arm_numbers(replace(data, experiment=batch))
    for name, one in arm_numbers(data).items():
        other = cheaper[name].usd
        assert one.usd and other == pytest.approx(one.usd * catalog().batch.price_factor)
    assert "those of batch jobs" in report_page(replace(data, experiment=batch))


def test_what_nobody_counted_measured_or_knows_is_a_dash() -> None:
    plain = cells(sample_input())
    for name in ("Tokens of 1,000 prompts", "Price of 1,000 requests", "Latency", "Latency, slow ones"):
        assert plain[name] == ["–", "–"]
    data = promoted()
    unknown = replace(data, tuning=data.tuning.model_copy(update={"base_model": "gemini-of-tomorrow"}))
    price = cells(unknown)["Price of 1,000 requests"]
    assert [one == "–" for one in price] == [True, True, False, True]
    unquoted = replace(data, quote=data.quote.model_copy(update={"lines": data.quote.lines[:1]}))
    assert cells(unquoted)["Price of 1,000 requests"][2] == "–"


def test_failed_requests_have_no_words_and_count_as_failures() -> None:
    data = sample_input()
    kept = [one for one in data.base.predictions if one.outcome.has_answer]
    words = sum(len(one.text.split()) for one in kept) / len(kept)
    found = cells(data)
    assert found["Words of an answer"][0] == f"{words:,.1f}"
    assert found["Without an answer"] == [f"{one.result.failures} of 60" for one in (data.base, data.candidate)]


def test_latency_is_that_of_the_traffic() -> None:
    data = sample_input()
    quick = traffic([], kept=0, seconds=1.0).model_copy(update={"latency_median": 0.417, "latency_p95": 2.0})
    found = cells(replace(data, candidate=replace(data.candidate, traffic=quick)))
    assert (found["Latency"], found["Latency, slow ones"]) == (["–", "0.42 s"], ["–", "2.00 s"])


@pytest.mark.parametrize(
    ("billed", "quoted", "new", "adopted", "said"),
    [
        (1.5, 1.0, 1.5, False, "Tuning cost 1.50 USD."),
        (None, 1.0, None, False, "Tuning was quoted at 1.00 USD."),
        (1.5, 1.0, 0.0, True, "Tuning cost 1.50 USD. An earlier run paid for it, this one did not."),
        (1.5, 1.0, 0.5, True, "Tuning cost 1.50 USD, of which this run paid 0.5000 USD; earlier runs paid the rest."),
        (None, None, None, False, "What tuning cost is not known: the price list has no price for it."),
    ],
)
def test_what_tuning_cost_and_who_paid(
    billed: float | None, quoted: float | None, new: float | None, adopted: bool, said: str
) -> None:
    data = sample_input()
    cost = data.cost.model_copy(update={"billed_usd": billed, "quoted_usd": quoted, "new_usd": new})
    record = data.tuning.model_copy(update={"adopted": adopted})
    assert tuning_cost(replace(data, cost=cost, tuning=record)) == said


def test_a_gain_has_a_price_and_a_loss_has_none() -> None:
    data = sample_input()
    cost = data.cost.model_copy(update={"billed_usd": 2.0})
    gain = data.comparison.difference.gain[0]
    assert f"a gain of {gain / 2:.2g} in ROUGE-L F for each dollar" in gain_per_dollar(replace(data, cost=cost))
    swapped = sample_input(quality=(0.85, 0.55))
    assert swapped.comparison.difference.mean < 0 and gain_per_dollar(swapped) == ""


def test_tuning_pays_for_itself_by_shorter_prompts() -> None:
    data = promoted()
    arms = arm_numbers(data)
    shots, tuned, paid = arms["few_shot"].usd, arms["candidate"].usd, data.cost.billed_usd
    assert shots and tuned and paid
    said = payback(data, arms)
    number = int(said.rpartition("after about ")[2].removesuffix(" requests.").replace(",", ""))
    exact = paid / (shots - tuned)
    assert exact <= number <= exact * 1.1
    dear = arms | {"candidate": replace(arms["candidate"], usd=shots)}
    assert payback(data, dear).endswith("tuning saves no money.")
    assert payback(data, arms | {"candidate": replace(arms["candidate"], usd=None)}) == ""
    assert payback(data, {name: one for name, one in arms.items() if name != "few_shot"}) == ""
