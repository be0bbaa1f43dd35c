"""`gemini-sft schedule` on this machine: kept without an emulator, run by one that is open.

What the commands do in all other cases is tested in tests/contract/schedules.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.end_to_end.conftest import gemini_sft, wait_until, write_experiment


def test_a_schedule_starts_runs_while_an_emulator_is_open(
    tmp_path: Path, started: Callable[..., subprocess.Popen[str]]
) -> None:
    experiment = write_experiment(tmp_path)
    refused = gemini_sft("schedule", "create", experiment, "--cron", "0 25 * * *", "--json", cwd=tmp_path)
    assert (refused.code, json.loads(refused.out)["schedule"]) == (2, None)
    assert "there is no such hour" in json.loads(refused.out)["problems"][0]
    assert "Traceback" not in refused.err

    made = gemini_sft("schedule", "create", experiment, "--cron", "0 6 * * 1", cwd=tmp_path)
    assert made.code == 0, made.err
    for words in (
        "The schedule small is made",
        "in the time zone UTC",
        "`gemini-sft emulator --data-dir .local` is open",
    ):
        assert words in made.out

    started("emulator", "--port", "0")
    announced = tmp_path / ".local" / "emulator.json"
    wait_until(announced.exists, 60, "the emulator is open")
    place = json.loads(announced.read_text("utf-8"))["environment"]
    parent = f"projects/{place['GOOGLE_CLOUD_PROJECT']}/locations/{place['GOOGLE_CLOUD_LOCATION']}"

    def schedule() -> dict[str, Any]:
        answer = httpx.get(f"{place['VERTEX_API_ENDPOINT']}/v1/{parent}/schedules", trust_env=False)
        (one,) = answer.json()["schedules"]
        return dict(one)

    due = schedule()["nextRunTime"]
    clock = {"now": due, "speed": 0}
    httpx.put(f"{place['VERTEX_API_ENDPOINT']}/emulator/schedules", json=clock, trust_env=False).raise_for_status()
    wait_until(lambda: schedule().get("startedRunCount") == "1", 60, "a run has been started")
    listed = gemini_sft("schedule", "list", "--json", cwd=tmp_path)
    (one,) = json.loads(listed.out)["schedules"]
    assert (one["name"], one["state"], one["runs"], one["pipeline"]) == ("small", "ACTIVE", 1, "gemini-retrain")
    assert one["last_run"]["state"] in ("PENDING", "RUNNING")
    gone = gemini_sft("schedule", "delete", experiment, "--json", cwd=tmp_path)
    assert json.loads(gone.out)["schedule"]["state"] == "DELETED"
