"""From a verdict to a champion, and to the next run that has to beat it."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import yaml

from tests.end_to_end.conftest import ROOT, gemini_sft

SAMPLES = ROOT / "samples" / "classification"


def documents(folder: Path, kind: str) -> list[dict[str, Any]]:
    """What the emulator keeps of a kind, oldest first."""
    with contextlib.closing(sqlite3.connect(folder / ".local" / "vertex.db")) as database:
        rows = database.execute("SELECT body FROM documents WHERE kind = ? ORDER BY rowid", (kind,))
        return [json.loads(body) for (body,) in rows]


def aliases(folder: Path) -> dict[str, set[str]]:
    """The aliases of every model but `default`, by the model's resource name."""
    return {one["name"]: {*one["_aliases"]} - {"default"} for one in documents(folder, "models")}


def run(experiment: Path, folder: Path, *settings: str) -> dict[str, Any]:
    ended = gemini_sft("run", experiment, *settings, "--json", cwd=folder)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_a_better_model_is_promoted_and_the_next_one_has_to_beat_it(tmp_path: Path, told: list[Any]) -> None:
    document = yaml.safe_load((ROOT / "experiments" / "classification.yaml").read_text("utf-8"))
    document["data"]["train"] = str(SAMPLES / "tickets.tsv")
    document["prompt"] = {"system_instruction": "Name the label."}
    document["tuning"] = {"checkpoint": "last", "epochs": 4}
    document["gate"] = {"guards": [{"metric": "failure_rate", "max_drop": 0.05}]}
    document["notification"] = {"webhook": "env:HOOK"}
    path = tmp_path / "tickets.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")

    first = run(path, tmp_path)
    champion = first["tuned_model"]
    assert (first["verdict"], first["champion"], first["tries"]) == ("promote", None, 1)
    assert [one["held"] for one in first["guards"]] == [True]
    model = champion.partition("@")[0]
    assert aliases(tmp_path) == {model: {"champion"}}
    (version,) = documents(tmp_path, "modelVersions")
    assert version["labels"]["verdict"] == "promote" and version["labels"]["run"] == first["run_id"]
    assert {"data", "prompt", "experiment", "intent"} <= version["labels"].keys()
    (evaluation,) = documents(tmp_path, "evaluations")
    assert evaluation["metadata"]["accuracy"] == first["candidate"]["metrics"]["accuracy"]
    (message,) = told
    assert "promote" in message["text"] and f"{first['difference']['mean']:+.4f}" in json.dumps(message)

    # One that is hardly tuned is better than the base, and not better than what is in use.
    weak = run(path, tmp_path, "--set", "tuning.epochs=1", "--set", "tuning.learning_rate_multiplier=0.1")
    assert weak["verdict"] != "promote" and weak["champion"]["name"].startswith(champion)
    assert weak["tries"] == 1, "a new champion begins anew"
    assert aliases(tmp_path)[model] == {"champion"}
    report = (tmp_path / weak["report"]).read_text("utf-8")
    assert "Keep the champion" in report
    assert len(told) == 2 and "champion" in told[-1]["text"]

    # Both are side by side in Vertex AI Experiments.
    runs = [one for one in documents(tmp_path, "contexts") if one["schemaTitle"] == "system.ExperimentRun"]
    logged = {one["displayName"]: one["metadata"] for one in runs if "gemini-sft-" in one["name"]}
    assert [logged[one["run_id"]]["_params"]["verdict"] for one in (first, weak)] == [
        one["verdict"] for one in (first, weak)
    ]
