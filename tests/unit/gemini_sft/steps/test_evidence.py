"""What the decision is told: every fact that the tasks before it have written must reach it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gemini_sft.data.dataset import read_sources
from gemini_sft.decision import Verdict
from gemini_sft.decision.outcome import read_outcomes
from gemini_sft.errors import UserError
from gemini_sft.experiment import Gate
from gemini_sft.steps.absent import write_absent
from gemini_sft.steps.places import OUTCOMES, beside
from tests.unit.gemini_sft.report.step_files import arm_uris, compared
from tests.unit.gemini_sft.steps.found import (
    BASE,
    CHAMPION,
    CHAMPION_NAME,
    IN_USE,
    RIGHT,
    ROOT,
    TAKEN,
    TUNED,
    Files,
    N,
    answer,
    ask,
    find,
    judged_alike,
    learn,
    mark,
    other_examples,
    outcome,
    take,
)

EDITS = "def edits(answer, references):\n    return 8 - len(answer.split())\n"


class TestChampion:
    def test_the_tuned_model_is_held_against_it(self, files: Files) -> None:
        find(files, CHAMPION)
        ask(files, "gate", guards=[{"metric": "rougeL_recall"}])
        answer(files, champion=IN_USE)
        found = compared(files)
        assert found.verdict is Verdict.PROMOTE and found.champion
        assert found.champion.name == CHAMPION_NAME and found.champion.side.metrics["rougeL_recall"] == 0.5
        assert found.guards[0].words.startswith("against the champion, rougeL_recall changed by +0.2500 ")
        assert found.reasons[1].startswith("against the champion, ")
        answer(files, champion=RIGHT)
        lost = compared(files)
        assert lost.verdict is Verdict.REJECT and lost.guards[0].held is False

    def test_why_it_could_not_be_asked_leaves_the_verdict_and_its_guards_open(self, files: Files) -> None:
        find(files, CHAMPION)
        ask(files, "gate", guards=[{"metric": "rougeL_recall"}])
        write_absent(arm_uris(files, "champion").evaluation, "the champion", UserError("it is gone"))
        found = compared(files)
        assert found.verdict is Verdict.INCONCLUSIVE and found.champion is None
        assert found.champion_missing == "the champion could not be had: it is gone" in found.reasons
        (guard,) = found.guards
        assert guard.held is None and guard.difference is None and guard.words in found.reasons
        assert outcome(files).against == CHAMPION_NAME and outcome(files).champion is None

    def test_a_champion_that_was_tuned_on_test_examples_is_said_to_score_too_well(self, files: Files) -> None:
        find(files, CHAMPION)
        answer(files, champion=IN_USE)
        assert not any("was tuned on" in one for one in compared(files).reasons)
        learn(files, [one["id"] for one in read_sources(files["test_uri"])][:3])
        said = f"the champion was tuned on 3 of the {N} test examples, and so scores too well"
        assert said in compared(files, "demo-2").reasons

    def test_the_champion_itself_is_not_promoted_again(self, files: Files) -> None:
        already = "the tuned model is the champion already, so there is nothing to promote"
        find(files, CHAMPION)
        answer(files, champion=IN_USE)
        for checkpoint, same in (("4", True), ("3", False)):
            take(files, model=CHAMPION["model"], checkpoint=checkpoint)
            found = compared(files)
            assert (already in found.reasons) is same
            assert found.verdict is (Verdict.REJECT if same else Verdict.PROMOTE)

    @pytest.mark.parametrize(
        ("base", "champion", "against"),
        [
            (ROOT, None, "gemini-2.5-flash-lite"),
            ({**CHAMPION, "checkpoint": None}, None, CHAMPION["model"]),
            (CHAMPION, None, CHAMPION_NAME),
            (CHAMPION, CHAMPION, CHAMPION_NAME),
            (ROOT, CHAMPION, CHAMPION_NAME),
            ({**CHAMPION, "checkpoint": "3"}, CHAMPION, CHAMPION_NAME),
        ],
        ids=["base", "tuned base", "checkpoint", "the base is the champion", "champion", "another checkpoint"],
    )
    def test_what_is_in_use(
        self, files: Files, base: dict[str, str], champion: dict[str, str] | None, against: str
    ) -> None:
        beside_base = champion is not None and champion != base
        find(files, champion, base)
        if beside_base:
            answer(files, champion=IN_USE)
        assert (compared(files).champion is not None) is beside_base
        assert outcome(files).against == against


class TestColumns:
    def test_groups_are_what_is_drawn(self, files: Files) -> None:
        judged_alike(files)
        alone = compared(files)
        assert alone.groups is None and alone.judge and alone.judge.low == 0.5
        mark(files, group=["a", "b", "c", "d"])
        found = compared(files)
        assert found.groups == 4 and found.verdict is Verdict.INCONCLUSIVE
        assert found.judge and found.judge.low is None, "four groups are too few for the judge's interval too"

    def test_slices_are_shown_and_guarded(self, files: Files) -> None:
        mark(files, slices=[{"lang": "de"}, {"lang": "fr"}, {"lang": "de"}, {}])
        ask(files, "gate", guards=[{"slice": "lang=de"}])
        ask(files, "data", slices=["lang"])
        found = compared(files)
        assert {(one.column, one.value, one.n) for one in found.slices} == {("lang", "de", 8), ("lang", "fr", 4)}
        assert [one.n for one in found.guards] == [8]


def test_of_some_metrics_less_is_better(files: Files, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(EDITS, "utf-8")
    ask(files, "evaluation", metrics=[f"{tmp_path / 'own.py'}:edits"], lower_is_better={"edits": 8.0})
    ask(files, "gate", metric="edits")
    answer(files, base=BASE, candidate=TUNED)
    found = compared(files)
    assert found.primary_metric == "edits" and found.difference.mean == -4 and found.difference.lower_is_better
    assert found.verdict is Verdict.PROMOTE and outcome(files).gain == 4


def test_metrics_of_the_whole_split_have_intervals(files: Files) -> None:
    found = compared(files)
    assert found.corpus_intervals["bleu"].low > 0


class TestOutcome:
    def test_it_holds_what_later_runs_need(self, files: Files) -> None:
        find(files, CHAMPION)
        ask(files, "gate", min_gain=0.01, confidence=0.9)
        answer(files, champion=IN_USE)
        found, kept = compared(files), outcome(files)
        assert found.champion and found.decisive != found.difference
        assert kept.gate == Gate(min_gain=0.01, confidence=0.9) and kept.confidence == 0.9
        scored = [one.metrics[found.primary_metric] for one in (found.base, found.champion.side, found.candidate)]
        assert [kept.base, kept.champion, kept.candidate] == scored
        assert (kept.gain, kept.low, kept.high) == found.decisive.gain
        assert (kept.verdict, kept.reasons, kept.metric) == ("promote", found.reasons, "rougeL_f")
        assert (kept.run_id, kept.experiment, kept.report) == ("demo-1", "ticket-summaries", files["report_uri"])
        assert (kept.model, kept.checkpoint, kept.endpoint) == (TAKEN.model, TAKEN.checkpoint, TAKEN.endpoint)
        assert list(read_outcomes(beside(files["experiment_uri"], OUTCOMES))) == [kept]

    def test_another_gate_on_the_same_comparison_is_told(self, files: Files) -> None:
        ask(files, "gate", min_gain=0.9)
        assert compared(files).verdict is Verdict.REJECT
        ask(files, "gate", min_gain=0.8)
        compared(files, "demo-2")
        ask(files, "gate", min_gain=0.1)
        found = compared(files, "demo-3")
        assert found.verdict is Verdict.PROMOTE
        assert told(found.reasons) == ["demo-2"], "the last of them"
        (said,) = [one for one in found.reasons if "another gate" in one]
        assert said.endswith(" compared this model on these examples with another gate: its verdict is reject")
        assert told(compared(files, "demo-2").reasons) == ["demo-1"], "not of itself, which is run again"

    @pytest.mark.parametrize("other", ["gate", "model", "checkpoint", "test", "in use"])
    def test_nothing_is_told_of_what_is_no_such_comparison(self, files: Files, other: str) -> None:
        ask(files, "gate", min_gain=0.9)
        compared(files)
        if other != "gate":
            ask(files, "gate", min_gain=0.1)
        if other in ("model", "checkpoint"):
            take(files, **{other: "9"})
        if other == "test":
            other_examples(files)
        if other == "in use":
            find(files, CHAMPION)
            answer(files, champion=IN_USE)
        assert told(compared(files, "demo-2").reasons) == []


def told(reasons: Sequence[str]) -> list[str]:
    """Of which runs it is said that they had another gate."""
    return [one.split()[2] for one in reasons if "with another gate" in one]
