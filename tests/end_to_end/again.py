"""Runs the tasks of a finished run that KFP tries again once more, each on what it was given: `again.py FOLDER RUN`.

That is what KFP does to a task that had done all its work when it was lost. Prints, as JSON, which components were run,
and what the emulator in FOLDER/.local had before and after.
"""

import contextlib
import importlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import httpx

from launcher.emulator import embedded_emulator, enter
from vertex_emulator.environment import LOCATION, PROJECT


def had(data_dir: Path) -> dict[str, Any]:
    """What there is, by its kind and name; of models also what is on them.

    Of files it is those beside the experiment, without answers of models: a task that is lost keeps them, and these had
    been cleared away.
    """
    with contextlib.closing(sqlite3.connect(data_dir / "vertex.db")) as database:
        rows = database.execute("SELECT kind, name, body FROM documents WHERE kind != 'objects'").fetchall()
    kept: dict[str, Any] = {f"{kind} {name}": {} for kind, name, _ in rows}
    kept |= {str(path): {} for path in data_dir.glob("storage/*/staging/**/*") if "answers" not in path.parts}
    for kind, name, body in rows:
        if kind in ("models", "modelVersions"):
            document = json.loads(body)
            kept[f"{kind} {name}"] = {key: document.get(key) for key in ("_aliases", "versionAliases", "labels")}
    return kept


def given(detail: dict[str, Any], spec: dict[str, Any], run_id: str) -> dict[str, Any]:
    """The arguments of a task's function: what it was given, and where it has put its outputs."""
    # It brings google-auth, which looks for the emulator's address when it is imported.
    from kfp.dsl.executor import create_artifact_instance

    metadata = detail["execution"]["metadata"]
    values = {name.partition(":")[2]: value for name, value in metadata.items() if name.startswith("input:")}
    values = {name: run_id if "{{$." in str(value) else value for name, value in values.items()}
    for ports in (detail.get("inputs", {}), detail.get("outputs", {})):
        for name, held in ports.items():
            (one,) = held["artifacts"]
            kind = {"schemaTitle": one["schemaTitle"], "schemaVersion": one["schemaVersion"]}
            values[name] = create_artifact_instance({"name": "", "uri": one["uri"], "metadata": {}, "type": kind})
    return values


def main(folder: Path, run_id: str) -> None:
    """Runs them, in the order in which they ran."""
    with embedded_emulator(folder / ".local") as emulator:
        environment = emulator.environment()
        enter(environment)
        place = f"{environment['VERTEX_API_ENDPOINT']}/v1/projects/{PROJECT}/locations/{LOCATION}"
        job = httpx.get(f"{place}/pipelineJobs/{run_id}", trust_env=False).json()
        spec, before, names = job["pipelineSpec"], had(folder / ".local"), []
        parts = (spec["root"], *spec["components"].values())
        tasks = {name: task for part in parts for name, task in part.get("dag", {}).get("tasks", {}).items()}
        details = [one for one in job["jobDetail"]["taskDetails"] if one["state"] == "SUCCEEDED"]
        for detail in sorted(details, key=lambda one: str(one["startTime"])):
            task = tasks[detail["taskUniqueName"].rpartition(".")[2]]
            if "retryPolicy" in task:
                label = spec["components"][task["componentRef"]["name"]]["executorLabel"]
                name = spec["deploymentSpec"]["executors"][label]["container"]["args"][-1]
                component = getattr(importlib.import_module(f"components.{name}"), name)
                component.python_func(**given(detail, spec, run_id))
                names.append(name)
        print(json.dumps({"again": names, "before": before, "after": had(folder / ".local")}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
