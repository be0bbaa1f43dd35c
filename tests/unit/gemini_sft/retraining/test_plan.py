"""The rules by which a scheduled run goes."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.cost import Quote
from gemini_sft.cost.split import TokenCount
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import Retraining
from gemini_sft.retraining.plan import Path, Plan, Situation, Tried, make_plan
from gemini_sft.retraining.trained import Trained, settings_of
from gemini_sft.tuning import Base

CHAMPION = Base(id="gemini-2.5-flash", model="projects/7/locations/us-central1/models/3@1", endpoint="e")
OLD = frozenset(f"{n:016x}" for n in range(100))
ROOT = Base(id="gemini-2.5-flash")
TODAY = date(2000, 1, 1)


def asked(**sections: Any) -> dict[str, Any]:
    """The settings of an experiment."""
    given = {"name": "demo", "task": "chat", "base_model": "gemini-2.5-flash", "data": {"train": "t.jsonl"}}
    base = sections.pop("base", ROOT)
    return settings_of(Experiment.model_validate(given | sections), base, sections.pop("prompt", "p0"))


def quoted(refused: str = "", recheck: str = "") -> Quote:
    made = Quote(
        model="gemini-2.5-flash",
        lines=[],
        usd=0.0,
        error_usd=0.0,
        price_date=None,
        train=TokenCount(examples=0, counted=0, tokens=0, error=0),
        epochs=0,
        epochs_assumed=False,
        notes=[],
    )
    return made.model_copy(
        update={"refused": refused, "recheck": made.model_copy(update={"refused": recheck})},
    )


THEN = Trained(data="d0", start="gemini-2.5-flash", settings=asked())
UNCHANGED = Situation(
    settings=Retraining(),
    today=TODAY,
    base=ROOT,
    refused="",
    champion=CHAMPION,
    silent="",
    now=THEN,
    ids=OLD,
    then=THEN,
    then_ids=OLD,
    tried=None,
    quote=quoted(),
)


def grown(new: int, removed: int = 0, **changes: Any) -> Situation:
    """Other data than the champion's: so many examples more and so many fewer."""
    kept = sorted(OLD)[removed:]
    ids = frozenset([*kept, *(f"{1000 + n:016x}" for n in range(new))])
    return replace(UNCHANGED, now=THEN.model_copy(update={"data": "d1"}), ids=ids, **changes)


def planned(found: Situation) -> tuple[str, str]:
    made = make_plan(found)
    return made.path, "; ".join(made.reasons)


def test_without_a_champion_it_tunes() -> None:
    found = replace(UNCHANGED, champion=None, then=None, then_ids=None)
    assert make_plan(found) == Plan(
        path=Path.TUNE, reasons=["there is no champion yet"], alarms=[], new_examples=None, champion=""
    )


def test_with_the_champions_data_it_asks_the_champion() -> None:
    assert make_plan(UNCHANGED) == Plan(
        path=Path.RECHECK,
        reasons=["the 100 training examples are those that the champion was tuned on"],
        alarms=[],
        new_examples=0,
        champion="projects/7/locations/us-central1/models/3@1",
    )


def test_the_same_examples_in_another_order_are_the_same_data() -> None:
    assert planned(replace(UNCHANGED, now=THEN.model_copy(update={"data": "d1"})))[0] == "recheck"


@pytest.mark.parametrize(
    ("new", "removed", "path", "reason"),
    [
        (9, 0, "skip", "9 of the 109 training examples are new to the champion, and retraining.min_new_examples asks"),
        (1, 0, "skip", "1 of the 101 training examples is new to the champion, and"),
        (0, 50, "skip", "0 of the 50 training examples are new to the champion, and retraining.min_new_examples asks"),
        (10, 0, "tune", "10 of the 110 training examples are new to the champion"),
        (10, 60, "tune", "10 of the 50 training examples are new to the champion"),
    ],
)
def test_too_little_new_is_skipped(new: int, removed: int, path: str, reason: str) -> None:
    made = make_plan(grown(new, removed))
    assert (made.path, made.new_examples) == (path, new)
    assert made.reasons[0].startswith(reason) and len(made.reasons) == 1


def test_a_content_that_is_there_once_more_is_not_new() -> None:
    found = grown(0)
    twice = frozenset([*OLD, *(f"{one}-2" for one in OLD)])
    assert make_plan(replace(found, ids=twice)).new_examples == 0


@given(new=st.integers(0, 40), removed=st.integers(0, 100), least=st.integers(0, 40))
def test_what_is_new_decides(new: int, removed: int, least: int) -> None:
    made = make_plan(grown(new, removed, settings=Retraining(min_new_examples=least)))
    assert made.new_examples == new
    unchanged = new == removed == 0
    assert made.path is (Path.RECHECK if unchanged else Path.TUNE if new >= least else Path.SKIP)


def test_what_nobody_kept_is_no_reason_not_to_tune() -> None:
    assert planned(grown(1, then=None, then_ids=None)) == (
        "tune",
        "what the champion was tuned on is not known here, so nobody can say what is new",
    )
    path, reason = planned(grown(1, then_ids=None))
    assert path == "tune" and "which examples of today's are new is not known" in reason


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        (
            {"base": Base(id="gemini-3.5-flash")},
            "base_model is gemini-3.5-flash, and was gemini-2.5-flash",
        ),
        ({"base_model": "champion", "base": CHAMPION}, "base_model is champion, and was gemini-2.5-flash"),
        ({"tuning": {"epochs": 3}}, "tuning.epochs is 3, and was None"),
        (
            {"tuning": {"attempt": 2, "adapter_size": 8}},
            "tuning.adapter_size is 8, and was None; tuning.attempt is 2, a",
        ),
        ({"tuning": {"evaluation": ["bleu"]}}, "tuning.evaluation is ['bleu'], and was []"),
        ({"sweep": {"grid": {"epochs": [1, 2]}}}, "sweep"),
        ({"prompt_fingerprint": "p1"}, "prompt"),
    ],
)
def test_other_settings_tune_whatever_the_data(sections: dict[str, Any], reason: str) -> None:
    prompt = sections.pop("prompt_fingerprint", "p0")
    settings = asked(**sections) | {"prompt": prompt}
    path, said = planned(replace(UNCHANGED, now=THEN.model_copy(update={"settings": settings})))
    assert path == "tune" and said.removeprefix(
        "since the champion was tuned, other settings are asked for: "
    ).startswith(reason)


@pytest.mark.parametrize(
    "tuning", [{"checkpoint": "last"}, {"timeout_minutes": 5}, {"labels": {"team": "a"}}, {"allow_retiring": True}]
)
def test_settings_that_make_no_other_model_change_nothing(tuning: dict[str, Any]) -> None:
    assert asked(tuning=tuning) == asked()


def test_a_champion_that_is_tuned_further_is_the_same_wish_when_another_has_become_champion() -> None:
    other = CHAMPION.model_copy(update={"model": "projects/7/locations/us-central1/models/4@1"})
    assert asked(base_model="champion", base=CHAMPION) == asked(base_model="champion", base=other)


@pytest.mark.parametrize("champion", [None, CHAMPION])
@pytest.mark.parametrize(
    ("tried", "said"),
    [
        (Tried("demo-7", "reject"), "run demo-7 has tuned on these very data with these settings and came to reject"),
        (Tried("demo-7", "promote", withdrawn=True), "promoted its model, which a rollback has taken out of use"),
    ],
)
def test_what_was_compared_already_is_not_tuned_again(champion: Base | None, tried: Tried, said: str) -> None:
    path, reason = planned(grown(50, tried=tried, champion=champion))
    assert said in reason
    assert path == ("recheck" if champion else "skip")
    assert reason.endswith("there is no champion that could be rechecked") == (champion is None)


def test_a_base_model_that_is_gone_is_not_tuned() -> None:
    gone: dict[str, Any] = {
        "base": Base(id="gemini-2.0-flash"),
        "refused": "gemini-2.0-flash was retired: use gemini-2.5-flash",
    }
    made = make_plan(grown(50, **gone))
    assert (made.path, made.reasons) == (
        Path.RECHECK,
        ["nothing is tuned: gemini-2.0-flash was retired: use gemini-2.5-flash"],
    )
    assert make_plan(grown(50, champion=None, **gone)).path is Path.SKIP
    silent = make_plan(grown(50, silent="no endpoint serves it", **gone))
    assert silent.path is Path.SKIP and "the champion cannot be asked: no endpoint serves it" in silent.alarms


@pytest.mark.parametrize(
    ("found", "path", "reason"),
    [
        (grown(50, quote=quoted(refused="too dear")), "skip", "too dear"),
        (grown(50, quote=quoted(recheck="too dear")), "tune", ""),
        (replace(UNCHANGED, quote=quoted(recheck="too dear")), "skip", "too dear"),
        (replace(UNCHANGED, quote=quoted(refused="too dear")), "recheck", ""),
        (grown(1, quote=quoted("too dear", "too dear")), "skip", "asks for 10"),
    ],
)
def test_what_the_budget_does_not_allow_is_skipped(found: Situation, path: str, reason: str) -> None:
    chosen, said = planned(found)
    assert chosen == path and said.endswith(reason) and said != reason


def test_it_is_shown_as_a_short_page() -> None:
    made = make_plan(replace(UNCHANGED, silent="no endpoint serves it"))
    assert made.markdown() == (
        "# Skip\n\n"
        "- **Alarm:** the champion cannot be asked: no endpoint serves it.\n\n"
        "Why:\n\n"
        "- the 100 training examples are those that the champion was tuned on.\n"
        "- the champion cannot be asked: no endpoint serves it.\n\n"
        "Champion: `projects/7/locations/us-central1/models/3@1`\n"
    )
