"""A server of Kubeflow Pipelines, the emulator for what is Google's, and a small experiment."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from launcher.place import Kubeflow, Request, Where
from tests.contract.conftest import Server
from tests.contract.kubeflow.server import KubeflowServer
from vertex_emulator.environment import LOCATION, PROJECT

TOKEN = "a-token"


@pytest.fixture
def kubeflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeflowServer]:
    """The server, which wants a token, and the token in its variable."""
    running = KubeflowServer(TOKEN)
    monkeypatch.setenv("KFP_TOKEN", TOKEN)
    yield running
    running.stop()


@pytest.fixture
def request_there(server: Server, kubeflow: KubeflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    """What a user asks who runs a small experiment on Kubeflow."""
    monkeypatch.setenv("GEMINI_SFT_IMAGE", "europe-docker.pkg.dev/p/r/gemini-sft:1")
    lines = [f'{{"text": "The shop in street {n} opens at {n}.", "summary": "Opens at {n}."}}\n' for n in range(24)]
    (tmp_path / "all.jsonl").write_text("".join(lines), "utf-8")
    document = {
        "name": "shops",
        "task": "summarization",
        "base_model": "gemini-3.1-flash-lite",
        "data": {"train": "all.jsonl"},
        "prompt": {"template": "Summarize: {text}", "target": "summary"},
        "tuning": {"epochs": 1, "adapter_size": 1},
        "notification": {"email": ["someone@example.com"]},
    }
    (tmp_path / "shops.yaml").write_text(yaml.safe_dump(document), "utf-8")
    return Request(
        experiment_file=tmp_path / "shops.yaml",
        on=Where.KUBEFLOW,
        data_dir=tmp_path / ".local",
        project=PROJECT,
        location=LOCATION,
        kubeflow=Kubeflow(kubeflow.url),
    )


@pytest.fixture
def console() -> Console:
    """A console whose text can be read: `console.file.getvalue()`."""
    return Console(file=io.StringIO(), width=1000)
