"""Whoever is told how a run ended: a webhook on this machine hears of a run that failed in the middle."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.conftest import gemini_sft, write_experiment


def test_a_run_that_fails_in_the_middle_reaches_the_webhook(tmp_path: Path, told: list[Any]) -> None:
    # The service does not forgive so many examples that it leaves out.
    data = {"train": "train.jsonl", "test": "test.csv", "policy": {"too_long": "warn"}}
    path = write_experiment(tmp_path, train=10, data=data, notification={"webhook": "env:HOOK"})
    with (tmp_path / "train.jsonl").open("a", encoding="utf-8") as file:
        for word in ("word ", "weird "):
            turns = [{"role": "user", "content": word * 140_000}, {"role": "model", "content": "No."}]
            file.write(json.dumps({"messages": turns}) + "\n")
    ended = gemini_sft("run", path, "--json", cwd=tmp_path)
    assert ended.code == 1, ended.err
    (document,) = told
    run_id = json.loads(ended.out)["run_id"]
    title, failed, link = document["text"].splitlines()
    assert title == "small: the run failed"
    assert failed == "Failed: tune-model (TuningError)"
    assert link == (
        f"Run: {run_id} https://console.cloud.google.com/vertex-ai/locations/us-central1/pipelines/runs/{run_id}"
        "?project=local-project"
    )
    assert "word" not in json.dumps(document)
    left = [one for one in (tmp_path / ".local").rglob("*") if one.is_file()]
    assert left and not [one for one in left if b"SECRET" in one.read_bytes()]
    assert "SECRET" not in ended.out + ended.err


def test_a_run_on_this_machine_tells_nobody_elsewhere(
    tmp_path: Path, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWAY", "https://hooks.slack.com/services/T00/B00/SECRET")
    path = write_experiment(tmp_path, notification={"webhook": "env:AWAY", "email": ["me@example.test"]})
    ended = gemini_sft("run", path, cwd=tmp_path)
    assert ended.code == 0, ended.err
    said = " ".join(ended.out.split())
    assert "A run on this machine tells nobody elsewhere: notification is for --on vertex, and for a webhook" in said
    assert "which env:AWAY is not" in said
    (staged,) = (tmp_path / ".local" / "storage").glob("*/staging/small/*/experiment.yaml")
    assert yaml.safe_load(staged.read_text("utf-8"))["notification"] == {"webhook": None, "email": []}
    compiled = (tmp_path / ".local" / "compiled" / "small" / "finetune.yaml").read_text("utf-8")
    assert "me@example.test" not in compiled
    assert told == []
