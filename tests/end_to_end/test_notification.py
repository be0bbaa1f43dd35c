"""A run that fails in the middle: it names task and cause, and a webhook on this machine hears of it."""

import json
from pathlib import Path
from typing import Any

from tests.end_to_end.conftest import assert_nothing_is_left, gemini_sft, write_experiment


def test_refused_training_data_fail_the_run_and_reach_the_webhook(tmp_path: Path, told: list[Any]) -> None:
    # Two of twelve examples are longer than the model takes: more than the tenth that the service forgives.
    data = {"train": "train.jsonl", "test": "test.csv", "policy": {"too_long": "warn"}}
    path = write_experiment(tmp_path, train=10, data=data, notification={"webhook": "env:HOOK"})
    with (tmp_path / "train.jsonl").open("a", encoding="utf-8") as file:
        for word in ("word ", "weird "):
            turns = [{"role": "user", "content": word * 140_000}, {"role": "model", "content": "No."}]
            file.write(json.dumps({"messages": turns}) + "\n")
    ended = gemini_sft("run", path, "--json", cwd=tmp_path)
    assert ended.code == 1, ended.err
    summary = json.loads(ended.out)
    assert (summary["state"], summary["verdict"]) == ("FAILED", None)
    (reason,) = summary["reasons"]
    assert "task 'tune model' failed" in reason and "10" in reason
    assert len(ended.err.splitlines()) < 40 and "Traceback" not in ended.err
    assert_nothing_is_left(tmp_path)
    (document,) = told
    run_id = summary["run_id"]
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
