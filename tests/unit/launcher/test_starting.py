"""How a task's Python is started: it hears that its run is cancelled."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

GOLDEN = Path(__file__).parents[2] / "golden"
STAND_IN = """
import os, pathlib, signal, sys, time
here = pathlib.Path(os.environ["HERE"])
def heard(number, frame):
    (here / "heard").write_text(os.environ.get("_KFP_RUNTIME", ""))
    sys.exit(0)
signal.signal(signal.SIGTERM, heard)
(here / "ready").write_text("")
time.sleep(30)
"""


@pytest.mark.parametrize("pipeline", sorted(file.stem for file in GOLDEN.glob("*.yaml")))
def test_sigterm_to_the_command_of_a_task_reaches_python(pipeline: str, tmp_path: Path) -> None:
    spec = yaml.safe_load((GOLDEN / f"{pipeline}.yaml").read_text("utf-8"))
    command = spec["deploymentSpec"]["executors"]["exec-evaluate-model"]["container"]["command"]
    package = tmp_path / "kfp" / "dsl"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("")
    (package / "executor_main.py").write_text(STAND_IN)
    (tmp_path / "python3").symlink_to(sys.executable)
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path), "HERE": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}",
    }  # fmt: skip
    with subprocess.Popen([*command, "--executor_input", "{}"], env=environment) as process:
        deadline = time.monotonic() + 20
        while not (tmp_path / "ready").exists():
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert (tmp_path / "heard").read_text() == "true"


def test_every_task_of_ours_is_started_so() -> None:
    for file in GOLDEN.glob("*.yaml"):
        for name, executor in yaml.safe_load(file.read_text("utf-8"))["deploymentSpec"]["executors"].items():
            if "container" in executor:
                assert "exec env _KFP_RUNTIME=true python3 -m" in executor["container"]["command"][2], name
