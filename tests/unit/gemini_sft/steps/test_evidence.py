"""What the decision is told: every fact that the tasks before it have written must reach it."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gemini_sft import storage
from gemini_sft.data import Example, read_split
from gemini_sft.data.dataset import sources_uri
from gemini_sft.decision import Verdict
from gemini_sft.decision.deciding import corrected
from gemini_sft.decision.outcome import Outcome, outcome_uri, read_outcomes
from gemini_sft.errors import UserError
from gemini_sft.experiment import Gate, Task, load_experiment
from gemini_sft.inference import Prediction, Service
from gemini_sft.inference.evaluation import evaluate
from gemini_sft.judging import judge
from gemini_sft.metrics import metrics_for
from gemini_sft.report.input import Arm
from gemini_sft.steps.absent import write_absent
from gemini_sft.steps.evidence import tries_of
from gemini_sft.steps.places import OUTCOMES, TRIES, beside
from tests.unit.gemini_sft.report.sample import answered, example, made_of
from tests.unit.gemini_sft.report.selection_sample import one_job
from tests.unit.gemini_sft.report.step_files import arm_uris, compared, write_arm, written

Files = dict[str, str]
N = 16
RIGHT = "one two three four five six seven eight"
BASE, IN_USE, TUNED = "one two", "one two three four", "one two three four five six"
ROOT = {"id": "gemini-2.5-flash-lite"}
CHAMPION = {**ROOT, "model": "projects/7/locations/us/models/3@2", "checkpoint": "4", "endpoint": "e"}
CHAMPION_NAME = "projects/7/locations/us/models/3@2 checkpoint 4"
TAKEN = one_job().taken
EDITS = "def edits(answer, references):\n    return 8 - len(answer.split())\n"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has tests of its own."""
    monkeypatch.setattr("gemini_sft.decision.bootstrap.RESAMPLES", 250)
    monkeypatch.setattr("gemini_sft.steps.compare_models.report_page", lambda _: "")
    monkeypatch.setattr("gemini_sft.steps.compare_models.report_markdown", lambda _: "")


def texts(test: Sequence[Example], text: str) -> list[Prediction]:
    return [answered(one, text) for one in test]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A tuned model that beats the base model in every example."""
    test = [example(n, f"question {n}", RIGHT) for n in range(N)]
    made = made_of(test, texts(test, BASE), texts(test, TUNED), task=Task.GENERATION, gate=Gate())
    return written(tmp_path, made)


def answer(files: Files, **said: str) -> None:
    """Lets arms give other answers, scored as the experiment says."""
    test = read_split(files["test_uri"])
    metrics = metrics_for(load_experiment(files["experiment_uri"]), files["test_uri"])
    for arm, text in said.items():
        predictions = texts(test, text)
        write_arm(files, arm, Arm(evaluate(metrics, arm, test, predictions, max_failure_rate=0), predictions))


def ask(files: Files, section: str, **changes: Any) -> None:
    """Changes a section of the experiment."""
    document = storage.read_json(files["experiment_uri"])
    document[section] = document.get(section, {}) | changes
    storage.write_json(files["experiment_uri"], document)


def find(files: Files, champion: dict[str, str] | None, base: dict[str, str] | None = None) -> None:
    """Changes what was found when the run began."""
    storage.write_json(files["models_uri"], {"base": base or ROOT, "champion": champion})


def take(files: Files, **changes: Any) -> None:
    """Lets another tuned model be taken than `TAKEN`."""
    selection = one_job()
    taken = TAKEN.model_copy(update=changes)
    selection = selection.model_copy(update={"candidates": [taken], "chosen": 0})
    storage.write_json(files["selection_uri"], selection.model_dump(mode="json"))


def mark(files: Files, **columns: Any) -> None:
    """Gives the test examples, in turn, what stands in columns of the user's file."""
    uri = sources_uri(files["test_uri"])
    rows = list(storage.read_jsonl(uri))
    more = ({name: values[n % len(values)] for name, values in columns.items()} for n in range(N))
    storage.write_jsonl(uri, (row | one for row, one in zip(rows, more, strict=True)))


def fewer(files: Files) -> None:
    """Other test examples: ids of their own, and the same answers."""
    uri = sources_uri(files["test_uri"])
    storage.write_jsonl(uri, ({**row, "id": f"f{row['id'][1:]}"} for row in list(storage.read_jsonl(uri))))
    answer(files, base=BASE, candidate=TUNED, champion=IN_USE)


def outcome(files: Files, run_id: str = "demo-1") -> Outcome:
    folder = beside(files["experiment_uri"], OUTCOMES)
    return Outcome.model_validate(storage.read_json(outcome_uri(folder, run_id)))


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


def judged_alike(files: Files) -> None:
    """A judge that has nothing to choose, as both models say the same, and so is asked nothing."""
    ask(files, "evaluation", judge={"model": "gemini-2.5-pro"})
    test = read_split(files["test_uri"])
    same = texts(test, TUNED)
    service = Service("p", "us-central1", "gemini-2.5-pro")
    made = judge(service, load_experiment(files["experiment_uri"]), test, same, same)
    storage.write_json(files["judgement_uri"], made.model_dump(mode="json"))


class TestTries:
    """How often what is in use was challenged with these examples."""

    def test_each_is_held_to_more_and_so_is_whatever_stands_beside_it(self, files: Files) -> None:
        judged_alike(files)
        ask(files, "evaluation", few_shot=2)
        answer(files, few_shot=IN_USE)
        assert compared(files).tries == 1
        take(files, checkpoint="9")
        found, held = compared(files, "demo-2"), corrected(0.95, 2)
        assert found.tries == 2 and found.confidence == held != 0.95
        assert found.judge and found.judge.confidence == held
        assert found.few_shot and {one.confidence for one in found.few_shot.differences.values()} == {held}
        assert outcome(files).confidence == 0.95 and outcome(files, "demo-2").confidence == held

    @pytest.mark.parametrize(
        ("changes", "tries"),
        [
            ({}, 1),
            ({"model": "projects/7/locations/us/models/5@1"}, 2),
            ({"checkpoint": "9"}, 2),
            ({"endpoint": "projects/7/locations/us/endpoints/5"}, 1),
        ],
        ids=["the same", "another model", "another checkpoint", "another endpoint"],
    )
    def test_a_try_is_a_model_that_could_answer_otherwise(
        self, files: Files, changes: dict[str, str], tries: int
    ) -> None:
        compared(files)
        take(files, **changes)
        assert compared(files, "demo-2").tries == tries

    def test_the_same_model_by_another_metric_is_another(self, files: Files) -> None:
        compared(files)
        ask(files, "gate", metric="rouge1_f")
        assert compared(files, "demo-2").tries == 2

    def test_what_is_answered_by_chance_is_another_in_every_run(self, files: Files) -> None:
        compared(files)
        ask(files, "evaluation", temperature=0.7)
        assert [compared(files, run).tries for run in ("demo-2", "demo-3", "demo-3")] == [2, 3, 3]

    def test_other_examples_and_another_model_in_use_begin_anew(self, files: Files) -> None:
        compared(files)
        take(files, checkpoint="9")
        find(files, CHAMPION)
        answer(files, champion=IN_USE)
        assert compared(files, "demo-2").tries == 1
        find(files, None)
        fewer(files)
        assert compared(files, "demo-3").tries == 1

    def test_none_is_spent_on_a_champion_that_could_not_be_asked(self, files: Files) -> None:
        find(files, CHAMPION)
        write_absent(arm_uris(files, "champion").evaluation, "the champion", UserError("it is gone"))
        assert compared(files).tries == 1
        assert not storage.list_files(beside(files["experiment_uri"], TRIES), deep=True)
        answer(files, champion=IN_USE)
        take(files, checkpoint="9")
        assert compared(files, "demo-2").tries == 1

    def test_of_two_at_the_same_moment_each_counts_the_other(
        self, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        both, listed, counted = threading.Barrier(2, timeout=20), storage.list_files, []

        def together(folder: str) -> list[str]:
            both.wait()
            return listed(folder)

        def run(checkpoint: str) -> None:
            taken = TAKEN.model_copy(update={"checkpoint": checkpoint})
            counted.append(tries_of(experiment, files["experiment_uri"], f"run {checkpoint}", "t", "m", taken))
            both.wait()  # if it was counted before it was noted, nobody notes anything until both have counted

        experiment = load_experiment(files["experiment_uri"])
        monkeypatch.setattr(storage, "list_files", together)
        threads = [threading.Thread(target=run, args=(one,)) for one in "12"]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert counted == [2, 2]


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
            fewer(files)
        if other == "in use":
            find(files, CHAMPION)
            answer(files, champion=IN_USE)
        assert told(compared(files, "demo-2").reasons) == []


def told(reasons: Sequence[str]) -> list[str]:
    """Of which runs it is said that they had another gate."""
    return [one.split()[2] for one in reasons if "with another gate" in one]
