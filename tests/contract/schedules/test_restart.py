"""What an emulator does with the schedules that it finds, and when it starts nothing."""

import json
import subprocess
import sys
from pathlib import Path

import httpx

from tests.contract.conftest import Server
from tests.contract.schedules.conftest import Scheduling


def test_runs_missed_while_it_was_off_are_not_made_up(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    scheduling = Scheduling(server, tmp_path)
    scheduling.clock("2020-01-01T00:00:00Z", speed=0)
    names = [
        scheduling.create(scheduling.quick, cron="0 * * * *", allowQueueing=True),
        scheduling.create(scheduling.quick, cron="0 * * * *", endTime="2020-02-01T00:00:00Z"),
        scheduling.create(scheduling.quick, cron="0 * * * *"),
    ]
    assert server.http.post(f"/v1/{names[2]}:pause").status_code == 200
    assert [scheduling.get(name)["nextRunTime"] for name in names] == ["2020-01-01T01:00:00Z"] * 3
    server.close()

    # `gemini-sft run` starts one like this: nothing may come in between.
    command = [sys.executable, "-m", "vertex_emulator", "--json", "--until-stdin-closes"]
    process = subprocess.Popen(
        [*command, "--data-dir", str(tmp_path / "data")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    port = json.loads(process.stdout.readline())["port"]
    answer = httpx.put(f"http://127.0.0.1:{port}/emulator/schedules", json={"speed": 1e8}, trust_env=False)
    assert answer.status_code == 400 and "start nothing" in answer.json()["error"]["message"]
    process.communicate(timeout=20)

    server = Server(tmp_path / "data")
    scheduling.server, scheduling.http = server, server.http
    ended = scheduling.wait(lambda: scheduling.get(names[1]), lambda found: found["state"] == "COMPLETED")
    assert ended["startedRunCount"] == "0" and "nextRunTime" not in ended
    now = server.http.get("/emulator/schedules").json()["now"]
    going_on = scheduling.get(names[0])
    assert going_on["nextRunTime"] > now and going_on["startedRunCount"] == "0"
    # A pause goes on: whether to make up what it has missed is asked when it ends.
    assert scheduling.get(names[2])["nextRunTime"] == "2020-01-01T01:00:00Z"
    assert scheduling.jobs(names[0]) == scheduling.jobs(names[2]) == []
    server.close()
