import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from gemini_sft import storage
from gemini_sft.cost import Bill
from gemini_sft.decision import Champion, Comparison, Difference, FewShot, Guarded, Judged, Verdict
from gemini_sft.decision.comparison import PerRequest, Side
from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment, Task
from gemini_sft.inference import Outcome
from gemini_sft.judging import Grades, Tally
from gemini_sft.metrics import metrics_of
from gemini_sft.tuning import Selection, TuningRecord
from gemini_sft.tuning.record import DroppedExamples
from launcher import results, showing
from tests.unit.gemini_sft.report.selection_sample import one_job

FILES = results._BEGUN | results._COMPARED
GOLDEN = Path(__file__).parents[2] / "golden"
ENDPOINT = "projects/7/locations/us/endpoints/42"
RECORD = TuningRecord(
    job="projects/7/locations/us-central1/tuningJobs/1",
    base_model="gemini-2.5-flash",
    model="projects/7/locations/us/models/3@1",
    endpoint=ENDPOINT,
    checkpoints=[],
    experiment="",
    epochs=3,
    adapter_size=None,
    learning_rate_multiplier=None,
    examples=100,
    steps=9,
    billable_tokens=0,
    dropped=DroppedExamples(count=0, indices=[], reasons=[]),
    seconds=1.0,
)


def comparison(verdict: Verdict = Verdict.PROMOTE, served_by: str = "gemini-2.5-flash") -> Comparison:
    side: dict[str, Any] = {"served_by": served_by, "n": 64}
    better = Difference(mean=0.125, low=0.0625, high=0.1875, confidence=0.9, won=0.99, wins=40, ties=4, losses=20)
    worse = Difference(mean=-0.25, low=-0.3, high=-0.2, confidence=0.9, won=0.0, wins=0, ties=0, losses=64)
    return Comparison(
        verdict=verdict,
        reasons=["rougeL_f changed by [+0.1250]"],
        primary_metric="rougeL_f",
        confidence=0.9,
        base=Side(
            model="gemini-2.5-flash",
            outcomes={Outcome.ANSWERED: 60, Outcome.TRUNCATED: 1, Outcome.BLOCKED: 1, Outcome.ERROR: 2},
            unreadable=2,
            metrics={"rouge1_f": 0.5, "rougeL_f": 0.25},
            corpus={"bleu": 12.5, "macro_f1": None},
            **side,
        ),
        candidate=Side(
            model=ENDPOINT,
            outcomes={Outcome.ANSWERED: 64},
            metrics={"rouge1_f": 0.25, "rougeL_f": 0.375},
            corpus={"bleu": 25.0, "macro_f1": 0.5},
            **side,
        ),
        differences={"rouge1_f": worse, "rougeL_f": better},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    storage.write_json(str(tmp_path / "comparison.json"), comparison().model_dump(mode="json"))
    storage.write_json(str(tmp_path / "tuning.json"), RECORD.model_dump(mode="json"))
    storage.write_json(str(tmp_path / "selection.json"), one_job().model_dump(mode="json"))
    storage.write_json(str(tmp_path / "curves.json"), {})
    return tmp_path


def printed(width: int = 120) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width, highlight=False), file


def test_the_table_stands_the_models_side_by_side() -> None:
    console, file = printed()
    console.print(showing.table(comparison()))
    title, _, head, _, *rows = (line.strip() for line in file.getvalue().splitlines())
    cells = [[cell.strip() for cell in line.strip("│┃").split("│")] for line in rows if line.startswith("│")]
    assert title == "gemini-2.5-flash, base and tuned, on the same 64 examples"
    assert [cell.strip() for cell in head.strip("┃").split("┃")] == [
        "", "base", "tuned", "difference", "90% interval",
    ]  # fmt: skip
    assert cells == [
        ["examples (n)", "64", "64", "", ""],
        ["failures", "5", "0", "", ""],
        ["truncated", "1", "0", "", ""],
        ["rouge1_f", "0.500", "0.250", "-0.250", "[-0.300, -0.200]"],
        ["rougeL_f *", "0.250", "0.375", "+0.125", "[+0.062, +0.188]"],
        ["bleu", "12.500", "25.000", "+12.500", "–"],
        ["macro_f1", "–", "0.500", "–", "–"],
    ]
    assert rows[-1] == "* decides"


def shown(names: Iterable[str], primary: str) -> list[str]:
    one = Difference(mean=0.1, low=0.0, high=0.2, confidence=0.9, won=0.5, wins=1, ties=0, losses=0)
    side = comparison().candidate.model_copy(update={"metrics": dict.fromkeys(names, 0.5), "corpus": {}})
    fields = {"primary_metric": primary, "base": side, "candidate": side, "differences": dict.fromkeys(names, one)}
    return [str(cell) for cell in showing.table(comparison().model_copy(update=fields)).columns[0].cells]


@pytest.mark.parametrize("task", Task)
def test_the_table_has_every_metric(task: Task) -> None:
    names, primary = metrics_of(task).names, metrics_of(task).primary
    rows = [f"{name} *" if name == primary else name for name in names]
    assert shown(names, primary) == ["examples (n)", "failures", *rows]


@pytest.mark.parametrize("verdict", Verdict)
def test_what_a_person_is_shown(folder: Path, verdict: Verdict) -> None:
    storage.write_json(str(folder / "comparison.json"), comparison(verdict).model_dump(mode="json"))
    console, file = printed()
    showing.show(folder, console)
    text = file.getvalue()
    assert f"Verdict: {verdict.value}.\n- rougeL_f changed by [+0.1250]." in text
    assert f"Report:  {folder}/report.html\n" in text
    assert "stand-in" not in text


def test_the_checkpoint_that_was_taken_is_said_first(folder: Path) -> None:
    console, file = printed()
    showing.show(folder, console)
    first = file.getvalue().splitlines()[0]
    assert first == "Checkpoint 2 of 3 (epoch 2): rougeL_f on validation 0.412, best of 3."


def test_answers_of_a_stand_in_are_declared(folder: Path) -> None:
    document = comparison(served_by="stand-in for gemini-2.5-flash").model_dump(mode="json")
    storage.write_json(str(folder / "comparison.json"), document)
    console, file = printed()
    showing.show(folder, console)
    assert "A local stand-in answered, not Gemini: these scores say nothing about Gemini." in file.getvalue()


def test_the_one_object(folder: Path) -> None:
    summary = results.summary("demo-1", "SUCCEEDED", folder, 12.345)
    selection = Selection.model_validate(storage.read_json(str(folder / "selection.json")))
    taken = selection.taken
    assert json.loads(json.dumps(summary)) == {
        "run_id": "demo-1",
        "state": "SUCCEEDED",
        "verdict": "promote",
        "reasons": ["rougeL_f changed by [+0.1250]"],
        "primary_metric": "rougeL_f",
        "base": {
            "n": 64,
            "metrics": {"rouge1_f": 0.5, "rougeL_f": 0.25},
            "corpus": {"bleu": 12.5, "macro_f1": None},
            "outcomes": {"answered": 60, "truncated": 1, "blocked": 1, "error": 2},
            "unreadable": 2,
        },
        "candidate": {
            "n": 64,
            "metrics": {"rouge1_f": 0.25, "rougeL_f": 0.375},
            "corpus": {"bleu": 25.0, "macro_f1": 0.5},
            "outcomes": {"answered": 64},
            "unreadable": 0,
        },
        "difference": {
            "mean": 0.125,
            "low": 0.0625,
            "high": 0.1875,
            "confidence": 0.9,
            "won": 0.99,
            "wins": 40,
            "ties": 4,
            "losses": 20,
        },
        "champion": None,
        "guards": [],
        "tries": 1,
        "few_shot": None,
        "judge": None,
        "tuned_model": taken.model,
        "endpoint": taken.endpoint,
        "selection": {**selection.summary(), "reason": selection.reason, "adopted": False},
        "report": str(folder / "report.html"),
        "artifacts": str(folder),
        "seconds": 12.3,
    }


def test_a_run_without_a_result_has_the_same_keys(folder: Path) -> None:
    nothing = results.nothing(None, "REFUSED", ["x.yaml: there is no such file"], 0.04)
    assert nothing.keys() == results.summary("demo-1", "S", folder, 1).keys()
    given = {key: value for key, value in nothing.items() if value is not None}
    assert given == {"state": "REFUSED", "reasons": ["x.yaml: there is no such file"], "seconds": 0.0}


def test_the_champion_stands_in_the_table() -> None:
    made = comparison()
    side = made.base.model_copy(update={"metrics": {"rouge1_f": 0.123, "rougeL_f": 0.456}})
    champion = Champion(name="projects/7/models/2@1", side=side, differences=made.differences)
    console, file = printed(120)
    console.print(showing.table(made.model_copy(update={"champion": champion})))
    text = file.getvalue()
    assert "base, champion and tuned" in text and "champion" in text.splitlines()[2]
    assert "0.456" in text and "differences are those of the tuned model to the base" in text


def test_the_champion_and_the_guards_are_in_the_one_object(folder: Path) -> None:
    made = comparison()
    worse = made.differences["rouge1_f"]
    champion = Champion(name="projects/7/models/2@1", side=made.base, differences={"rougeL_f": worse})
    guard = Guarded(what="rouge1_f", limit=0.1, n=64, difference=worse, held=False, words="rouge1_f fell")
    made = made.model_copy(update={"champion": champion, "guards": [guard], "tries": 3})
    storage.write_json(str(folder / "comparison.json"), made.model_dump(mode="json"))
    summary = results.summary("demo-1", "S", folder, 1)
    assert summary["champion"]["name"] == "projects/7/models/2@1" and summary["champion"]["n"] == 64
    assert summary["champion"]["difference"]["mean"] == -0.25 and summary["difference"]["mean"] == 0.125
    assert summary["guards"] == [{"what": "rouge1_f", "limit": 0.1, "n": 64, "held": False, "words": "rouge1_f fell"}]
    assert summary["tries"] == 3


def with_extras() -> Comparison:
    """Three examples in the prompt make up for half of what tuning gains; the judge could not read one pair."""
    made = comparison()
    half = Difference(mean=0.0625, low=-0.01, high=0.13, confidence=0.9, won=0.5, wins=20, ties=30, losses=14)
    arm = FewShot(
        examples=3,
        base=made.base.model_copy(update={"metrics": {"rouge1_f": 0.5, "rougeL_f": 0.3125}}),
        differences=dict.fromkeys(("rouge1_f", "rougeL_f"), half),
        tokens={"few_shot": PerRequest(prompt=1234.4, answer=20), "candidate": PerRequest(prompt=300, answer=18)},
    )
    judge = Judged(
        model="gemini-2.5-pro",
        served_by="gemini-2.5-pro",
        tally=Tally(
            examples=64, wins=30, ties=23, losses=10, unreadable=1, win_rate=0.65873, identical=3, missing=0, judged=60,
            first_place=8, second_place=1,
        ),
        low=0.55,
        high=0.75,
        confidence=0.9,
        base_grades=None,
        candidate_grades=Grades(mean=4.5, n=64, missing=0, unreadable=0),
    )  # fmt: skip
    return made.model_copy(update={"few_shot": arm, "judge": judge})


def test_the_control_arm_and_the_judge_have_a_line_each(folder: Path) -> None:
    storage.write_json(str(folder / "comparison.json"), with_extras().model_dump(mode="json"))
    console, file = printed(1000)
    showing.show(folder, console)
    *_, worth, judge, verdict, _, _ = file.getvalue().splitlines()
    assert worth == (
        "With 3 examples in its prompt, the base model scores 0.3125 in rougeL_f (0.2500 without); tuning gains 0.0625"
        " over that, 90% interval [-0.0100, +0.1300]: these 64 test examples cannot tell which is better. A prompt has"
        " 1,234 tokens with the examples in it and 300 for the tuned model."
    )
    assert judge == (
        "The judge, gemini-2.5-pro, prefers the tuned model's answer in 30 of 63 pairs and the base model's in 10;"
        " 23 are ties. Win rate, a tie counting as half: 65.9% of 63, 90% interval [55.0%, 75.0%]. 1 of 64 are left"
        " out, without two readable verdicts."
    )
    assert verdict.startswith("Verdict: promote"), "neither has a say in it"


def test_the_object_has_them_too(folder: Path) -> None:
    storage.write_json(str(folder / "comparison.json"), with_extras().model_dump(mode="json"))
    summary = json.loads(json.dumps(results.summary("demo-1", "SUCCEEDED", folder, 1)))
    arm, judge = summary["few_shot"], summary["judge"]
    assert arm["examples"] == 3 and arm["metrics"]["rougeL_f"] == 0.3125
    counts = {"won": 0.5, "wins": 20, "ties": 30, "losses": 14}
    assert arm["differences"]["rougeL_f"] == {"mean": 0.0625, "low": -0.01, "high": 0.13, "confidence": 0.9} | counts
    assert arm["tokens_per_request"]["few_shot"] == {"prompt": 1234.4, "answer": 20}
    assert (judge["model"], judge["n"], judge["examples"], judge["unreadable"]) == ("gemini-2.5-pro", 63, 64, 1)
    assert (judge["win_rate"], judge["win_rate_low"], judge["position_bias"]) == (0.65873, 0.55, 9 / 60)
    assert judge["base_grades"] is None and judge["candidate_grades"]["mean"] == 4.5


def experiment(**sections: Any) -> Experiment:
    head = {"name": "demo", "task": "chat", "base_model": "gemini-2.5-flash", "data": {"train": "t.csv"}}
    return Experiment.model_validate(head | sections)


SWEEP = experiment(sweep={"grid": {"epochs": [1, 2]}})


class TestFetching:
    @pytest.fixture
    def artifacts(self, tmp_path: Path) -> dict[str, dict[str, str]]:
        made: dict[str, dict[str, str]] = {}
        for position, (task, output) in enumerate(FILES.values()):
            (tmp_path / f"{position}").write_text(f"{task}/{output}")
            made.setdefault(task, {})[output] = str(tmp_path / f"{position}")
        return made

    @pytest.fixture
    def staged(self, tmp_path: Path) -> str:
        (tmp_path / "staged.yaml").write_text("experiment")
        return str(tmp_path / "staged.yaml")

    @pytest.mark.parametrize(
        ("evaluation", "more"),
        [
            ({"few_shot": 3}, {"few-shot-predictions.jsonl", "few-shot-evaluation.json", "few-shot-traffic.json"}),
            ({"judge": {"model": "gemini-2.5-pro"}}, {"judgement.json"}),
            ({}, {"champion-predictions.jsonl", "champion-evaluation.json", "champion-traffic.json"}),
        ],
    )
    def test_what_was_asked_for_is_there_as_well(
        self,
        tmp_path: Path,
        artifacts: dict[str, dict[str, str]],
        staged: str,
        evaluation: dict[str, Any],
        more: set[str],
    ) -> None:
        for name, (task, output) in (results._FEW_SHOT | results._JUDGE | results._CHAMPION).items():
            artifacts.setdefault(task, {})[output] = str(tmp_path / name)
            if name in more or task != "evaluate champion":  # a champion that was not asked has left nothing
                (tmp_path / name).write_text("x")
        results.fetch(artifacts, tmp_path / "runs" / "demo-1", experiment(evaluation=evaluation), staged)
        assert {file.name for file in (tmp_path / "runs" / "demo-1").iterdir()} == {
            *FILES,
            "experiment.yaml",
        } | more

    def test_of_a_sweep_what_was_taken_of_all_trials_is_there(
        self, tmp_path: Path, artifacts: dict[str, dict[str, str]], staged: str
    ) -> None:
        """A single trial's files have the same names as those of the sweep, and are not fetched in their place."""
        for output in ("tuning", "curves", "selection", "page"):
            (tmp_path / output).write_text(f"select trial/{output}")
            artifacts.setdefault("select trial", {})[output] = str(tmp_path / output)
        results.fetch(artifacts, tmp_path / "runs" / "demo-1", SWEEP, staged)
        made = {file.name: file.read_text() for file in (tmp_path / "runs" / "demo-1").iterdir()}
        assert {*made} == {*FILES, "experiment.yaml"} - {"curves.html"}
        assert {name: text for name, text in made.items() if text.startswith("select trial")} == {
            "tuning.json": "select trial/tuning",
            "curves.json": "select trial/curves",
            "selection.json": "select trial/selection",
            "selection.html": "select trial/page",
        }
        assert not any(
            text.startswith(("tune model", "extract metrics", "select checkpoint")) for text in made.values()
        )

    @pytest.mark.parametrize(
        ("pipeline", "files"),
        [
            ("finetune", FILES | results._FEW_SHOT | results._JUDGE | results._CHAMPION),
            ("sweep", results._SWEEP | results._FEW_SHOT | results._JUDGE | results._CHAMPION),
            ("retrain", FILES | results._PLANNED | results._CHAMPION),
            ("retrain", results._RECHECKED | results._AGAIN),
            ("retrain-sweep", results._SWEEP | results._PLANNED | results._RECHECKED | results._AGAIN),
            ("recheck", results._BEGUN | results._RECHECKED | results._AGAIN),
        ],
    )
    def test_the_compiled_pipeline_makes_all_of_them(self, pipeline: str, files: dict[str, tuple[str, str]]) -> None:
        """The names are those that the pipeline itself gives."""
        text = (GOLDEN / f"{pipeline}.yaml").read_text("utf-8")
        spec = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        outputs = {
            task["taskInfo"]["name"]: spec["components"][task["componentRef"]["name"]].get("outputDefinitions", {})
            for dag in (spec["root"], *spec["components"].values())
            for task in dag.get("dag", {}).get("tasks", {}).values()
        }
        for task, output in files.values():
            assert output in outputs[task]["artifacts"]

    def test_files_appear_together_and_replace_earlier_ones(
        self, tmp_path: Path, artifacts: dict[str, dict[str, str]], staged: str
    ) -> None:
        target = tmp_path / "runs" / "demo-1"
        target.mkdir(parents=True)
        (target / "old").touch()
        results.fetch(artifacts, target, experiment(), staged)
        assert {file.name: file.read_text() for file in target.iterdir()} == {
            name: f"{task}/{output}" for name, (task, output) in FILES.items()
        } | {"experiment.yaml": "experiment"}
        assert [one.name for one in target.parent.iterdir()] == ["demo-1"]

    def test_one_that_is_missing_leaves_nothing(
        self, tmp_path: Path, artifacts: dict[str, dict[str, str]], staged: str
    ) -> None:
        (tmp_path / "5").unlink()
        with pytest.raises(UserError, match="there is no such file"):
            results.fetch(artifacts, tmp_path / "runs" / "demo-1", experiment(), staged)
        assert list((tmp_path / "runs").iterdir()) == []


def test_what_was_not_paid_for_again_and_over_fitting_are_not_missed(folder: Path) -> None:
    def shown() -> str:
        console, file = printed()
        showing.show(folder, console)
        return " ".join(file.getvalue().split())

    selection = one_job()
    bills = [Bill(trial="", tokens=1, epochs=3, adopted=True)]
    storage.write_json(
        str(folder / "selection.json"),
        selection.model_copy(update={"bills": bills, "other_default": "2"}).model_dump(mode="json"),
    )
    loss = {"steps": [3, 6, 9], "values": [1.0, 0.5, 2.0]}
    storage.write_json(str(folder / "curves.json"), {"validation_loss": loss})
    said = shown()
    assert "The tuning job was made before, by another run, and is not paid for again" in said
    assert "Checkpoint 2 stays the default one of the model: another run has chosen it." in said
    assert "Over-fitting: the loss on validation was lowest, 0.5, at step 6, and rose to 2 by the end." in said
    bills = [Bill(trial=name, tokens=1, epochs=3, adopted=name == "a") for name in ("a", "b", "c")]
    storage.write_json(
        str(folder / "selection.json"), selection.model_copy(update={"bills": bills}).model_dump(mode="json")
    )
    assert "Of the 3 tuning jobs, 1 made before and not paid for again." in shown()
