"""What follows from everything together, whatever the numbers are."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gemini_sft.decision import Comparison, Difference, Evidence, Verdict, compare, few_shot_arm, worth
from gemini_sft.experiment import Gate
from gemini_sft.experiment.schema import Guard
from gemini_sft.inference.evaluation import EvaluationResult
from tests.unit.gemini_sft.decision.evaluations import PRIMARY, compared, evaluation

WORLDS = 120
N = 16
NAMES = (PRIMARY, "own")
SCORES = st.lists(st.integers(0, 8).map(lambda eighths: eighths / 8), min_size=N, max_size=N)
GAINS = st.lists(st.sampled_from([-0.25, 0, 0.125, 0.25, 0.5, 0.5, 0.625]), min_size=N, max_size=N)
GUARDS = st.builds(
    Guard,
    metric=st.sampled_from([None, "own", "failure_rate"]),
    slice=st.sampled_from([None, "lang", "lang=de"]),
    max_drop=st.sampled_from([0.0, 0.1, 0.5]),
)
GATES = st.builds(
    Gate,
    min_gain=st.sampled_from([0.0, 0.0, 0.1]),
    confidence=st.sampled_from([0.6, 0.8, 0.95]),
    guards=st.lists(GUARDS, max_size=2),
)


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    """A candidate that is often better, sometimes with a champion, groups and slices."""
    before = draw(SCORES)
    base = evaluation(before, names=NAMES, failed=draw(st.sets(st.integers(0, N - 1), max_size=3)))
    after = [score + gain for score, gain in zip(before, draw(GAINS), strict=True)]
    candidate = evaluation(after, names=NAMES, own=draw(SCORES), failed=draw(st.sets(st.integers(0, 1))))
    more: dict[str, Any] = {}
    if draw(st.booleans()):
        more = {"champion": evaluation(draw(SCORES), names=NAMES), "champion_name": "models/7@1"}
    ids = list(base.scores)
    if draw(st.booleans()):
        more["clusters"] = {one: str(row * 3 // 4) for row, one in enumerate(ids)}
    more["slices"] = {one: {"lang": "de" if row < 11 else "fr"} for row, one in enumerate(ids)}
    return Evidence(PRIMARY, base, candidate, tries=draw(st.sampled_from([1, 1, 4])), **more)


CASES = given(evidences(), GATES)
FEW = settings(deadline=None, max_examples=25)


@CASES
@FEW
def test_it_is_promoted_only_if_everything_is_for_it(evidence: Evidence, gate: Gate) -> None:
    found = compare(gate, evidence)
    beaten = [found.difference.low, found.decisive.low]
    beyond = min(beaten) > gate.min_gain
    assert (found.verdict is Verdict.PROMOTE) == (beyond and all(one.held for one in found.guards))
    lost = max(found.difference.high, found.decisive.high if found.champion else -1) < 0
    if lost or any(one.held is False for one in found.guards):
        assert found.verdict is Verdict.REJECT
    assert len(found.reasons) >= 1 and all(one and not one.endswith(".") for one in found.reasons)


@given(evidences(), GATES, GUARDS)
@FEW
def test_who_asks_for_more_never_gets_it_sooner(evidence: Evidence, gate: Gate, guard: Guard) -> None:
    """More confidence, a larger gain, another guard, more tries: none turns anything else into promote."""
    promoted = compare(gate, evidence).verdict is Verdict.PROMOTE
    stricter = [
        compare(gate.model_copy(update={"confidence": (1 + gate.confidence) / 2}), evidence),
        compare(gate.model_copy(update={"min_gain": gate.min_gain + 0.1}), evidence),
        compare(gate.model_copy(update={"guards": [*gate.guards, guard]}), evidence),
        compare(gate, replace(evidence, tries=evidence.tries + 3)),
        compare(gate, replace(evidence, champion_missing="the champion could not be evaluated")),
    ]
    assert promoted or all(one.verdict is not Verdict.PROMOTE for one in stricter)
    assert stricter[-1].verdict is not Verdict.PROMOTE


@CASES
@FEW
def test_the_order_of_whatever_has_an_order_does_not_matter(evidence: Evidence, gate: Gate) -> None:
    """The verdict is the same to the last digit: worlds are drawn by id."""

    def shuffled(items: dict[str, Any]) -> dict[str, Any]:
        return dict(random.Random(3).sample([*items.items()], len(items)))

    def turned(one: EvaluationResult) -> EvaluationResult:
        return one.model_copy(update={"scores": shuffled(one.scores), "failed": one.failed[::-1]})

    other = replace(
        evidence,
        base=turned(evidence.base),
        candidate=turned(evidence.candidate),
        champion=turned(evidence.champion) if evidence.champion else None,
        clusters=shuffled({**evidence.clusters}),
        slices=shuffled({**evidence.slices}),
    )
    assert compare(gate, other) == compare(gate, evidence)


@given(evidences())
@FEW
def test_swapped_sides_have_the_opposite_verdict(evidence: Evidence) -> None:
    evidence = replace(evidence, champion=None, champion_name="")
    there = compare(Gate(), evidence)
    back = compare(Gate(), replace(evidence, base=evidence.candidate, candidate=evidence.base))
    for name, one in there.differences.items():
        assert back.differences[name] == opposite(one, back.differences[name].won)
        assert one.won + back.differences[name].won <= 1
    assume(0 not in {there.difference.low, there.difference.high})
    flipped = {
        Verdict.PROMOTE: Verdict.REJECT,
        Verdict.REJECT: Verdict.PROMOTE,
        Verdict.INCONCLUSIVE: Verdict.INCONCLUSIVE,
    }
    assert back.verdict is flipped[there.verdict]
    assert detectable(back) == pytest.approx(detectable(there))
    for ours, theirs in zip(there.slices, back.slices, strict=True):
        assert (ours.before, ours.candidate) == (theirs.candidate, theirs.before)


def detectable(comparison: Comparison) -> float:
    return comparison.power.detectable if comparison.power else 0


def opposite(one: Difference, won: float) -> Difference:
    return one.model_copy(
        update={
            "mean": -one.mean, "low": -one.high, "high": -one.low, "wins": one.losses, "losses": one.wins, "won": won,
        }
    )  # fmt: skip


@CASES
@FEW
def test_less_is_better_is_the_same_turned_round(evidence: Evidence, gate: Gate) -> None:
    """Worlds won, wins, slices, guards, power, the sentence on few-shot examples: all but the sign and the words."""

    def negated(one: EvaluationResult) -> EvaluationResult:
        scores = {key: {name: -value for name, value in row.items()} for key, row in one.scores.items()}
        return one.model_copy(update={"scores": scores})

    other = replace(
        evidence,
        base=negated(evidence.base),
        candidate=negated(evidence.candidate),
        champion=negated(evidence.champion) if evidence.champion else None,
        lower_is_better=NAMES,
    )
    more, less = (with_arm(compare(gate, one), one, arm) for one, arm in ((evidence, 0.5), (other, -0.5)))
    assert less.verdict is more.verdict and detectable(less) == pytest.approx(detectable(more))
    pairs = [(more.differences, less.differences)]
    if more.champion and less.champion:
        pairs.append((more.champion.differences, less.champion.differences))
    assert more.few_shot and less.few_shot
    pairs.append((more.few_shot.differences, less.few_shot.differences))
    for one, two in [(ours[name], theirs[name]) for ours, theirs in pairs for name in ours]:
        assert two.gain == one.gain and two.lower_is_better
        assert (two.won, two.wins, two.ties, two.losses) == (one.won, one.wins, one.ties, one.losses)
    assert [one.held for one in less.guards] == [one.held for one in more.guards]
    for ours, theirs in zip(more.slices, less.slices, strict=True):
        assert (ours.difference and ours.difference.gain) == (theirs.difference and theirs.difference.gain)
    assert worth(less).rpartition(": ")[2] == worth(more).rpartition(": ")[2]


def with_arm(comparison: Comparison, evidence: Evidence, score: float) -> Comparison:
    few_shot = evaluation([score] * N, names=NAMES)
    return comparison.model_copy(update={"few_shot": few_shot_arm(3, few_shot, evidence, comparison.confidence, {})})


class TestChampion:
    BASE, CHAMPION, BETTER = ([score] * 12 for score in (0.25, 0.5, 0.75))

    def test_it_must_be_beaten_too(self) -> None:
        for after, verdict in ((self.BETTER, Verdict.PROMOTE), (self.CHAMPION, Verdict.REJECT)):
            found = compared(self.BASE, after, champion=evaluation(self.CHAMPION), champion_name="models/7@1")
            assert found.verdict is verdict and found.champion and found.champion.name == "models/7@1"
            assert found.reasons[0].startswith("against the base model, rougeL_f changed by ")
            assert found.reasons[1].startswith("against the champion, rougeL_f changed by ")
            assert found.decisive == found.champion.differences[PRIMARY] and found.decisive.mean == after[0] - 0.5
            assert found.headline()["champion"] == 0.5 and found.difference.mean == after[0] - 0.25

    def test_a_champion_that_is_worse_than_the_base_model_is_not_enough(self) -> None:
        found = compared(self.CHAMPION, self.CHAMPION, champion=evaluation(self.BASE), champion_name="models/7@1")
        assert found.verdict is Verdict.REJECT and found.decisive.mean == 0.25

    def test_one_that_could_not_be_evaluated_leaves_it_open(self) -> None:
        why = "the champion models/7@1 could not be evaluated: its endpoint is gone"
        found = compared(self.BASE, self.BETTER, champion_name="models/7@1", champion_missing=why)
        assert (found.verdict, found.champion) == (Verdict.INCONCLUSIVE, None)
        assert found.reasons[0].startswith("against the base model, ") and found.reasons[1] == why
        assert compared(self.BETTER, self.BASE, champion_missing=why).verdict is Verdict.REJECT

    def test_without_one_nobody_speaks_of_it(self) -> None:
        found = compared(self.BASE, self.BETTER)
        assert found.champion is None and found.decisive == found.difference and "champion" not in found.headline()
        assert found.reasons[0].startswith("rougeL_f changed by ")

    def test_guards_hold_against_what_is_in_use(self) -> None:
        gate = Gate(guards=[Guard(metric="own")])
        base, candidate = (evaluation(one, own=[0.5] * 12) for one in (self.BASE, self.BETTER))
        champion = evaluation(self.CHAMPION, own=[0.75] * 12)
        assert compared(base, candidate, gate).verdict is Verdict.PROMOTE
        found = compared(base, candidate, gate, champion=champion, champion_name="models/7@1")
        assert found.verdict is Verdict.REJECT and found.guards[0].held is False
