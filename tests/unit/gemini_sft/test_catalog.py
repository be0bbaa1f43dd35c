import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gemini_sft.catalog import AssumedEpochs, Price, catalog

MODELS = sorted(catalog().models)
RETIRED = sorted(catalog().retired)


def test_the_table_says_when_it_was_checked() -> None:
    assert date(2026, 11, 22) <= catalog().checked <= datetime.now(UTC).date()


@pytest.mark.parametrize("model_id", MODELS)
def test_every_model_can_be_tuned_somehow_and_somewhere(model_id: str) -> None:
    model = catalog().models[model_id]
    assert model.adapter_sizes == tuple(sorted({*model.adapter_sizes})) and model.adapter_sizes
    assert {*model.adapter_sizes} <= {1, 2, 4, 8, 16, 32}, "the SDK has no word for another"
    assert model.tuning_regions and all(re.fullmatch(r"[a-z]+-[a-z]+\d", region) for region in model.tuning_regions)
    assert model.max_example_tokens > 0
    assert catalog().objection(model_id) is None
    assert all(catalog().adapter_size_objection(model_id, size) is None for size in model.adapter_sizes)


@pytest.mark.parametrize("model_id", MODELS)
def test_the_sdk_knows_every_thinking_setting(model_id: str) -> None:
    from google.genai.types import ThinkingConfig

    thinking = catalog().models[model_id].thinking
    assert len(thinking) == 1
    ThinkingConfig.model_validate(thinking)


@pytest.mark.parametrize("model_id", RETIRED)
def test_a_retired_model_is_gone_and_its_replacement_can_be_tuned(model_id: str) -> None:
    gone = catalog().retired[model_id]
    assert gone.since <= catalog().checked
    assert gone.replacement in catalog().models and model_id not in catalog().models
    assert catalog().objection(model_id) == f"{model_id} was retired on {gone.since}: use {gone.replacement}"


@given(st.sampled_from(MODELS), st.data())
@settings(deadline=None, max_examples=50)
def test_a_slip_of_the_keyboard_is_answered_with_a_known_model(model_id: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(model_id) - 1))
    wrong = model_id[:position] + model_id[position + 1 :]
    objection = catalog().objection(wrong)
    if wrong in catalog().models:
        assert objection is None
    else:
        assert objection is not None and objection.startswith(f"{wrong} is not a model that can be tuned")
        suggested = re.search(r"did you mean (\S+)\?$", objection)
        assert suggested and suggested[1] in catalog().models


@given(st.sampled_from(MODELS), st.integers(-40, 40))
@settings(deadline=None, max_examples=100)
def test_an_adapter_size_is_taken_exactly_if_it_is_listed(model_id: str, size: int) -> None:
    sizes = catalog().models[model_id].adapter_sizes
    objection = catalog().adapter_size_objection(model_id, size)
    if size in sizes:
        assert objection is None
    else:
        known = ", ".join(str(one) for one in sizes)
        assert objection == f"{model_id} has no adapter of size {size}: choose one of {known}"


@pytest.mark.parametrize("model_id", MODELS)
def test_every_price_is_dated_and_an_answer_costs_more_than_a_prompt(model_id: str) -> None:
    price = catalog().models[model_id].price
    assert price is not None and date(2026, 9, 1) <= price.date <= catalog().checked
    assert price.input is not None and price.output is not None and 0 < price.input < price.output < 100
    assert price.training is None or price.input < price.training < 100
    assert price.surcharge_outside_global == (0.1 if model_id.startswith("gemini-3") else 0)


def test_what_nobody_knows_is_not_invented() -> None:
    unknown = [model_id for model_id in MODELS if (price := catalog().models[model_id].price) and not price.training]
    assert unknown == ["gemini-3.5-flash-lite"]


def test_asking_costs_more_outside_global_if_the_price_says_so() -> None:
    price = Price(date=date(2026, 1, 1), training=None, input=1.0, output=None, surcharge_outside_global=0.5)
    assert price.inference("global") == (1.0, None)
    assert price.inference("us") == price.inference("us-central1") == (1.5, None)
    plain = price.model_copy(update={"surcharge_outside_global": 0.0, "output": 3.0})
    assert plain.inference("eu") == plain.inference("global") == (1.0, 3.0)


@pytest.mark.parametrize("wrong", [{"input": 0}, {"training": -1}, {"surcharge_outside_global": 1}, {"batch": 0.5}])
def test_a_price_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    fields = {"date": date(2026, 1, 1), "training": None, "input": 1.0, "output": 2.0}
    Price.model_validate(fields)
    with pytest.raises(ValidationError):
        Price.model_validate(fields | wrong)


def test_epochs_are_assumed_by_the_number_of_examples() -> None:
    assumed = AssumedEpochs(date=date(2026, 1, 1), small_below=50, small=7, large=3)
    assert [assumed.of(examples) for examples in (1, 49, 50, 51)] == [7, 7, 3, 3]
    table = catalog().assumed_epochs
    assert (table.of(999), table.of(1000)) == (20, 10) and table.date <= catalog().checked


def test_the_price_of_batch_jobs_is_dated() -> None:
    batch = catalog().batch
    assert batch.price_factor == 0.5 and batch.date <= catalog().checked
