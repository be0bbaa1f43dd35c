"""The server as such: credentials, unknown routes, faults, the loopback and the life of the process."""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.contract.conftest import Server
from vertex_emulator.environment import LOCATION, PROJECT, variables

MODEL = "gemini-2.5-flash"
GENERATE = f"/v1/projects/{PROJECT}/locations/{LOCATION}/publishers/google/models/{MODEL}:generateContent"
BODY = {"contents": [{"role": "user", "parts": [{"text": "Boil the water. Add the tea."}]}]}

_LOOPBACK_ONLY = """
import socket, google.auth, google.auth.transport.requests as transport
real = socket.getaddrinfo
def loopback_only(host, *rest, **more):
    assert host in ("127.0.0.1", b"127.0.0.1"), host
    return real(host, *rest, **more)
socket.getaddrinfo = loopback_only
credentials, project = google.auth.default()
with transport.AuthorizedSession(credentials) as session:
    assert session.get("URL/storage/v1/b?project=x").status_code == 200
print(type(credentials).__module__, credentials.token, project)
"""


def start(data_dir: Path, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "vertex_emulator", "--data-dir", str(data_dir), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_google_auth_finds_its_credentials_and_asks_nobody_else(server: Server) -> None:
    program = _LOOPBACK_ONLY.replace("URL", server.url)
    environment = {"PATH": "", "HOME": str(server.data_dir), **variables(server.port)}
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert said.stdout.split() == ["google.auth.compute_engine.credentials", "emulator-token", PROJECT], said.stderr
    assert said.stderr == ""


def test_unknown_routes_are_refused_in_the_services_shape(server: Server) -> None:
    for method, path in (
        ("GET", "/v1/nothing"),
        ("DELETE", GENERATE),
        ("POST", "/v7/projects/p/locations/l/tuningJobs"),
    ):
        answer = server.http.request(method, path)
        assert answer.status_code == 404
        assert answer.json()["error"]["status"] == "NOT_FOUND"
        assert path in answer.json()["error"]["message"]


def test_announcement_leads_there_and_only_on_the_loopback(tmp_path: Path) -> None:
    process = start(tmp_path / "data", "--json")
    assert process.stdout is not None
    announced = json.loads(process.stdout.readline())
    port = announced["port"]
    assert announced["environment"] == variables(port)
    assert httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).headers["metadata-flavor"] == "Google"
    listening = f"{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    addresses = {row[1].split(":")[0] for row in rows if row[1].endswith(f":{listening}") and row[3] == "0A"}
    assert addresses == {"0100007F"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == -signal.SIGTERM
    process.communicate()


def test_ends_when_its_standard_input_does(tmp_path: Path) -> None:
    process = start(tmp_path / "data", "--json", "--until-stdin-closes", stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    process.stdin.close()
    process.stdin = None
    assert process.wait(10) == 0
    process.communicate()


def test_prints_what_to_export(tmp_path: Path) -> None:
    process = start(tmp_path / "data")
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(4 + len(variables(1)))]
    found = [re.match(r"export (\w+)=(\S+)\n", line) for line in said]
    exported = {match[1]: match[2] for match in found if match}
    port = int(exported["STORAGE_EMULATOR_HOST"].rpartition(":")[2])
    assert exported == variables(port)
    assert f"# Look at it: http://127.0.0.1:{port}/\n" in said
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=10)
    assert process.returncode == 0
    assert complaints == ""


def test_taken_port_and_unwritable_folder_are_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(tmp_path / "data", "--port", str(port))
        _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said == (
        f"vertex_emulator: port {port} on 127.0.0.1 cannot be used (Address already in use):"
        " choose another --port, or 0 for a free one\n"
    )
    (tmp_path / "file").write_text("")
    process = start(tmp_path / "file" / "data")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "cannot write to the data directory" in said
    process = start(tmp_path / "data", "--task-python", "python-of-the-image")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said.startswith("vertex_emulator: --task-python python-of-the-image cannot be run: give the path")
