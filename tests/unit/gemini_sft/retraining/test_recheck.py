"""Whether the champion has fallen."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gemini_sft.decision import bootstrap
from gemini_sft.decision.paired import Paired
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.retraining.recheck import Change, Recheck, State, recheck
from gemini_sft.retraining.reference import Reference
from tests.unit.gemini_sft.decision.evaluations import PRIMARY, Scores, evaluation

RNG = np.random.default_rng(7)
BEFORE = RNG.uniform(0.4, 1.0, 60)


def held(then: Scores | EvaluationResult, now: Scores | EvaluationResult, **changes: Any) -> Recheck:
    before, after = (one if isinstance(one, EvaluationResult) else evaluation(one) for one in (then, now))
    reference = Reference(
        run_id="demo-1",
        promoted=changes.pop("promoted", True),
        evaluation=before,
        groups=changes.pop("groups_then", {}),
        scoring={},
    )
    given: dict[str, Any] = {
        "groups": {},
        "metric": PRIMARY,
        "lower_is_better": False,
        "confidence": 0.95,
        "max_drop": 0.0,
        "model": "m@1",
    }
    return recheck(reference, after, **(given | changes))


@pytest.fixture(autouse=True)
def cheap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 1000)


def test_the_same_answers_have_held() -> None:
    found = held(BEFORE, BEFORE)
    assert (found.state, found.change, found.low, found.high) == (State.HELD, 0.0, 0.0, 0.0)
    assert (found.n_then, found.n_now, found.paired, found.alarms) == (60, 60, 60, [])
    assert found.then == found.now == pytest.approx(BEFORE.mean())
    assert found.reasons == [
        "rougeL_f of the champion changed by +0.0000 since it was promoted, 95% interval [+0.0000, +0.0000], over the"
        " same 60 examples",
        "no drop is shown, and so few examples could hide a loss in up to 6% of all",
    ]


def test_a_fall_is_an_alarm_with_its_size() -> None:
    found = held(BEFORE, BEFORE - RNG.uniform(0.1, 0.3, 60))
    assert found.state is State.FALLEN and found.high is not None and found.high < -0.1
    (alarm,) = found.alarms
    assert alarm.startswith("the champion has fallen: rougeL_f is worse by 0.")
    assert alarm.endswith(f"the drop is at least {-found.high:.4f}, and none is allowed")


def test_a_fall_that_is_allowed_has_held_and_one_that_these_examples_could_hide_is_said() -> None:
    after = BEFORE - RNG.uniform(0.0, 0.1, 60)
    found = held(BEFORE, after, max_drop=0.1)
    assert found.state is State.HELD and found.low is not None and found.low < 0 and not found.alarms
    assert found.reasons[1] == (
        f"no drop of more than 0.1 is shown, and these examples could hide one of up to {-found.low:.4f}"
    )
    assert held(BEFORE, after).state is State.FALLEN


def test_of_a_metric_of_which_less_is_better_more_is_a_fall() -> None:
    after = BEFORE + 0.2
    assert held(BEFORE, after).state is State.HELD
    found = held(BEFORE, after, lower_is_better=True)
    assert found.state is State.FALLEN and "is worse by 0.2000, the drop is at least 0.2000" in found.alarms[0]
    assert held(after, BEFORE, lower_is_better=True).state is State.HELD


@settings(max_examples=25, deadline=None)
@given(
    scores=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=30),
    grouped=st.booleans(),
)
def test_on_the_same_examples_it_is_the_paired_comparison(scores: list[tuple[float, float]], grouped: bool) -> None:
    """The other module is the oracle: there each difference is drawn, here each pair."""
    then, now = (evaluation([pair[side] for pair in scores]) for side in (0, 1))
    groups = {one: f"g{n % 3}" for n, one in enumerate(then.scores)} if grouped else {}
    before, after = ({one: row[PRIMARY] for one, row in side.scores.items()} for side in (then, now))
    change = Change(before, after, groups)
    expected = Paired(then, now, (), groups).differences([PRIMARY], 0.9)[PRIMARY]
    assert change.mean == pytest.approx(expected.mean, abs=1e-9)
    assert change.interval(0.9) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_swapped_it_is_mirrored() -> None:
    then = {f"a{n}": value for n, value in enumerate(BEFORE)}
    now = {f"a{n + 30}": value for n, value in enumerate(RNG.uniform(0, 1, 60))}
    forth, back = Change(then, now, {}), Change(now, then, {})
    assert forth.mean == -back.mean
    low, high = forth.interval(0.95)
    assert back.interval(0.95) == pytest.approx((-high, -low))


def test_other_examples_are_another_sample() -> None:
    other = evaluation(RNG.uniform(0.4, 1.0, 50), prefix="f")
    found = held(BEFORE, other)
    assert (found.n_then, found.n_now, found.paired, found.state) == (60, 50, 0, State.HELD)
    assert "over 50 examples today and 60 then, 0 of them in both" in found.reasons[0] and len(found.reasons) == 2
    error = math.sqrt(BEFORE.var(ddof=1) / 60 + np.var([row[PRIMARY] for row in other.scores.values()], ddof=1) / 50)
    assert found.low is not None and found.high is not None
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    fallen = held(BEFORE, evaluation(RNG.uniform(0.0, 0.5, 50), prefix="f"))
    assert fallen.state is State.FALLEN


def test_examples_in_both_make_it_surer_and_are_told_apart() -> None:
    more = np.concatenate([BEFORE - 0.01, RNG.uniform(0.4, 1.0, 5)])
    found, strangers = held(BEFORE, more), held(BEFORE, evaluation(more, prefix="f"))
    assert found.paired == 60 and found.reasons[2] == "over the 60 examples in both it changed by -0.0100"
    assert None not in (found.low, found.high, strangers.low, strangers.high)
    assert found.high - found.low < (strangers.high - strangers.low) / 2  # type: ignore[operator]


def test_groups_are_drawn_as_a_whole() -> None:
    shift = np.repeat(RNG.normal(0, 0.2, 12), 5)
    groups = {f"e{n:03d}": f"g{n // 5}" for n in range(60)}
    alone, together = held(BEFORE, BEFORE + shift), held(BEFORE, BEFORE + shift, groups=groups)
    assert together.high - together.low > 1.5 * (alone.high - alone.low)  # type: ignore[operator]
    few = {f"e{n:03d}": f"g{n // 10}" for n in range(60)}
    found = held(BEFORE, BEFORE - 0.3, groups=few)
    assert found.state is State.UNKNOWN and found.reasons == [
        "fewer than 10 examples, or groups of them, decide nothing"
    ]


@pytest.mark.parametrize(
    ("then", "now", "state"), [(10, 10, "fallen"), (9, 200, "unknown"), (200, 9, "unknown"), (1, 20, "unknown")]
)
def test_too_few_on_either_side_decide_nothing(then: int, now: int, state: str) -> None:
    found = held(RNG.uniform(0.9, 1, then), evaluation(RNG.uniform(0, 0.1, now), prefix="f"))
    assert found.state == state and None not in (found.low, found.high)
    assert (state == "unknown") == found.reasons[0].startswith("fewer than 10 examples")
    assert found.numbers()["examples_now"] == now and "then" in found.numbers()


def test_few_among_many_new_ones_are_no_worlds_without_them() -> None:
    found = held(RNG.uniform(0.9, 1, 10), evaluation(RNG.uniform(0, 0.1, 2000), prefix="f"))
    assert found.state is State.FALLEN and found.low is not None and found.high is not None


def test_what_is_no_number_is_not_known() -> None:
    found = held(BEFORE, [math.nan, *BEFORE[1:]])
    assert found.state is State.UNKNOWN and found.reasons == ["rougeL_f could not be computed for every example"]
    assert (found.now, found.change, found.low) == (None, None, None)
    assert Recheck.model_validate_json(found.model_dump_json()) == found


def test_a_champion_that_was_not_promoted_by_a_run_is_held_against_its_first_evaluation() -> None:
    assert "since run demo-1 asked it first" in held(BEFORE, BEFORE, promoted=False).reasons[0]


@pytest.mark.parametrize(("then", "now", "both"), [(40, 40, 0), (20, 60, 20), (60, 40, 30)])
def test_an_interval_holds_the_truth_as_often_as_it_says(then: int, now: int, both: int) -> None:
    """100 worlds in which nothing fell: some 5 of them say otherwise, either way."""
    missed = 0
    rng = np.random.default_rng(3)
    for _ in range(100):
        ease = rng.normal(0, 1, then + now - both)
        before = {f"a{n}": ease[n] + rng.normal(0, 0.5) for n in range(then)}
        after = {f"a{n}": ease[n] + rng.normal(0, 0.5) for n in range(then - both, then + now - both)}
        low, high = Change(before, after, {}).interval(0.95)
        missed += not low <= 0 <= high
    assert missed <= 12


def test_who_looks_again_is_held_to_more_and_told_what_one_look_would_say() -> None:
    after = BEFORE - RNG.normal(0.03, 0.1, 60)
    first, tenth = held(BEFORE, after), held(BEFORE, after, looks=10)
    assert (first.state, tenth.state) == (State.FALLEN, State.HELD) and (first.looks, tenth.looks) == (1, 10)
    assert tenth.confidence == pytest.approx(0.995) and not tenth.alarms
    assert tenth.reasons[-2:] == [
        "it is number 10 of the rechecks of this champion, each on other examples, so it is held to 99.5% instead of"
        " 95%",
        "by itself, at 95%, it would say that the champion has fallen: watch it",
    ]
    rise = held(-BEFORE, -after, looks=10, lower_is_better=True)
    assert rise.reasons[-1].endswith("watch it")
    assert not held(after, BEFORE, looks=10).reasons[-1].endswith("watch it")


def test_a_year_of_weeks_in_which_nothing_changes_brings_few_alarms() -> None:
    """52 looks at 95% each say so in about 3 of 10 years; a k-th part of the doubt leaves less than 1 in 10."""
    rng = np.random.default_rng(11)
    alarmed = plain = 0
    for _ in range(40):
        before = {f"a{n}": one for n, one in enumerate(rng.normal(0.7, 0.2, 20))}
        weeks = [
            Change(before, {f"w{n}": one for n, one in enumerate(rng.normal(0.7, 0.2, 20))}, {}) for _ in range(52)
        ]
        plain += any(week.interval(0.95)[1] < 0 for week in weeks)
        alarmed += any(week.interval(1 - 0.05 / k)[1] < 0 for k, week in enumerate(weeks, 1))
    assert plain > 6 and alarmed <= 6


def test_what_the_champion_was_tuned_on_is_left_out_on_both_sides() -> None:
    """It knows the last 20 by heart, and has forgotten what it never saw."""
    after = np.concatenate([BEFORE[:40] - 0.2, BEFORE[40:] + 0.4])
    learnt = {f"e{n:03d}" for n in range(40, 60)}
    assert held(BEFORE, after).state is State.HELD
    found = held(BEFORE, after, seen=learnt)
    assert (found.state, found.seen, found.n_then, found.n_now, found.paired) == (State.FALLEN, 20, 40, 40, 40)
    assert found.then == pytest.approx(BEFORE[:40].mean()) and found.now == pytest.approx(BEFORE[:40].mean() - 0.2)
    assert found.reasons[-1] == "20 test examples are left out, because the champion was tuned on them"
    nothing = held(BEFORE, after, seen={f"e{n:03d}" for n in range(60)})
    assert (nothing.state, nothing.seen, nothing.now, nothing.alarms) == (State.UNKNOWN, 60, None, [])
