"""What a scheduled run does, day after day: from no champion to one that is kept, and to one that has to be beaten."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.conftest import ROOT, Ended, environment, gemini_sft

SAMPLES = ROOT / "samples" / "classification"
RETRIED = ["evaluate_model"] * 4 + [
    "judge_answers",
    "log_evaluation",
    "promote_model",
    "select_checkpoint",
    "tune_model",
]


class Team:
    """Who runs the experiment, and adds to its data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = (SAMPLES / "tickets.tsv").read_text("utf-8").splitlines(keepends=True)
        head, rows = self.rows[0], self.rows[1:]
        (folder / "test.tsv").write_text(head + "".join(rows[-40:]), "utf-8")
        document = yaml.safe_load((ROOT / "experiments" / "classification.yaml").read_text("utf-8"))
        document["data"] = {"train": "train.tsv", "test": "test.tsv", "labels": document["data"]["labels"]}
        document["prompt"] = {"system_instruction": "Name the label."}
        document["tuning"] = {"checkpoint": "last", "epochs": 4}
        document["notification"] = {"webhook": "env:HOOK"}
        self.path = folder / "tickets.yaml"
        self.path.write_text(yaml.safe_dump(document), "utf-8")

    def have(self, examples: int) -> None:
        """Writes so many training examples; more of them have the fewer among them."""
        (self.folder / "train.tsv").write_text("".join(self.rows[: examples + 1]), "utf-8")

    def call(self, command: str, *settings: str) -> Ended:
        ended = gemini_sft(command, self.path, *settings, cwd=self.folder, timeout=400)
        assert ended.code == 0, ended.err
        return ended

    def get(self, command: str, *settings: str) -> dict[str, Any]:
        """The object that a command prints."""
        found: dict[str, Any] = json.loads(self.call(command, *settings, "--json").out)
        return found

    def documents(self, kind: str) -> list[dict[str, Any]]:
        """What the emulator keeps of a kind, oldest first."""
        with contextlib.closing(sqlite3.connect(self.folder / ".local" / "vertex.db")) as database:
            rows = database.execute("SELECT body FROM documents WHERE kind = ? ORDER BY rowid", (kind,))
            return [json.loads(body) for (body,) in rows]

    def tasks(self) -> dict[str, str]:
        """The states of the tasks of the newest run."""
        details = self.documents("pipelineJobs")[-1]["jobDetail"]["taskDetails"]
        return {detail["taskName"]: detail["state"] for detail in details}


def test_a_champion_is_made_kept_and_held_against_what_comes_after(tmp_path: Path, told: list[Any]) -> None:
    team = Team(tmp_path)

    # Nothing is promoted yet: it tunes.
    team.have(120)
    first = team.get("retrain")
    assert (first["path"], first["run"]["verdict"], first["alarms"]) == ("tune", "promote", [])
    assert team.tasks()["prepare data"] == "SUCCEEDED"
    champion = first["run"]["tuned_model"]

    # KFP tries a task again that was lost when it had done its work: nothing comes of it that was not there.
    command = [sys.executable, "-m", "tests.end_to_end.again", str(tmp_path), first["run_id"]]
    shell = environment(tmp_path) | {"HOOK": os.environ["HOOK"]}
    done = subprocess.run(command, env=shell, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True)
    again = json.loads(done.stdout.splitlines()[-1])
    assert sorted(again["again"]) == RETRIED
    assert again["after"] == again["before"]
    assert len(told) == 1

    # The same data: they are not prepared again, and the champion is asked instead of tuned.
    ended = team.call("retrain")
    said = " ".join(ended.out.split())
    assert "prepare data taken from an earlier run" in said
    assert "The champion was asked again, and nothing tuned: - the 120 training examples are those that" in said
    assert "Recheck: the champion has held." in said and "95% interval" in said
    tasks = team.tasks()
    assert (tasks["prepare data"], tasks["recheck champion"]) == ("SKIPPED", "SUCCEEDED")
    assert {tasks["find data"], tasks["find models"]} == {"SUCCEEDED"} and "tune model" not in tasks
    assert len(team.documents("tuningJobs")) == 1
    assert "champion held" in told[-1]["text"]

    # Three more are not worth a tuning job.
    team.have(123)
    skipped = team.get("retrain")
    assert (skipped["path"], skipped["new_examples"], skipped["report"]) == ("skip", 3, None)
    assert skipped["run"] is skipped["recheck"] is None
    (reason,) = skipped["reasons"]
    assert "retraining.min_new_examples asks for 10" in reason
    assert "skipped" in told[-1]["text"] and "3 of the 123 training examples" in told[-1]["text"]
    reported = gemini_sft("report", skipped["run_id"], "--no-open", cwd=tmp_path)
    assert reported.code == 0 and "Nothing was done:" in reported.out
    compared = gemini_sft("report", first["run_id"], skipped["run_id"], cwd=tmp_path)
    assert compared.code == 2 and "tuned nothing" in " ".join(compared.err.split())

    # Twenty more are, if there is money.
    team.have(140)
    skipped = team.get("retrain", "--set", "budget.max_usd=0.001")
    assert (skipped["path"], skipped["new_examples"]) == ("skip", 20)
    assert any("budget.max_usd" in one for one in skipped["reasons"])
    assert "skipped" in told[-1]["text"] and "budget.max_usd" in told[-1]["text"]
    assert len(team.documents("tuningJobs")) == 1

    # With it, the full pipeline is run against the champion.
    second = team.get("retrain")
    assert (second["path"], second["new_examples"]) == ("tune", 20)
    assert second["run"]["champion"]["name"].startswith(champion)
    assert second["run"]["verdict"] in told[-1]["text"]
    assert len(team.documents("tuningJobs")) == 2

    # The champion alone.
    rechecked = team.get("recheck")
    now = second["run"]["tuned_model"] if second["run"]["verdict"] == "promote" else champion
    assert (rechecked["path"], rechecked["recheck"]["model"], rechecked["run"]) == ("recheck", now, None)
    assert rechecked["recheck"]["state"] == "held" and rechecked["recheck"]["paired"] == 40
    assert "champion" in (tmp_path / rechecked["report"]).read_text("utf-8")
    assert len(told) == 6 and "champion held" in told[-1]["text"]


@pytest.mark.parametrize("command", ["retrain", "recheck"])
def test_a_mistake_is_an_object_with_nulls(command: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("name: x\n", "utf-8")
    ended = gemini_sft(command, path, "--json", cwd=tmp_path)
    assert ended.code == 2
    found = json.loads(ended.out)
    assert list(found) == [
        "run_id", "state", "path", "reasons", "alarms", "new_examples", "recheck", "run", "report", "artifacts", "seconds",
    ]  # fmt: skip
    assert found["state"] == "REFUSED" and found["path"] is None
