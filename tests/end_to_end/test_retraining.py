"""From a verdict to a champion, and what later runs make of it: a scheduled one, a recheck, one that has to beat it."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.conftest import ROOT, Ended, environment, gemini_sft, listening

ROWS = (ROOT / "samples" / "classification" / "tickets.tsv").read_text("utf-8").splitlines(keepends=True)
EXAMPLES = 120
RETRIED = ["evaluate_model"] * 4 + ["judge_answers", "log_evaluation", "promote_model", "select_checkpoint"]


@dataclass
class Team:
    """Who runs the experiment.

    Attributes:
        folder: Where they stand.
        told: What their webhook was told.
        first: The object of their first run, which has found a champion.
    """

    folder: Path
    told: list[Any]
    first: dict[str, Any] = field(default_factory=dict)

    def have(self, examples: int) -> None:
        """Gives them so many training examples; more of them have the fewer among them."""
        (self.folder / "train.tsv").write_text("".join(ROWS[: examples + 1]), "utf-8")

    def call(self, command: str, *settings: str) -> Ended:
        ended = gemini_sft(command, "tickets.yaml", *settings, cwd=self.folder, timeout=230)
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

    def states(self) -> dict[str, str]:
        """The states of the tasks of the newest run."""
        details = self.documents("pipelineJobs")[-1]["jobDetail"]["taskDetails"]
        return {detail["taskName"]: detail["state"] for detail in details}

    def aliases(self) -> dict[str, set[str]]:
        """The aliases of every model but `default`, by the model's resource name."""
        return {one["name"]: {*one["_aliases"]} - {"default"} for one in self.documents("models")}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """One that has a champion: its first scheduled run has tuned."""
    folder = tmp_path_factory.mktemp("team")
    (folder / "test.tsv").write_text(ROWS[0] + "".join(ROWS[-40:]), "utf-8")
    document = yaml.safe_load((ROOT / "experiments" / "classification.yaml").read_text("utf-8"))
    document["data"] = {"train": "train.tsv", "test": "test.tsv", "labels": document["data"]["labels"]}
    document["prompt"] = {"system_instruction": "Name the label."}
    document["tuning"] = {"checkpoint": "last", "epochs": 4}
    document["gate"] = {"guards": [{"metric": "failure_rate", "max_drop": 0.05}]}
    document["notification"] = {"webhook": "env:HOOK"}
    (folder / "tickets.yaml").write_text(yaml.safe_dump(document), "utf-8")
    with pytest.MonkeyPatch.context() as patch, listening(patch) as told:
        team = Team(folder, told)
        team.have(EXAMPLES)
        team.first = team.get("retrain")
        yield team


def test_without_a_champion_a_better_model_is_tuned_and_promoted(team: Team) -> None:
    first, run = team.first, team.first["run"]
    assert (first["path"], first["alarms"], first["reasons"]) == ("tune", [], ["there is no champion yet"])
    assert (run["verdict"], run["champion"], run["tries"]) == ("promote", None, 1)
    assert [one["held"] for one in run["guards"]] == [True]
    assert team.aliases() == {run["tuned_model"].partition("@")[0]: {"champion"}}
    (version,) = team.documents("modelVersions")
    assert version["labels"]["verdict"] == "promote" and version["labels"]["run"] == first["run_id"]
    assert {"data", "prompt", "experiment", "intent"} <= version["labels"].keys()
    (evaluation,) = team.documents("evaluations")
    assert evaluation["metadata"]["accuracy"] == run["candidate"]["metrics"]["accuracy"]
    (message,) = team.told
    assert "promote" in message["text"] and f"{run['difference']['mean']:+.4f}" in json.dumps(message)


def test_a_task_that_is_tried_again_makes_nothing_twice(team: Team) -> None:
    """KFP does so with one that was lost when it had done its work."""
    command = [sys.executable, "-m", "tests.end_to_end.again", str(team.folder), team.first["run_id"]]
    shell = environment(team.folder) | {"HOOK": os.environ["HOOK"]}
    done = subprocess.run(command, env=shell, cwd=team.folder, capture_output=True, text=True, timeout=230, check=False)
    assert done.returncode == 0, done.stderr
    again = json.loads(done.stdout.splitlines()[-1])
    assert sorted(again["again"]) == [*RETRIED, "tune_model"]
    assert again["after"] == again["before"]
    assert len(again["before"]) > 40 and len(team.told) == 1


def test_the_same_data_are_not_prepared_again_and_the_champion_is_asked_again(team: Team) -> None:
    said = " ".join(team.call("retrain").out.split())
    assert "prepare data taken from an earlier run" in said
    assert f"The champion was asked again, and nothing tuned: - the {EXAMPLES} training examples are those that" in said
    assert "Recheck: the champion has held." in said and "95% interval" in said
    states = team.states()
    assert (states["prepare data"], states["recheck champion"]) == ("SKIPPED", "SUCCEEDED")
    assert {states["find data"], states["find models"]} == {"SUCCEEDED"} and "tune model" not in states
    assert len(team.documents("tuningJobs")) == 1
    assert "champion held" in team.told[-1]["text"]


def test_a_few_new_examples_are_not_worth_a_job(team: Team) -> None:
    team.have(EXAMPLES + 3)
    skipped = team.get("retrain")
    assert (skipped["path"], skipped["new_examples"], skipped["report"]) == ("skip", 3, None)
    assert skipped["run"] is skipped["recheck"] is None
    (reason,) = skipped["reasons"]
    assert "retraining.min_new_examples asks for 10" in reason
    assert "skipped" in team.told[-1]["text"] and f"3 of the {EXAMPLES + 3} training examples" in team.told[-1]["text"]
    reported = gemini_sft("report", skipped["run_id"], cwd=team.folder)
    assert reported.code == 0 and "Nothing was done:" in reported.out
    compared = gemini_sft("report", team.first["run_id"], skipped["run_id"], cwd=team.folder)
    assert compared.code == 2 and "tuned nothing" in " ".join(compared.err.split())


def test_more_of_them_are_but_not_without_money(team: Team) -> None:
    team.have(EXAMPLES + 20)
    skipped = team.get("retrain", "--set", "budget.max_usd=0.001")
    assert (skipped["path"], skipped["new_examples"]) == ("skip", 20)
    assert "budget.max_usd" in skipped["reasons"][-1]
    assert "skipped" in team.told[-1]["text"] and "budget.max_usd" in team.told[-1]["text"]
    assert len(team.documents("tuningJobs")) == 1


def test_with_it_what_is_tuned_on_them_has_to_beat_the_champion(team: Team) -> None:
    team.have(EXAMPLES + 20)
    second = team.get("retrain")
    run, champion = second["run"], team.first["run"]["tuned_model"]
    assert (second["path"], second["new_examples"]) == ("tune", 20)
    assert run["champion"]["name"].startswith(champion) and run["tries"] == 1, "a new champion begins anew"
    assert run["verdict"] != "promote", "it is hardly another model"
    assert team.aliases()[champion.partition("@")[0]] == {"champion"}
    assert "Keep the champion" in (team.folder / run["report"]).read_text("utf-8")
    assert run["verdict"] in team.told[-1]["text"] and "champion" in team.told[-1]["text"]
    # Both are side by side in Vertex AI Experiments.
    runs = [one for one in team.documents("contexts") if one["schemaTitle"] == "system.ExperimentRun"]
    logged = {one["displayName"]: one["metadata"] for one in runs if "gemini-sft-" in one["name"]}
    assert [logged[one["run_id"]]["_params"]["verdict"] for one in (team.first, second)] == ["promote", run["verdict"]]


def test_the_champion_can_be_asked_alone(team: Team) -> None:
    found = team.get("recheck")
    recheck = found["recheck"]
    assert (found["path"], found["new_examples"], found["run"]) == ("recheck", None, None)
    assert (recheck["state"], recheck["paired"], recheck["model"]) == ("held", 40, team.first["run"]["tuned_model"])
    assert recheck["then"] == recheck["now"] == team.first["run"]["candidate"]["metrics"]["accuracy"]
    assert found["report"] and (team.folder / found["report"]).exists()
    assert "champion held" in team.told[-1]["text"]


@pytest.mark.parametrize("command", ["retrain", "recheck"])
def test_a_mistake_is_an_object_with_nulls(command: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("name: x\n", "utf-8")
    ended = gemini_sft(command, "x.yaml", "--json", cwd=tmp_path)
    found = json.loads(ended.out)
    assert (ended.code, found.pop("state"), bool(found.pop("reasons"))) == (2, "REFUSED", True)
    assert found.pop("seconds") >= 0
    keys = ("run_id", "path", "alarms", "new_examples", "recheck", "run", "report", "artifacts")
    assert found == dict.fromkeys(keys)
