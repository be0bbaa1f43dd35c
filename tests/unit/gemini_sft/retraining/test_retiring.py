"""Alarms about models that go, whatever the catalog says of which."""

from datetime import date, timedelta

import pytest

from gemini_sft.catalog import catalog
from gemini_sft.catalog.catalog import Retiring
from gemini_sft.retraining.retiring import retirement_alarms

GOING = date(2030, 6, 30)


@pytest.fixture
def model(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model that goes on a day, announced or not."""
    name, known = next(iter(catalog().models.items()))
    retiring = Retiring(date=GOING, announced=request.param, replacement="gemini-9")
    changed = catalog().model_copy(
        update={"models": catalog().models | {name: known.model_copy(update={"retires": retiring})}}
    )
    monkeypatch.setattr("gemini_sft.retraining.retiring.catalog", lambda: changed)
    return name


@pytest.mark.parametrize(
    ("model", "days", "said"),
    [
        (True, 91, None),
        (True, 90, "retires on 2030-06-30, as was announced, and Vertex AI may refuse to tune it from 2030-05-31 on"),
        (True, 0, "retires on 2030-06-30, as was announced, and"),
        (True, -1, "retired on 2030-06-30, as was announced: use gemini-9"),
        (False, 91, None),
        (False, 90, "may retire from 2030-06-30 on, which is not announced: use gemini-9"),
        (False, -1, "may retire from 2030-06-30 on, which is not announced: use gemini-9"),
    ],
    indirect=["model"],
)
def test_it_begins_so_many_days_before(model: str, days: int, said: str | None) -> None:
    found = retirement_alarms(model, None, 90, GOING - timedelta(days=days))
    assert len(found) == (said is not None)
    if said:
        assert found[0].startswith(f"the base model {model} {said}") and found[0].endswith(": use gemini-9")


@pytest.mark.parametrize("model", [True], indirect=True)
def test_the_champions_is_told_apart(model: str) -> None:
    gone, entry = next(iter(catalog().retired.items()))
    assert retirement_alarms(gone, model, 90, GOING) == [
        f"the base model {gone} was retired on {entry.since}: use {entry.replacement}",
        f"the champion's base model {model} retires on 2030-06-30, as was announced, and Vertex AI may refuse to tune"
        " it from 2030-05-31 on: use gemini-9",
    ]
    (both,) = retirement_alarms(model, model, 90, GOING)
    assert both.startswith(f"the base model, which is the champion's too, {model} retires")


def test_a_model_that_nothing_is_known_of_alarms_nobody() -> None:
    assert retirement_alarms("gemini-0", None, 90, GOING) == []
