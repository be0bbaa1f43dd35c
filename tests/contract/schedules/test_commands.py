"""`gemini-sft schedule` with --on vertex: Google's own SDK, and an emulator whose schedules have a clock to set."""

import io
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud import aiplatform
from rich.console import Console

from gemini_sft import storage
from gemini_sft.errors import DataError, UserError
from launcher.place import Request, Where
from launcher.schedule import scheduling
from launcher.schedule.timing import Asked
from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT

# The SDK subclasses what aiohttp would not have it subclass.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

NIGHTLY = Asked(cron="30 2 * * *", zone="Europe/Berlin", until="2028-12-31")
ACCOUNT = "pipelines@local-project.iam.gserviceaccount.com"


class Shop:
    """An experiment of its own, and what is done with its schedule.

    Attributes:
        request: What a user asks.
    """

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self.folder = folder
        self.write("opens at")
        self.change()
        self.request = Request(
            experiment_file=folder / "shops.yaml",
            on=Where.VERTEX,
            data_dir=folder / ".local",
            project=PROJECT,
            location=LOCATION,
            service_account=ACCOUNT,
        )
        self.console = Console(file=io.StringIO(), width=1000)

    def write(self, words: str) -> None:
        """Writes the data."""
        lines = [f'{{"text": "The shop in street {n} {words} {n}.", "summary": "{words} {n}."}}\n' for n in range(24)]
        (self.folder / "all.jsonl").write_text("".join(lines), "utf-8")

    def change(self, **changes: Any) -> None:
        """Writes the experiment."""
        document = {
            "name": "shops",
            "task": "summarization",
            "base_model": "gemini-3.1-flash-lite",
            "data": {"train": "all.jsonl"},
            "prompt": {"template": "Summarize: {text}", "target": "summary"},
            "tuning": {"epochs": 1, "adapter_size": 1},
        }
        (self.folder / "shops.yaml").write_text(yaml.safe_dump(document | changes), "utf-8")

    def said(self) -> str:
        """Returns what was said since the last call."""
        text = self.console.file.getvalue()  # type: ignore[attr-defined]
        self.console.file = io.StringIO()
        return " ".join(text.split())

    def listed(self) -> dict[str, Any]:
        (one,) = scheduling.list_all(self.request, self.console)["schedules"]
        return dict(one)

    def resource(self) -> dict[str, Any]:
        """Returns the schedule as the service has it."""
        answer = self._server.http.get(f"/v1/projects/{PROJECT}/locations/{LOCATION}/schedules")
        (one,) = answer.json()["schedules"]
        return dict(one)

    def clock(self, now: str | None = None, **setting: Any) -> None:
        """Sets the clock that schedules go by."""
        body = {**({"now": now} if now else {}), **setting}
        assert self._server.http.put("/emulator/schedules", json=body).status_code == 200

    def wait(self, **wanted: Any) -> dict[str, Any]:
        """Lists until the schedule is as wanted."""
        deadline = time.monotonic() + 40
        while any((one := self.listed())[key] != value for key, value in wanted.items()):
            assert time.monotonic() < deadline, one
            time.sleep(0.1)
        return one


@pytest.fixture
def shop(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The experiment; its schedule and its runs are gone afterwards, and the clock is right again."""
    monkeypatch.setenv("GEMINI_SFT_IMAGE", f"europe-docker.pkg.dev/p/r/gemini-sft-python@sha256:{'0' * 64}")
    one = Shop(server, tmp_path)
    yield one
    one.clock()
    for schedule in scheduling.list_all(one.request, one.console)["schedules"]:
        scheduling.delete(one.request, schedule["id"], one.console)
    for job in aiplatform.PipelineJob.list(filter="state=PIPELINE_STATE_RUNNING"):
        job.cancel()


def test_a_schedule_has_all_that_its_runs_need_and_says_what_it_will_do(shop: Shop) -> None:
    made = scheduling.create(shop.request, NIGHTLY, shop.console)
    text = shop.said()
    there = shop.resource()
    job = there["createPipelineJobRequest"]["pipelineJob"]
    assert there["displayName"] == "shops"
    assert there["cron"] == "TZ=Europe/Berlin 30 2 * * *"
    assert there["endTime"] == "2028-12-31T23:00:00Z"
    assert (there["maxConcurrentRunCount"], there["maxConcurrentActiveRunCount"]) == ("1", "1")
    assert not there.get("allowQueueing")
    assert job["serviceAccount"] == ACCOUNT
    assert {"experiment": "shops", "pipeline": "retrain"}.items() <= job["labels"].items()
    assert job["pipelineSpec"]["pipelineInfo"]["name"] == "gemini-retrain"
    assert job["runtimeConfig"]["gcsOutputDirectory"] == f"gs://{PROJECT}-gemini-sft/pipelines"
    staged = storage.read_json(job["runtimeConfig"]["parameterValues"]["experiment_uri"])
    assert staged["data"]["train"][0].startswith("gs://")

    schedule = made["schedule"]
    assert {"cron": "30 2 * * *", "time_zone": "Europe/Berlin", "runs": 0, "last_run": None}.items() <= schedule.items()
    assert [time[11:16] for time in schedule["due"]] == ["02:30"] * 3
    assert (made["copied_now"], made["read_by_each_run"]) == ([str(shop.folder / "all.jsonl")], [])
    assert (made["runs_in_30_days"], made["usd_in_30_days"]) == (30, pytest.approx(made["usd_a_run"] * 30))
    assert made["usd_a_run"] > 0
    for words in (
        "02:30 does not exist on",
        "exists twice on",
        "30 runs at most",
        "Nothing caps this: set budget.max_usd or budget.max_usd_per_month",
        "Each run gets the copy that was made now",
        f"gemini-sft schedule update {shop.request.experiment_file} --on vertex",
    ):
        assert words in text


def test_there_is_one_schedule_an_experiment_and_none_whose_runs_would_stop(shop: Shop) -> None:
    scheduling.create(shop.request, NIGHTLY, shop.console)
    with pytest.raises(
        UserError, match=r"shops has a schedule already, \d+: change it with `gemini-sft schedule update"
    ):
        scheduling.create(shop.request, NIGHTLY, shop.console)
    with pytest.raises(UserError, match=r"there is no schedule other in .*: there are shops"):
        scheduling.pause(shop.request, "other", shop.console)
    scheduling.delete(shop.request, "shops", shop.console)
    with pytest.raises(UserError, match="there is no schedule shops"):
        scheduling.delete(shop.request, "shops", shop.console)
    shop.change(budget={"max_usd": 0.001})
    with pytest.raises(UserError, match=r"budget\.max_usd"):
        scheduling.create(shop.request, NIGHTLY, shop.console)
    (shop.folder / "all.jsonl").write_text("not JSON\n", "utf-8")
    with pytest.raises(DataError):
        scheduling.create(shop.request, NIGHTLY, shop.console)
    assert scheduling.list_all(shop.request, shop.console)["schedules"] == []


def test_an_update_runs_the_experiment_as_it_is_now_and_leaves_the_rest(shop: Shop) -> None:
    scheduling.create(shop.request, NIGHTLY, shop.console)
    before = shop.resource()
    shop.write("closes at")
    shop.change(budget={"max_usd": 7, "max_usd_per_month": 20})
    asked = Asked(cron="0 6 * * 1")
    made = scheduling.update(replace(shop.request, service_account=None), asked, shop.console)
    after, text = shop.resource(), shop.said()
    assert after["name"] == before["name"]
    assert after["cron"] == "TZ=Europe/Berlin 0 6 * * 1"
    assert after["endTime"] == before["endTime"]
    job = after["createPipelineJobRequest"]["pipelineJob"]
    assert job["serviceAccount"] == ACCOUNT
    staged = storage.read_json(job["runtimeConfig"]["parameterValues"]["experiment_uri"])
    assert staged["budget"]["max_usd"] == 7
    assert b"closes at" in storage.read_bytes(staged["data"]["train"][0])
    assert "budget.max_usd stops a run above 7 USD; budget.max_usd_per_month stops" in text
    assert [time[11:16] for time in made["schedule"]["due"]] == ["06:00"] * 3


def test_a_run_is_started_when_it_is_due_and_no_second_one_beside_it(shop: Shop) -> None:
    scheduling.create(shop.request, Asked(cron="0 6 * * 1", zone="Europe/Berlin"), shop.console)
    monday = datetime.fromisoformat(shop.listed()["due"][0])
    shop.clock(monday.astimezone(UTC).isoformat(), speed=0)
    started = shop.wait(runs=1)
    run = started["last_run"]
    (job,) = aiplatform.PipelineJob.list(filter=f'schedule_name="{shop.resource()["name"]}"')
    assert run["id"] == job.name
    assert job.labels["experiment"] == "shops"
    assert run["state"] in ("PENDING", "RUNNING")
    assert datetime.fromisoformat(started["due"][0]).date() > monday.date()

    # A second time is due, and one more, while the first run is under way.
    later = datetime.fromisoformat(started["due"][1]).astimezone(UTC)
    shop.clock(later.isoformat(), speed=0)
    third = shop.wait(next_run=_utc(started["due"][2]))
    assert (third["runs"], third["last_run"]["id"]) == (1, run["id"])
    assert "shops 0 6 * * 1 Europe/Berlin ACTIVE" in shop.said()


def test_what_a_pause_misses_is_counted_and_not_made_up(shop: Shop) -> None:
    scheduling.create(shop.request, Asked(cron="0 6 * * *"), shop.console)
    due = [datetime.fromisoformat(time) for time in shop.listed()["due"]]
    paused = scheduling.pause(shop.request, str(shop.request.experiment_file), shop.console)
    assert (paused["schedule"]["state"], paused["schedule"]["due"]) == ("PAUSED", [])
    assert "is paused already" not in shop.said()
    scheduling.pause(shop.request, "shops", shop.console)
    assert "is paused already" in shop.said()
    shop.clock(due[2].isoformat(), speed=0)
    resumed = scheduling.resume(shop.request, "shops", shop.console)
    assert (resumed["missed"], resumed["schedule"]["state"]) == (3, "ACTIVE")
    assert "It was due 3 times while it was paused: those runs are not made up." in shop.said()
    assert datetime.fromisoformat(resumed["schedule"]["next_run"]) > due[2]
    assert shop.listed()["runs"] == 0
    assert scheduling.resume(shop.request, "shops", shop.console)["missed"] is None
    assert "is active already" in shop.said()


def _utc(time: str) -> str:
    return datetime.fromisoformat(time).astimezone(UTC).isoformat().replace("+00:00", "Z")
