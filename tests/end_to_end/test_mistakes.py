"""A user's mistakes: exit code 2, the place, the remedy, no traceback, and nothing started."""

from pathlib import Path

import pytest

from tests.end_to_end.conftest import gemini_sft, write_experiment


def refused(folder: Path, *arguments: str | Path) -> str:
    ended = gemini_sft("run", *arguments, cwd=folder)
    assert ended.code == 2, ended.out + ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err
    left = {one.name for one in (folder / ".local").iterdir()} if (folder / ".local").exists() else set()
    assert left <= {"checks"}  # nothing was started
    return ended.err


def test_missing_experiment(tmp_path: Path) -> None:
    assert "nowhere.yaml: there is no such file" in refused(tmp_path, "nowhere.yaml")


def test_directory_as_experiment(tmp_path: Path) -> None:
    assert "is a directory, not a file" in refused(tmp_path, tmp_path)


def test_several_mistakes_are_shown_at_once(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, base_model="gemini-2.0-flash-001", evalution={}, gate={"min_gain": "much"})
    said = refused(tmp_path, experiment)
    assert "gemini-2.0-flash-001 was retired on 2026-06-01: use gemini-3.5-flash" in said
    assert "evalution is not a key of an experiment: did you mean evaluation?" in said
    assert "gate.min_gain is 'much'" in said
    assert said.count(f"{experiment.name}:") == 3


def test_adapter_size_that_the_model_lacks(tmp_path: Path) -> None:
    said = refused(
        tmp_path, write_experiment(tmp_path), "--set", "base_model=gemini-2.5-pro", "--set", "tuning.adapter_size=16"
    )
    assert "gemini-2.5-pro has no adapter of size 16: choose one of 1, 2, 4, 8" in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "train: has no example that can be used: give it at least one"),
        ('{"messages": []}\nnot json\n', "train.jsonl:2: is not JSON"),
        ('{"text": "x"}\n', "train.jsonl:1: has the columns text: expected input_text and output_text; or prompt and"),
    ],
)
def test_unusable_data(tmp_path: Path, content: str, message: str) -> None:
    experiment = write_experiment(tmp_path)
    (tmp_path / "train.jsonl").write_text(content, "utf-8")
    assert message in refused(tmp_path, experiment)


def test_missing_data_and_directory_as_data_are_shown_together(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path, data={"train": "gone.jsonl", "test": "folder.csv"})
    (tmp_path / "folder.csv").mkdir()
    said = refused(tmp_path, experiment)
    assert "gone.jsonl: there is no such file" in said
    assert "folder.csv: is a directory" in said


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "own.py: there is no such file"),
        (
            "def brief(answer) -> float:\n    return 1\n",
            "own.py: brief takes other arguments: expected",
        ),
        ("def brief(answer, references) float:\n", "own.py:1: is not Python: expected ':'"),
        ("def brief(answer, references):\n    return 'x'\n", "own.py returned str: expected a number"),
    ],
)
def test_a_metric_of_ones_own_that_cannot_be_used(tmp_path: Path, content: str | None, message: str) -> None:
    experiment = write_experiment(tmp_path, evaluation={"metrics": ["own.py:brief"]})
    if content is not None:
        (tmp_path / "own.py").write_text(content, "utf-8")
    said = refused(tmp_path, experiment)
    assert "evaluation.metrics: " in said and f"{tmp_path}/{message}" in said


def test_a_gate_that_rests_on_what_is_not_there(tmp_path: Path) -> None:
    gate = {"metric": "rougeL", "guards": [{"slice": "language=de"}], "min_win_rate": 0.5}
    said = refused(tmp_path, write_experiment(tmp_path, gate=gate))
    assert "gate.metric: rougeL is no metric of this experiment: did you mean rougeL_f?" in said
    assert "gate.guards.0.slice: language is no column of data.slices" in said
    assert "gate.min_win_rate: is for a judge" in said


def test_a_guard_that_could_never_hold(tmp_path: Path) -> None:
    for name, count in (("made", 20), ("asked", 14)):
        rows = "".join(f"{name} {n},summary {n},{('de', 'en')[n < 4]}\n" for n in range(count))
        (tmp_path / f"{name}.csv").write_text("input_text,output_text,language\n" + rows, "utf-8")
    guards = [{"slice": "language=fr"}, {"slice": "language"}]
    data = {"train": "made.csv", "test": "asked.csv", "slices": ["language"]}
    experiment = write_experiment(tmp_path, data=data, gate={"guards": guards})
    checked = gemini_sft("check", experiment, cwd=tmp_path)
    assert checked.code == 2
    for said in (refused(tmp_path, experiment), checked.out):
        assert "gate.guards.0.slice: language=fr: no test example has it; there are de, en" in said
        assert "gate.guards.1.slice: language=en has 4 test examples, and a guard needs 10 to hold" in said


def test_vertex_without_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))  # whatever gcloud has been told on this machine
    monkeypatch.delenv("CLOUDSDK_CORE_PROJECT", raising=False)
    said = refused(tmp_path, write_experiment(tmp_path), "--on", "vertex")
    assert "no Google Cloud project: give --project or set GOOGLE_CLOUD_PROJECT" in said


def test_json_speaks_of_mistakes_too(tmp_path: Path) -> None:
    ended = gemini_sft("run", "nowhere.yaml", "--json", cwd=tmp_path)
    assert ended.code == 2
    assert '"state": "REFUSED"' in ended.out
    assert len(ended.out.splitlines()) == 1
