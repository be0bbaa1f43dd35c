"""What must not get worse, whatever the deciding metric gains."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemini_sft.decision import Comparison, Guarded, Judged, Verdict
from gemini_sft.decision.guards import check_guards
from gemini_sft.errors import ExperimentError
from gemini_sft.experiment import Experiment, Gate
from gemini_sft.experiment.schema import Guard
from gemini_sft.judging import Tally
from tests.unit.gemini_sft.decision.evaluations import Scores, compared, evaluation

N = 40
HIDDEN = ", for none got worse; so few examples would hide a loss in up to 9% of all"
"""If 8.8% of all got worse, none of 40 would show it in 2.5% of all cases."""
LANGUAGES = {f"e{row:03d}": {"lang": ("de", "fr", "it")[row % 4]} for row in range(N) if row % 4 < 3}
LANGUAGES |= {"e003": {"lang": "rare"}, "e007": {"other": "x"}}


def with_guard(guard: Guard, after: Scores, before: Scores = (0.5,) * N, **more: Any) -> tuple[Comparison, Guarded]:
    """A candidate that gains a lot in what decides; in `own` it scores what is given."""
    base, candidate = evaluation([0.25] * N, own=before), evaluation([0.75] * N, own=after)
    comparison = compared(base, candidate, Gate(guards=[guard]), **more)
    (found,) = comparison.guards
    return comparison, found


def checked(guards: list[Guard], values: Sequence[dict[str, str]], groups: Sequence[str] = ()) -> list[str]:
    """What is said before anything is spent of guards, and of test examples with these values."""
    document = {"name": "x", "task": "chat", "base_model": "m", "data": {"train": "t.jsonl", "slices": ["lang"]}}
    experiment = Experiment.model_validate(document).model_copy(update={"gate": Gate(guards=guards)})
    rows = [{"id": f"e{row:03d}", "source": "t", "line": 1, "slices": one} for row, one in enumerate(values)]
    rows = [row | ({"group": group} if group else {}) for row, group in zip(rows, groups or [""] * N * 2, strict=False)]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sources.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        try:
            check_guards(experiment, folder)
        except ExperimentError as error:
            return [str(one) for one in error.problems]
    return []


def langs(**counts: int) -> list[dict[str, str]]:
    return [{"lang": name} for name, count in counts.items() for _ in range(count)]


@pytest.mark.parametrize(
    ("slice_", "values", "said"),
    [
        ("lang=fr", langs(de=10, en=10), ["lang=fr: no test example has it; there are de, en"]),
        ("lang=germn", langs(german=10), ["lang=germn: no test example has it; did you mean german?"]),
        (
            "lang=none",
            langs(**{f"v{n}": 1 for n in range(10)}),
            ["lang=none: no test example has it; there are v0, v1, v2, v3, v4, v5, v6, v7 and 2 more"],
        ),
        (
            "lang=de",
            langs(de=9, en=10),
            ["lang=de has 9 test examples, and a guard needs 10 to hold: give test more, or take the guard out"],
        ),
        (
            "lang",
            langs(de=9, en=10, fr=1),
            [
                "lang=de has 9 test examples, and a guard needs 10 to hold: give test more, or take the guard out",
                "lang=fr has 1 test example, and a guard needs 10 to hold: give test more, or take the guard out",
            ],
        ),
        ("lang", langs(de=10, en=11), []),
    ],
)
def test_a_part_that_can_show_nothing_is_found_in_advance(
    slice_: str, values: list[dict[str, str]], said: list[str]
) -> None:
    guards = [Guard(metric="failure_rate"), Guard(slice=slice_)]
    assert checked(guards, values) == [f"gate.guards.1.slice: {one}" for one in said]


def test_it_is_said_of_all_guards_at_once_and_without_secrets() -> None:
    secret = "AKIA" + "IOSFODNN7QRSTUVW"
    said = checked([Guard(slice="lang=fr"), Guard(slice="lang")], langs(**{secret: 1}))
    assert [one.partition(": ")[0] for one in said] == ["gate.guards.0.slice", "gate.guards.1.slice"]
    assert not any(secret in one for one in said)


def test_groups_are_counted_in_advance_too() -> None:
    groups = [f"page {row // 5}" for row in range(N)]
    assert checked([Guard(slice="lang=de")], langs(de=N), groups) == [
        "gate.guards.0.slice: lang=de has 8 groups of test examples, and a guard needs 10 to hold: give test more, or"
        " take the guard out"
    ]


@given(
    st.sampled_from(["lang", "lang=de", "lang=en"]),
    st.lists(st.sampled_from(["de", "en", "it"]), min_size=1, max_size=N),
    st.integers(1, 4),
)
def test_refused_is_just_what_could_never_be_shown(slice_: str, values: list[str], each: int) -> None:
    """The best that can be: every example is answered better by far."""
    rows = [{"lang": one} for one in values]
    groups = [f"{row // each}" for row in range(len(rows))] if each > 1 else []
    ids = [f"e{row:03d}" for row in range(len(rows))]
    comparison = compared(
        [0.25] * len(rows),
        [0.75] * len(rows),
        Gate(guards=[Guard(slice=slice_)]),
        slices=dict(zip(ids, rows, strict=True)),
        clusters=dict(zip(ids, groups, strict=False)),
    )
    assert len(checked([Guard(slice=slice_)], rows, groups)) == sum(one.held is None for one in comparison.guards)


def test_so_many_examples_as_it_says_show_that_a_guard_holds() -> None:
    """In about four of five cases: with half as many in far fewer."""
    generator = np.random.default_rng(11)
    guard = Guard(metric="own", max_drop=0.1)
    _, found = with_guard(guard, [0.5, *generator.normal(0.5, 0.4, N - 1)])
    assert found.held is None
    needed = int(found.words.partition("; about ")[2].partition(" ")[0].replace(",", ""))
    assert found.difference is not None
    margin, error = found.difference.mean + 0.1, 0.4 / np.sqrt(needed)
    # Shown is what lies 1.96 standard errors above the limit.
    assert 0.7 < float(np.mean(generator.normal(margin, error, 4000) > 1.96 * error)) < 0.95
    fewer = error * np.sqrt(2)
    assert float(np.mean(generator.normal(margin, fewer, 4000) > 1.96 * fewer)) < 0.6


@pytest.mark.parametrize(
    ("changes", "max_drop", "verdict", "ending"),
    [
        ([0.0], 0.0, Verdict.PROMOTE, f"it must not get worse, and that holds{HIDDEN}"),
        ([0.1], 0.0, Verdict.PROMOTE, f"it must not get worse, and that holds{HIDDEN}"),
        ([0.0], 0.08, Verdict.PROMOTE, f"it may get worse by 0.08 at most, and that holds{HIDDEN}"),
        ([0.0], 0.1, Verdict.PROMOTE, "it may get worse by 0.1 at most, and that holds"),
        ([-0.02], 0.02, Verdict.PROMOTE, "it may get worse by 0.02 at most, and that holds"),
        ([-0.01, 0.01], 0.02, Verdict.PROMOTE, "it may get worse by 0.02 at most, and that holds"),
        (
            [-0.4, 0.4],
            0.02,
            Verdict.INCONCLUSIVE,
            "whether that holds; about 3,300 would, if the change is as it was here",
        ),
        ([-0.4, 0.4], 0.0, Verdict.INCONCLUSIVE, "not get worse, and these examples cannot tell whether that holds"),
        ([-0.0205], 0.02, Verdict.REJECT, "it may get worse by 0.02 at most, and that does not hold"),
        ([-0.03], 0.02, Verdict.REJECT, "it may get worse by 0.02 at most, and that does not hold"),
        ([-0.01], 0.0, Verdict.REJECT, "it must not get worse, and that does not hold"),
        ([float("nan"), 0.0], 0.0, Verdict.INCONCLUSIVE, "not get worse, and could not be computed for every example"),
    ],
)
def test_that_nothing_was_lost_must_be_shown(
    changes: Sequence[float], max_drop: float, verdict: Verdict, ending: str
) -> None:
    changes = [*changes] * (N // len(changes))
    guard = Guard(metric="own", max_drop=max_drop)
    comparison, found = with_guard(guard, [0.5 + one for one in changes])
    assert comparison.verdict is verdict
    assert found.held is {Verdict.PROMOTE: True, Verdict.REJECT: False, Verdict.INCONCLUSIVE: None}[verdict]
    assert (found.what, found.limit, found.n) == ("own", max_drop, N)
    assert found.words.startswith("own changed by ") and found.words.endswith(ending)
    if verdict is Verdict.PROMOTE:
        assert comparison.reasons[-1] == "the guard holds" and found.words not in comparison.reasons
    else:
        assert found.words in comparison.reasons
    turned, same = with_guard(guard, [0.5 - one for one in changes], lower_is_better=["own"])
    assert turned.verdict is verdict and same.words.endswith(ending), "where less is better, a rise is a loss"


def test_the_deciding_metric_can_be_guarded_in_a_part_of_the_examples() -> None:
    after = [0.25 if one == "de" else 0.9 for one in (LANGUAGES.get(f"e{row:03d}", {}).get("lang") for row in range(N))]
    gate = Gate(guards=[Guard(slice="lang=de"), Guard(slice="lang=fr")])
    comparison = compared([0.5] * N, after, gate, slices=LANGUAGES)
    assert comparison.difference.low > 0 and comparison.verdict is Verdict.REJECT
    assert [(one.what, one.n, one.held) for one in comparison.guards] == [
        ("rougeL_f where lang is de", 10, False),
        ("rougeL_f where lang is fr", 10, True),
    ]
    assert comparison.reasons[1:] == [comparison.guards[0].words]


def test_a_guard_on_a_column_is_one_on_each_of_its_values() -> None:
    comparison = compared([0.25] * N, [0.75] * N, Gate(guards=[Guard(slice="lang", max_drop=0.1)]), slices=LANGUAGES)
    assert [(one.what, one.n, one.held) for one in comparison.guards] == [
        ("rougeL_f where lang is de", 10, True),
        ("rougeL_f where lang is fr", 10, True),
        ("rougeL_f where lang is it", 10, True),
        ("rougeL_f where lang is rare", 1, None),
    ]
    assert comparison.verdict is Verdict.INCONCLUSIVE
    assert comparison.reasons[1] == (
        "rougeL_f where lang is rare may get worse by 0.1 at most, and 1 example cannot tell: fewer than 10 examples"
        " decide nothing"
    )


@pytest.mark.parametrize("slice_", ["lang=xx", "lang=", "nothing=de", "nothing"])
def test_what_no_example_has_leaves_it_open(slice_: str) -> None:
    column, _, value = slice_.partition("=")
    comparison = compared([0.25] * N, [0.75] * N, Gate(guards=[Guard(slice=slice_)]), slices=LANGUAGES)
    (found,) = comparison.guards
    assert (found.n, found.held, comparison.verdict) == (0, None, Verdict.INCONCLUSIVE)
    said = value if slice_.endswith(f"={value}") else "any value"
    assert found.words == f"rougeL_f where {column} is {said} must not get worse, and there is no such test example"


def test_a_value_may_hold_the_sign_itself() -> None:
    slices = {f"e{row:03d}": {"query": "a=b"} for row in range(N)}
    comparison = compared([0.25] * N, [0.75] * N, Gate(guards=[Guard(slice="query=a=b")]), slices=slices)
    assert comparison.verdict is Verdict.PROMOTE and comparison.guards[0].n == N


def test_the_failure_rate_may_not_rise() -> None:
    gate = Gate(guards=[Guard(metric="failure_rate", max_drop=0.05)])
    base = evaluation([0.25] * N, failed=[0, 1])
    for failed, verdict in (([0, 1], Verdict.PROMOTE), ([5, 6, 7], Verdict.INCONCLUSIVE), (range(20), Verdict.REJECT)):
        candidate = evaluation([0.75] * N, failed=failed)
        comparison = compared(base, candidate, gate)
        (found,) = comparison.guards
        assert (found.what, comparison.verdict) == ("the failure rate", verdict)
        assert found.difference and found.difference.mean == pytest.approx((len(failed) - 2) / N)
        assert found.difference.losses == len({*failed} - {0, 1}) and found.difference.lower_is_better


def test_groups_are_counted_not_their_examples() -> None:
    clusters = {f"e{row:03d}": f"page {row // 5}" for row in range(N)}
    comparison, found = with_guard(Guard(metric="own"), [0.5] * N, clusters=clusters)
    assert (comparison.verdict, comparison.groups, found.held) == (Verdict.INCONCLUSIVE, 8, None)
    assert found.words.endswith(
        "40 examples cannot tell: fewer than 10 groups of examples that belong together decide nothing"
    )


def test_what_could_hide_is_reckoned_from_the_groups_where_there_are_some() -> None:
    clusters = {f"e{row:03d}": f"page {row // 4}" for row in range(N)}
    _, found = with_guard(Guard(metric="own", max_drop=0.3), [0.5] * N, clusters=clusters)
    assert found.held and found.words.endswith(HIDDEN.replace("9%", "31%"))


def judge(wins: int, losses: int, interval: tuple[float, float] | None, first_place: int = 0) -> Judged:
    tally = Tally(
        examples=wins + losses, wins=wins, ties=0, losses=losses, unreadable=0, identical=0, missing=0,
        win_rate=wins / (wins + losses) if interval else None, judged=wins + losses, first_place=first_place,
        second_place=0,
    )  # fmt: skip
    low, high = interval or (None, None)
    return Judged(
        model="j", served_by="j", tally=tally, low=low, high=high, confidence=0.9, base_grades=None,
        candidate_grades=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "verdict", "ending"),
    [
        (judge(30, 10, (0.6, 0.9)), Verdict.PROMOTE, None),
        (judge(30, 10, (0.55, 0.9)), Verdict.PROMOTE, None),
        (judge(30, 10, (0.54, 0.9)), Verdict.INCONCLUSIVE, " is 0.7500 over 40 pairs, 90% interval [0.5400, 0.9000]:"
         " it must be at least 0.55, and these pairs cannot tell whether that holds"),
        (judge(10, 30, (0.1, 0.4)), Verdict.REJECT, ": it must be at least 0.55, and that does not hold"),
        (judge(30, 10, (0.6, 0.9), first_place=20), Verdict.INCONCLUSIVE, ", and the judge went by the place of an"
         " answer too often to be relied on"),
        (judge(10, 30, (0.1, 0.4), first_place=20), Verdict.INCONCLUSIVE, " to be relied on"),
        (judge(4, 1, None), Verdict.INCONCLUSIVE, " must be at least 0.55, and too few of its verdicts can be used"),
        (None, Verdict.INCONCLUSIVE, " must be at least 0.55, and the judge's verdicts are missing"),
    ],
)  # fmt: skip
def test_the_judge_may_have_a_say(said: Judged | None, verdict: Verdict, ending: str | None) -> None:
    comparison = compared([0.25] * N, [0.75] * N, Gate(min_win_rate=0.55), judge=said)
    assert comparison.verdict is verdict and comparison.judge is said
    assert comparison.guards[0].words.startswith("the judge's win rate ")
    assert comparison.reasons[-1].endswith(ending or "the guard holds")
    assert compared([0.25] * N, [0.75] * N, judge=said).verdict is Verdict.PROMOTE, (
        "which it has only if it is asked to"
    )
