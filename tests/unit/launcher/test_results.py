import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from gemini_sft import storage
from gemini_sft.decision import Comparison, Difference, Verdict
from gemini_sft.decision.comparison import Side
from gemini_sft.errors import UserError
from gemini_sft.experiment import Task
from gemini_sft.inference import Outcome
from gemini_sft.metrics import metrics_of
from gemini_sft.tuning import TuningRecord
from gemini_sft.tuning.job import DroppedExamples
from launcher import results

GOLDEN = Path(__file__).parents[2] / "golden" / "finetune.yaml"
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
    better = Difference(mean=0.125, low=0.0625, high=0.1875, confidence=0.9, wins=40, ties=4, losses=20)
    worse = Difference(mean=-0.25, low=-0.3, high=-0.2, confidence=0.9, wins=0, ties=0, losses=64)
    return Comparison(
        verdict=verdict,
        reasons=["rougeL_f changed by [+0.1250]"],
        primary_metric="rougeL_f",
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
    return tmp_path


def printed(width: int = 120) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width, highlight=False), file


def test_the_table_stands_the_models_side_by_side() -> None:
    console, file = printed()
    console.print(results.table(comparison()))
    title, _, head, _, *rows = (line.strip() for line in file.getvalue().splitlines())
    cells = [[cell.strip() for cell in line.strip("│┃").split("│")] for line in rows if line.startswith("│")]
    assert title == "gemini-2.5-flash, base and tuned, on the same 64 examples"
    assert [cell.strip() for cell in head.strip("┃").split("┃")] == [
        "", "base", "tuned", "difference", "90% interval",
    ]  # fmt: skip
    assert cells == [
        ["examples (n)", "64", "64", "", ""],
        ["failures", "5", "0", "", ""],
        ["rouge1_f", "0.500", "0.250", "-0.250", "[-0.300, -0.200]"],
        ["rougeL_f *", "0.250", "0.375", "+0.125", "[+0.062, +0.188]"],
        ["bleu", "12.500", "25.000", "+12.500", "–"],
        ["macro_f1", "–", "0.500", "–", "–"],
    ]
    assert rows[-1] == "* decides"


def shown(names: Iterable[str], primary: str) -> list[str]:
    one = Difference(mean=0.1, low=0.0, high=0.2, confidence=0.9, wins=1, ties=0, losses=0)
    side = comparison().base.model_copy(update={"metrics": dict.fromkeys(names, 0.5), "corpus": {}})
    fields = {"primary_metric": primary, "base": side, "candidate": side, "differences": dict.fromkeys(names, one)}
    return [str(cell) for cell in results.table(comparison().model_copy(update=fields)).columns[0].cells]


@pytest.mark.parametrize("task", Task)
def test_the_table_has_every_metric(task: Task) -> None:
    names, primary = metrics_of(task).names, metrics_of(task).primary
    rows = [f"{name} *" if name == primary else name for name in names]
    assert shown(names, primary) == ["examples (n)", "failures", *rows]


@pytest.mark.parametrize("verdict", Verdict)
def test_what_a_person_is_shown(folder: Path, verdict: Verdict) -> None:
    storage.write_json(str(folder / "comparison.json"), comparison(verdict).model_dump(mode="json"))
    console, file = printed()
    results.show(folder, console)
    text = file.getvalue()
    assert f"Verdict: {verdict.value}. rougeL_f changed by [+0.1250]." in text
    assert f"Report:  {folder}/report.html\n" in text
    assert "stand-in" not in text


def test_answers_of_a_stand_in_are_declared(folder: Path) -> None:
    document = comparison(served_by="stand-in for gemini-2.5-flash").model_dump(mode="json")
    storage.write_json(str(folder / "comparison.json"), document)
    console, file = printed()
    results.show(folder, console)
    assert "A local stand-in answered, not Gemini: these scores say nothing about Gemini." in file.getvalue()


def test_the_one_object(folder: Path) -> None:
    summary = results.summary("demo-1", "SUCCEEDED", folder, 12.345)
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
        "difference": {"mean": 0.125, "low": 0.0625, "high": 0.1875, "confidence": 0.9},
        "tuned_model": "projects/7/locations/us/models/3@1",
        "endpoint": ENDPOINT,
        "report": str(folder / "report.html"),
        "artifacts": str(folder),
        "seconds": 12.3,
    }


def test_a_run_without_a_result_has_the_same_keys(folder: Path) -> None:
    nothing = results.nothing(None, "REFUSED", ["x.yaml: there is no such file"], 0.04)
    assert nothing.keys() == results.summary("demo-1", "S", folder, 1).keys()
    given = {key: value for key, value in nothing.items() if value is not None}
    assert given == {"state": "REFUSED", "reasons": ["x.yaml: there is no such file"], "seconds": 0.0}


class TestFetching:
    @pytest.fixture
    def artifacts(self, tmp_path: Path) -> dict[str, dict[str, str]]:
        made: dict[str, dict[str, str]] = {}
        for position, (task, output) in enumerate(results._FILES.values()):
            (tmp_path / f"{position}").write_text(f"{task}/{output}")
            made.setdefault(task, {})[output] = str(tmp_path / f"{position}")
        return made

    def test_the_compiled_pipeline_makes_all_of_them(self) -> None:
        """The names are those that the pipeline itself gives."""
        spec = yaml.load(GOLDEN.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        outputs = {
            task["taskInfo"]["name"]: spec["components"][task["componentRef"]["name"]].get("outputDefinitions", {})
            for task in spec["root"]["dag"]["tasks"].values()
        }
        for task, output in results._FILES.values():
            assert output in outputs[task]["artifacts"]

    def test_files_appear_together_and_replace_earlier_ones(
        self, tmp_path: Path, artifacts: dict[str, dict[str, str]]
    ) -> None:
        target = tmp_path / "runs" / "demo-1"
        target.mkdir(parents=True)
        (target / "old").touch()
        results.fetch(artifacts, target)
        assert {file.name: file.read_text() for file in target.iterdir()} == {
            name: f"{task}/{output}" for name, (task, output) in results._FILES.items()
        }
        assert [one.name for one in target.parent.iterdir()] == ["demo-1"]

    def test_one_that_is_missing_leaves_nothing(self, tmp_path: Path, artifacts: dict[str, dict[str, str]]) -> None:
        (tmp_path / "5").unlink()
        with pytest.raises(UserError, match="there is no such file"):
            results.fetch(artifacts, tmp_path / "runs" / "demo-1")
        assert list((tmp_path / "runs").iterdir()) == []
