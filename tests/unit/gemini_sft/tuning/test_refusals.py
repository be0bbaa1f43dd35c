"""What the base model or the region does not allow."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.catalog import Catalog, catalog
from gemini_sft.experiment import Experiment
from gemini_sft.tuning import Base, refusals

NEW, OLD = "gemini-3.1-flash-lite", "gemini-2.5-flash"
PLACE = "us-central1"
BEFORE = date(2026, 9, 19)
"""More than a month before 2.5 Flash retires."""
KEY = f"projects/p/locations/{PLACE}/keyRings/r/cryptoKeys/k"
DATA = {"train": "t.jsonl", "validation": "v.jsonl", "test": "e.jsonl"}


def refused(
    base: Base | str = NEW, location: str = PLACE, today: date = BEFORE, data: dict[str, Any] | None = None, **more: Any
) -> list[str]:
    base = Base(id=base) if isinstance(base, str) else base
    head = {"name": "demo", "task": "chat", "base_model": base.model or base.id, "data": data or DATA}
    return refusals(Experiment.model_validate(head | more), base, location, today)


@pytest.mark.parametrize("location", ["us-central1", "europe-west4"])
@pytest.mark.parametrize("model", sorted(catalog().models))
def test_an_ordinary_experiment_is_refused_nothing(model: str, location: str) -> None:
    assert refused(model, location) == []
    assert refused(model, location, data={"train": "t.jsonl"}) == []
    assert refused(model, location, data={"train": "t.jsonl", "test": "e.jsonl"}) == []
    assert refused(model, location, tuning={"epochs": 3, "adapter_size": 8, "labels": {"team": "x"}}) == []
    assert refused(model, location, sweep={"grid": {"epochs": [1, 2], "adapter_size": [1, 8]}}) == []


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("gemini-2.0-flash", "gemini-2.0-flash was retired on 2026-06-01: use gemini-3.5-flash"),
        ("gemini-7", "gemini-7 is not a model that can be tuned"),
    ],
)
def test_a_model_that_cannot_be_tuned_at_all_is_refused_only_that(model: str, message: str) -> None:
    (found,) = refused(model, "nowhere", tuning={"adapter_size": 99, "kms_key": KEY})
    assert found.startswith(message)


@pytest.mark.parametrize("location", ["us-east1", "global", "us", "eu"])
def test_a_region_in_which_it_is_not_tuned(location: str) -> None:
    assert refused(location=location) == [f"{NEW} cannot be tuned in {location}: use us-central1 or europe-west4"]


def test_a_tuned_model_is_tuned_further_only_where_it_is() -> None:
    model = "projects/7/locations/europe-west4/models/3@1"
    base = Base(id=NEW, model=model, endpoint="projects/7/locations/eu/endpoints/4")
    assert refused(base) == [f"{model} can only be tuned further where it is: use europe-west4, not us-central1"]
    assert refused(base, "europe-west4") == []


class TestRetiring:
    MONTH = date(2026, 9, 20)
    DAY = date(2026, 10, 20)
    REMEDY = "or set tuning.allow_retiring to true if your project has access"

    def test_a_month_before_it_is_not_refused_yet(self) -> None:
        assert refused(OLD, today=self.MONTH - timedelta(days=1)) == []

    @pytest.mark.parametrize("today", [MONTH, DAY - timedelta(days=1)])
    def test_in_the_last_month(self, today: date) -> None:
        assert refused(OLD, today=today) == [
            f"{OLD} retires on 2026-10-20, and Vertex AI may refuse new tuning jobs: use gemini-3.5-flash,"
            f" {self.REMEDY}"
        ]

    @pytest.mark.parametrize("today", [DAY, date(2031, 1, 1)])
    def test_from_its_day_on(self, today: date) -> None:
        assert refused(OLD, today=today) == [
            f"{OLD} is in extended access only since 2026-10-20, and Vertex AI may refuse new tuning jobs: use"
            f" gemini-3.5-flash, {self.REMEDY}"
        ]

    @pytest.mark.parametrize("today", [BEFORE, MONTH, DAY, date(2031, 1, 1)])
    def test_whoever_has_access_may(self, today: date) -> None:
        assert refused(OLD, today=today, tuning={"allow_retiring": True}) == []

    def test_it_is_the_root_that_counts(self) -> None:
        base = Base(id=OLD, model=f"projects/7/locations/{PLACE}/models/3@1", endpoint="e")
        (found,) = refused(base, today=self.DAY)
        assert found.startswith(f"{OLD} is in extended access only")


class TestTheCatalogsRule:
    """A month before an announced day, whoever has not used a model is kept from it."""

    @staticmethod
    def table(announced: bool, day: date) -> Catalog:
        known = catalog()
        going = {"date": day, "announced": announced, "replacement": "gemini-9"}
        retires = type(known.models[OLD].retires).model_validate(going)  # type: ignore[union-attr]
        model = known.models[OLD].model_copy(update={"retires": retires})
        return known.model_copy(update={"models": {"m": model}})

    @given(st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.integers(-2000, 2000))
    def test_an_announced_day(self, day: date, days: int) -> None:
        said = self.table(True, day).retirement_objection("m", day + timedelta(days=days))
        if days < -30:
            assert said is None
        else:
            when = f"m retires on {day}" if days < 0 else f"m is in extended access only since {day}"
            assert said == f"{when}, and Vertex AI may refuse new tuning jobs: use gemini-9"

    @given(st.dates(date(2020, 1, 1), date(2090, 1, 1)), st.integers(-2000, 2000))
    def test_one_that_is_not_announced_keeps_nobody_away(self, day: date, days: int) -> None:
        assert self.table(False, day).retirement_objection("m", day + timedelta(days=days)) is None

    def test_a_model_of_which_nothing_is_known(self) -> None:
        known = catalog()
        table = known.model_copy(update={"models": {"m": known.models[OLD].model_copy(update={"retires": None})}})
        assert table.retirement_objection("m", date(2090, 1, 1)) is None

    @pytest.mark.parametrize("model", sorted(catalog().models))
    def test_what_takes_the_place_of_a_model_can_be_tuned(self, model: str) -> None:
        going = catalog().models[model].retires
        assert going is None or going.replacement in catalog().models


class TestAdapterSizes:
    def test_of_the_one_job(self) -> None:
        assert refused(tuning={"adapter_size": 3}) == [f"{NEW} has no adapter of size 3: choose one of 1, 2, 4, 8, 16"]

    def test_of_every_trial_once(self) -> None:
        grid = {"adapter_size": [32, 4, 3], "epochs": [1, 2]}
        assert refused(sweep={"grid": grid}) == [
            f"{NEW} has no adapter of size {size}: choose one of 1, 2, 4, 8, 16" for size in (3, 32)
        ]

    def test_that_of_tuning_is_not_taken_where_each_trial_has_its_own(self) -> None:
        assert refused(tuning={"adapter_size": 3}, sweep={"grid": {"adapter_size": [1, 2]}}) == []
        (found,) = refused(tuning={"adapter_size": 3}, sweep={"trials": [{"adapter_size": 1}, {"epochs": 2}]})
        assert "no adapter of size 3" in found

    def test_a_tuned_model_has_those_of_its_root(self) -> None:
        base = Base(id="gemini-2.5-pro", model=f"projects/7/locations/{PLACE}/models/3@1", endpoint="e")
        assert refused(base, tuning={"adapter_size": 16}) == [
            "gemini-2.5-pro has no adapter of size 16: choose one of 1, 2, 4, 8"
        ]


class TestKeyOfOnesOwn:
    def test_where_the_model_allows_it(self) -> None:
        assert refused(OLD, tuning={"kms_key": KEY}) == []

    def test_where_it_does_not(self) -> None:
        assert refused(tuning={"kms_key": KEY}) == [
            f"{NEW} cannot be tuned with a key of your own: take tuning.kms_key out (it is for gemini-2.5-pro,"
            " gemini-2.5-flash, gemini-2.5-flash-lite)"
        ]

    def test_in_another_region(self) -> None:
        assert refused(OLD, "europe-west4", tuning={"kms_key": KEY}) == [
            "tuning.kms_key is in us-central1, and the job in europe-west4: both must be in one region"
        ]


class TestEvaluationInTheJob:
    def test_where_the_model_can(self) -> None:
        assert refused(OLD, tuning={"evaluation": ["bleu"]}) == []

    def test_where_it_cannot(self) -> None:
        assert refused(tuning={"evaluation": ["bleu"]}) == [
            f"a tuning job of {NEW} cannot evaluate: take tuning.evaluation out (it is for gemini-2.5-pro,"
            " gemini-2.5-flash, gemini-2.5-flash-lite)"
        ]


WITHOUT = [
    {"train": "t.jsonl", "test": "e.jsonl"},
    {"train": "t.jsonl", "split": {"validation": 0.0}},
    {"train": "t.jsonl", "test": "e.jsonl", "split": {"validation": 0.5}},
]
WITH = [DATA, {"train": "t.jsonl"}, {"train": "t.jsonl", "validation": "v.jsonl", "split": {"validation": 0.0}}]


class TestWithoutValidation:
    @pytest.mark.parametrize("data", WITHOUT)
    def test_nothing_is_chosen_on_it(self, data: dict[str, Any]) -> None:
        assert refused(data=data, sweep={"grid": {"epochs": [1, 2]}}) == [
            "a sweep chooses on the validation split, and there is none: give data.validation or, where"
            " train is divided, a share in data.split.validation"
        ]

    @pytest.mark.parametrize("data", WITHOUT)
    def test_nothing_is_computed_on_it(self, data: dict[str, Any]) -> None:
        assert refused(OLD, data=data, tuning={"evaluation": ["bleu"]}) == [
            "tuning.evaluation is computed on the validation split, and there is none: give data.validation or, where"
            " train is divided, a share in data.split.validation"
        ]

    @pytest.mark.parametrize("data", WITH)
    def test_with_it_both_can_be(self, data: dict[str, Any]) -> None:
        both: dict[str, Any] = {"tuning": {"evaluation": ["bleu"]}, "sweep": {"grid": {"epochs": [1, 2]}}}
        assert refused(OLD, data=data, **both) == []


def test_trials_that_come_down_to_the_same_job() -> None:
    trials: dict[str, Any] = {"trials": [{}, {"epochs": 2}, {"epochs": 2, "attempt": 1}, {"epochs": 3}]}
    assert refused(tuning={"epochs": 4}, sweep=trials) == [
        "the trials epochs=2 and epochs=2 attempt=1 are the same with what tuning says: take one of them out"
    ]
    assert len(refused(tuning={"epochs": 2}, sweep=trials)) == 3
    assert refused(tuning={"epochs": 2, "attempt": 7}, sweep={"trials": [{"attempt": 1}, {"attempt": 2}]}) == []


def test_all_of_them_are_said_at_once() -> None:
    found = refused(
        OLD,
        "us-east1",
        date(2031, 1, 1),
        {"train": "t.jsonl", "test": "e.jsonl"},
        tuning={"kms_key": KEY, "evaluation": ["bleu"]},
        sweep={"grid": {"adapter_size": [3, 5]}},
    )
    assert len(found) == 7 and all(": " in one for one in found), "each with what to do"
