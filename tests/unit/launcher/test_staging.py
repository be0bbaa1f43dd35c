from pathlib import Path

import pytest

from gemini_sft import storage
from gemini_sft.experiment import Data, Evaluation, Experiment, Task, load_experiment
from gemini_sft.experiment.files import complete
from launcher import staging
from launcher.target import Target


def experiment(*metrics: str) -> Experiment:
    return Experiment(
        name="demo",
        task=Task.CHAT,
        base_model="gemini-2.5-flash",
        data=Data(train="train.jsonl"),
        evaluation=Evaluation(metrics=list(metrics)),
    )


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Cloud Storage played by a folder: an object's URI becomes a path below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(storage, "_SCHEME", "no scheme at all")
    monkeypatch.setattr(staging, "ensure_bucket", lambda target: None)
    (tmp_path / "train.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    return tmp_path


def test_metrics_of_ones_own_stand_relative_to_the_experiment(tmp_path: Path) -> None:
    whole = complete(experiment("own.py:f", "/abs/own.py:g", "gs://b/own.py:h"), str(tmp_path / "x.yaml"))
    assert whole.evaluation.metrics == [f"{tmp_path}/own.py:f", "/abs/own.py:g", "gs://b/own.py:h"]


def test_metrics_of_ones_own_are_staged_by_their_content(bucket: Path) -> None:
    (bucket / "own.py").write_text("def f(answer, references): return 1\n")
    whole = complete(experiment("own.py:f", "own.py:g", "gs://b/own.py:h"), str(bucket / "x.yaml"))
    target = Target(project="p", location="us-central1", bucket="bucket")
    staged = load_experiment(staging.stage(whole, target)).evaluation.metrics
    assert staged[2] == "gs://b/own.py:h"
    for spec, name in zip(staged, "fg", strict=False):
        uri, _, function = spec.rpartition(":")
        assert function == name and uri.endswith("/own.py") and uri.startswith("gs://bucket/staging/demo/")
        assert Path(uri).read_text() == (bucket / "own.py").read_text()
    first = staged[0].rpartition(":")[0]
    (bucket / "own.py").write_text("def f(answer, references): return 2\n")
    again = load_experiment(staging.stage(whole, target)).evaluation.metrics[0]
    assert again.rpartition(":")[0] != first


def test_what_is_there_already_is_not_written_again(bucket: Path) -> None:
    target = Target(project="p", location="us-central1", bucket="bucket")
    staged = load_experiment(staging.stage(experiment(), target)).data.train[0]
    before = Path(staged).stat()
    assert load_experiment(staging.stage(experiment(), target)).data.train[0] == staged
    assert (Path(staged).stat().st_mtime_ns, Path(staged).stat().st_ino) == (before.st_mtime_ns, before.st_ino)
