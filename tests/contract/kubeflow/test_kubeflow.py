"""The launcher against the API of Kubeflow Pipelines, by Kubeflow's own client."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from gemini_sft import storage
from gemini_sft.errors import RunError, ServiceError, UserError
from launcher.kubeflow import KubeflowRun, portable
from launcher.place import Kubeflow, Request
from launcher.running import Progress, run
from launcher.schedule import scheduling
from launcher.schedule.timing import Asked
from launcher.target import Target
from tests.contract.kubeflow.server import KubeflowServer

# The SDK subclasses what aiohttp would not have it subclass, and keeps its session open.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

GOLDEN = Path(__file__).parents[2] / "golden"
WEEKLY = Asked(cron="0 6 * * 1")


def said(console: Console) -> str:
    return " ".join(console.file.getvalue().split())  # type: ignore[attr-defined]


def told(kubeflow: KubeflowServer, tell: Callable[[], None]) -> threading.Thread:
    """Tells the server how the run goes, once there is one."""

    def wait() -> None:
        while not kubeflow.runs:
            time.sleep(0.02)
        tell()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_run_is_the_compiled_pipeline_with_what_it_is_run_for(
    kubeflow: KubeflowServer, request_there: Request, console: Console
) -> None:
    states = {"prepare_data": "SUCCEEDED", "quote_cost": "FAILED"}
    thread = told(kubeflow, lambda: kubeflow.tell("FAILED", "no room in the cluster", **states))
    progress = Progress()
    with pytest.raises(RunError) as failed:
        run(request_there, console, progress)
    thread.join()

    (posted,) = kubeflow.runs.values()
    assert posted["display_name"] == progress.run_id
    parameters = posted["runtime_config"]["parameters"]
    assert set(parameters) == {"project", "location", "experiment_uri"}
    assert storage.read_json(parameters["experiment_uri"])["notification"]["email"] == []
    assert posted["runtime_config"]["pipeline_root"] == f"gs://{parameters['project']}-gemini-sft/pipelines"
    assert kubeflow.experiments[posted["experiment_id"]]["display_name"] == "shops"
    assert "no room in the cluster" in str(failed.value)
    text = said(console)
    assert f"Run {progress.run_id} on Kubeflow" in text
    assert f"{kubeflow.url}/#/runs/details/{posted['run_id']}" in text
    assert "prepare data" in text and "quote cost" in text
    assert "Kubeflow sends no e-mail" in text


@pytest.mark.parametrize("name", ["finetune", "sweep", "retrain", "retrain-sweep", "recheck"])
def test_a_pipeline_loses_its_importers_and_nothing_else(name: str, tmp_path: Path) -> None:
    golden = GOLDEN / f"{name}.yaml"
    (tmp_path / golden.name).write_text(golden.read_text("utf-8"), "utf-8")
    before, after = (yaml.safe_load(path.read_text("utf-8")) for path in (golden, portable(tmp_path / golden.name)))
    gone = before["deploymentSpec"]["executors"].keys() - after["deploymentSpec"]["executors"].keys()
    importers = {label for label, one in before["deploymentSpec"]["executors"].items() if "importer" in one}
    assert gone == importers
    lost = before["components"].keys() - after["components"].keys()
    assert all(before["components"][one]["executorLabel"] in importers for one in lost)
    text = json.dumps(after)
    assert not any(f'"{one}"' in text for one in lost), "nothing refers to what is gone"
    for part, kept in after["components"].items():
        tasks = before["components"][part].get("dag", {}).get("tasks", {}).items()
        assert kept.get("dag", {}).get("tasks", {}) == {
            key: task for key, task in tasks if task["componentRef"]["name"] not in lost
        }


def test_results_are_found_where_kubeflow_puts_them(request_there: Request, kubeflow: KubeflowServer) -> None:
    target = Target("local-project", "us-central1", "kubeflow-results")
    template = portable_finetune(request_there.data_dir)
    there = KubeflowRun(Kubeflow(kubeflow.url), "shops", None, template, "shops-1", target, {})
    there._key = "r-1"
    root = f"{target.pipeline_root}/gemini-finetune/r-1"
    made = {
        "compare-models/5f1c/report": "page",
        "prepare-data/9b2d/train/examples.jsonl": "{}",
        "prepare-data/9b2d/train/prompt.json": "{}",
        "prepare-data/9b2d/executor-logs": "no output of ours",
        "quote-cost/quote": "without a folder between",
        "run/1/report": "of no task",
    }
    ensure_bucket(target.bucket)
    for name, text in made.items():
        storage.write_text(f"{root}/{name}", text)
    assert there.artifacts() == {
        "compare models": {"report": f"{root}/compare-models/5f1c/report"},
        "prepare data": {"train": f"{root}/prepare-data/9b2d/train"},
        "quote cost": {"quote": f"{root}/quote-cost/quote"},
    }


def test_a_recurring_run_has_the_schedule_with_seconds_and_never_two_runs(
    kubeflow: KubeflowServer, request_there: Request, console: Console
) -> None:
    asked = replace(WEEKLY, zone="Europe/Berlin", start="2026-12-01", until="2099-12-31")
    made = scheduling.create(request_there, asked, console)
    (posted,) = kubeflow.recurring.values()
    assert posted["trigger"]["cron_schedule"] == {
        "cron": "0 0 6 * * 1",
        "start_time": "2026-11-30T23:00:00Z",
        "end_time": "2099-12-31T23:00:00Z",
    }
    assert (int(posted["max_concurrency"]), posted["no_catchup"], posted["mode"]) == (1, True, "ENABLE")
    assert made["schedule"]["id"] == posted["recurring_run_id"]
    assert (made["schedule"]["cron"], made["schedule"]["time_zone"]) == ("0 6 * * 1", "Europe/Berlin")
    assert made["schedule"]["pipeline"] == "gemini-retrain"
    assert "CRON_SCHEDULE_TIMEZONE" in said(console)
    with pytest.raises(UserError, match="has a schedule already"):
        scheduling.create(request_there, WEEKLY, console)
    with pytest.raises(UserError, match="cannot change a recurring run"):
        scheduling.update(request_there, WEEKLY, console)

    run_id = kubeflow.fire("shops")["display_name"]
    (listed,) = scheduling.list_all(request_there, console)["schedules"]
    assert (listed["state"], listed["last_run"]["id"]) == ("ACTIVE", run_id)
    assert scheduling.pause(request_there, "shops", console)["schedule"]["state"] == "PAUSED"
    assert posted["status"] == "DISABLED"
    resumed = scheduling.resume(request_there, str(request_there.experiment_file), console)
    assert (resumed["schedule"]["state"], resumed["missed"]) == ("ACTIVE", None)
    scheduling.delete(request_there, listed["id"], console)
    assert kubeflow.recurring == {}
    assert scheduling.list_all(request_there, console)["schedules"] == []


def test_what_is_wrong_with_the_server_is_said(
    kubeflow: KubeflowServer, request_there: Request, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="--max-runs: Kubeflow does not count runs"):
        scheduling.create(request_there, replace(WEEKLY, max_runs=3), console)
    monkeypatch.setenv("KFP_TOKEN", "another")
    with pytest.raises(UserError, match="does not let you in: set KFP_TOKEN") as refused:
        scheduling.list_all(request_there, console)
    assert "another" not in str(refused.value)
    gone = replace(request_there, kubeflow=Kubeflow("http://127.0.0.1:9"))
    with pytest.raises(ServiceError, match=r"did not .*; is --host right\?"):
        scheduling.list_all(gone, console)


def portable_finetune(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    template = folder / "finetune.yaml"
    template.write_text((GOLDEN / "finetune.yaml").read_text("utf-8"), "utf-8")
    return portable(template)


def ensure_bucket(name: str) -> None:
    from google.cloud.storage import Client

    client: Any = Client()
    client.create_bucket(name)
