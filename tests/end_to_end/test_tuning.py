"""Tuning as a whole: which checkpoint is taken, models that are tuned further, jobs that are adopted."""

import contextlib
import csv
import json
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.end_to_end.conftest import GEMINI_SFT, ROOT, environment, gemini_sft, wait_until, write_experiment
from tests.end_to_end.test_endings import job_state

Start = Callable[..., "subprocess.Popen[str]"]


def summary_of(*arguments: str | Path, cwd: Path) -> tuple[dict[str, Any], Path]:
    """Runs an experiment; returns what `--json` prints, and the folder of the run."""
    ended = gemini_sft("run", *arguments, "--json", cwd=cwd)
    assert ended.code == 0, ended.err
    summary = json.loads(ended.out)
    return summary, cwd / summary["artifacts"]


def read(folder: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    return document


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """An experiment whose training labels are wrong nearly half of the time: training longer learns them by heart."""
    with (ROOT / "samples" / "classification" / "tickets.tsv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file, delimiter="\t")
    random.Random(0).shuffle(rows)
    label = head.index("label")
    names, draw = sorted({row[label] for row in rows}), random.Random(2)
    splits = {"test": rows[:70], "validation": rows[70:140], "train": rows[140:]}
    for row in splits["train"]:
        if draw.random() < 0.45:
            row[label] = draw.choice([name for name in names if name != row[label]])
    for name, part in splits.items():
        with (tmp_path / f"{name}.tsv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter="\t").writerows([head, *part])
    document = yaml.safe_load((ROOT / "experiments" / "classification.yaml").read_text("utf-8"))
    document |= {
        "name": "noisy",
        "data": {name: f"{name}.tsv" for name in splits} | {"labels": document["data"]["labels"]},
        "prompt": {"system_instruction": (ROOT / "experiments/prompts/classification.txt").read_text("utf-8")},
        "tuning": {"epochs": 3, "adapter_size": 4, "learning_rate_multiplier": 3.0},
    }
    path = tmp_path / "noisy.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    return path


def test_where_training_longer_hurts_another_checkpoint_than_the_last_is_taken(noisy: Path) -> None:
    summary, folder = summary_of(noisy, cwd=noisy.parent)
    selection, curves = read(folder, "selection.json"), read(folder, "curves.json")
    scores = [one["score"] for one in selection["candidates"]]
    assert len(scores) == 3 and selection["chosen"] < 2
    assert scores[selection["chosen"]] == max(scores) > scores[-1]
    losses = curves["validation_loss"]["values"]
    assert losses[-1] > min(losses)
    taken = selection["candidates"][selection["chosen"]]
    assert summary["endpoint"] == taken["endpoint"] and summary["candidate"]["n"] == 70
    report = (folder / "report.html").read_text("utf-8")
    assert "Over-fitting" in report
    assert "is the best of 3" in report
    # The last checkpoint does worse on the test split as well, which only this test has asked it.
    last, last_folder = summary_of(noisy, "--set", "tuning.checkpoint=last", cwd=noisy.parent)
    assert last["selection"]["adopted"], "the same job, not paid for again"
    assert last["selection"]["epoch"] == 3
    assert last["candidate"]["metrics"]["accuracy"] < summary["candidate"]["metrics"]["accuracy"]
    assert all(one["score"] is None for one in read(last_folder, "selection.json")["candidates"])


@contextlib.contextmanager
def emulator(folder: Path) -> Iterator[httpx.Client]:
    """Serves the data of the runs in a folder."""
    command = [*GEMINI_SFT, "emulator", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[5].rstrip(",")
        with httpx.Client(base_url=address, trust_env=False) as client:
            yield client
        process.terminate()
        process.stdout.read()


def test_a_tuned_model_is_tuned_further_by_its_name_and_as_champion(small: tuple[dict[str, Any], Path]) -> None:
    first, place = small
    model = first["tuned_model"]
    second, folder = summary_of(
        *("small.yaml", "--set", f"base_model={model}", "--set", "tuning.from_checkpoint='1'"), cwd=place
    )
    tuning = read(folder, "tuning.json")
    assert (tuning["base_model"], tuning["started_from"]) == ("gemini-3.1-flash-lite", model)
    assert tuning["started_from_checkpoint"] == "1" and second["tuned_model"] != model
    base = read(folder, "base-evaluation.json")
    assert base["model"].startswith("projects/") and "/endpoints/" in base["model"]
    assert model in (folder / "report.html").read_text("utf-8")

    refused = gemini_sft("check", "small.yaml", "--set", "base_model=champion", cwd=place)
    assert refused.code == 2 and "until one is promoted" in " ".join(refused.out.split())
    with emulator(place) as client:
        client.post(f"/v1/{model}:mergeVersionAliases", json={"versionAliases": ["champion"]}).raise_for_status()
    assert gemini_sft("check", "small.yaml", "--set", "base_model=champion", cwd=place).code == 0
    assert read(place / ".local" / "checks" / "small", "models.json")["base"]["model"] == model


def test_a_run_that_was_killed_goes_on_with_its_job(tmp_path: Path, started: Start) -> None:
    experiment = write_experiment(tmp_path, train=60, tuning={"epochs": 60, "adapter_size": 16})
    first = started("run", experiment)
    wait_until(lambda: job_state(tmp_path) == "JOB_STATE_RUNNING", 60, "the job runs")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    summary, folder = summary_of(experiment, cwd=tmp_path)
    assert summary["selection"]["adopted"]
    assert read(folder, "tuning.json")["adopted"]
    assert "it was not paid for again" in (folder / "report.html").read_text("utf-8")


def test_what_the_model_does_not_allow_is_refused_before_anything_starts(tmp_path: Path) -> None:
    key = "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"
    asked = ("tuning.evaluation=[bleu]", f"tuning.kms_key={key}", "sweep.grid.epochs=[1,2]")
    experiment = write_experiment(tmp_path)
    ended = gemini_sft("run", experiment, *(part for one in asked for part in ("--set", one)), cwd=tmp_path)
    assert ended.code == 2 and "Run small" not in ended.out, "nothing was submitted"
    for said in ("take tuning.evaluation out", "take tuning.kms_key out", "a sweep chooses on the validation split"):
        assert said in ended.err
    retiring = gemini_sft("check", experiment, "--set", "base_model=gemini-2.5-flash", cwd=tmp_path)
    assert retiring.code == 2 and "is in extended access only since 2026-10-20" in " ".join(retiring.out.split())
