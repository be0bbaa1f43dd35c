"""The whole compiled pipeline with its tasks in what the Dockerfile makes: built here as far as Python is concerned."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import GEMINI_SFT, ROOT, environment, write_experiment

ABSENT = ("launcher", "vertex_emulator", "pipelines", "components", "typer", "kubernetes", "google.cloud.aiplatform")
IMAGE = f"us-central1-docker.pkg.dev/my-project/gemini-sft/gemini-sft-python@sha256:{'0' * 64}"


def instructions() -> Iterator[tuple[str, str]]:
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """What stands for the image's `python3`: an environment into which each line of the Dockerfile has done its part.

    Folders that the Dockerfile names lie below a folder of ours. pip is uv's, which does the same in a second. The user
    is who runs the test.
    """
    root = tmp_path / "image"
    python, starts = root / "venv" / "bin" / "python", tmp_path / "starts"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "venv"], check=True)
    shims = root / "shims"
    shims.mkdir()
    programs = {
        "pip": f'exec {Path(sys.executable).parent}/uv pip "$@"',
        "python": f'exec {python} "$@"',
        "useradd": 'test "$1 $3" = "--uid --create-home"',
    }
    for name, command in programs.items():
        (shims / name).write_text(f"#!/bin/sh\n{command}\n")
        (shims / name).chmod(0o755)
    sent = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert sent[0] == "*"
    variables: dict[str, str] = {}
    user = "root"

    def inside(words: str) -> str:
        return re.sub(r"(?<![\w.:/])/(?=(opt|home)\b)", f"{root}/", words)

    for word, rest in instructions():
        if word == "COPY":
            source, target = rest.split()
            assert f"!{source}" in sent
            place = Path(inside(target)) / (source if target.endswith("/") else "")
            place.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, place)
        elif word == "ENV":
            variables |= dict(part.split("=", 1) for part in shlex.split(inside(rest)))
        elif word == "RUN":
            # What this machine has downloaded once, as HOME says, is not downloaded anew for this test.
            command = inside(rest).replace("--no-cache-dir", "")
            found = {"PATH": f"{shims}:{os.environ['PATH']}", "VIRTUAL_ENV": f"{root}/venv", "HOME": os.environ["HOME"]}
            subprocess.run(["sh", "-ec", command], env={**os.environ, **variables, **found}, check=True, cwd=root)
        elif word == "USER":
            user = rest
        elif word == "WORKDIR":
            assert rest == "/home/runner"
        else:
            assert word in ("FROM", "LABEL"), f"the test does not know what {word} does"
    assert user.isdigit() and user != "0"
    compiled = [path.relative_to(root) for path in root.glob("opt/**/*.pyc")]
    assert len(compiled) == len(list((ROOT / "gemini_sft").rglob("*.py")))
    Path(variables["HOME"]).mkdir(parents=True)
    start = tmp_path / "python3"
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    start.write_text(f'#!/bin/sh\n{exports}echo "$*" >>{starts}\nexec {python} "$@"\n')
    start.chmod(0o755)
    return start


def test_the_pipeline_runs_in_the_image(image: Path, tmp_path: Path) -> None:
    look = f"import importlib.util as u; print([name for name in {ABSENT} if u.find_spec(name)])"
    looked = subprocess.run([image, "-c", look], cwd=tmp_path, stdout=subprocess.PIPE, check=True)
    assert looked.stdout == b"[]\n"
    shell = environment(tmp_path)
    command = [sys.executable, "-m", "vertex_emulator", "--json", "--until-stdin-closes", "--data-dir", "cloud"]
    with subprocess.Popen(
        [*command, "--task-python", image], cwd=tmp_path, env=shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as emulator:
        assert emulator.stdout is not None
        led = json.loads(emulator.stdout.readline())["environment"]
        done = subprocess.run(
            [*GEMINI_SFT, "run", write_experiment(tmp_path), "--on", "vertex", "--json"],
            cwd=tmp_path,
            env={**shell, **led, "GEMINI_SFT_IMAGE": IMAGE},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        emulator.communicate()
    run = json.loads(done.stdout)
    assert run["state"] == "SUCCEEDED" and run["verdict"] in ("promote", "reject", "inconclusive")
    logs = sorted(tmp_path.glob("cloud/storage/**/task.log"))
    started = [line for line in (tmp_path / "starts").read_text().splitlines() if "kfp.dsl.executor_main" in line]
    assert len(logs) == len(started) >= 14
    compiled = (tmp_path / ".local" / "compiled" / "small" / "finetune.yaml").read_text("utf-8")
    assert set(re.findall(r"image: (\S*python\S*)", compiled)) == {IMAGE}
