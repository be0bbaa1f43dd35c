"""How long a task takes to start: `python -m benchmarks.startup`.

Of each step, the import of its module beside kfp's executor in a fresh process, median of nine. Then, in a run of a
small experiment on the emulator, all that each task imports, also what it imports only when it needs it; Python itself
tells of it, which takes a little longer than importing alone.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.end_to_end.conftest import write_experiment

_ROOT = Path(__file__).resolve().parents[1]
_TIMES = 9
_BOUND_SECONDS = 1.5
_STEP = re.compile(r"from gemini_sft\.steps\.(\w+) import")
_IMPORTED = re.compile(rb"^import time: +(\d+) \|", re.MULTILINE)


def main() -> None:
    """Measures and prints."""
    modules = {path.stem: _STEP.findall(path.read_text("utf-8")) for path in sorted(_ROOT.glob("components/*.py"))}
    imported = {name: _import(module[0]) for name, module in modules.items() if module}
    run = dict(_imports_of_a_run())
    print(f"{'component':20} {'module':>8} {'in a run':>10}   (bound {_BOUND_SECONDS} s)")
    for name, seconds in imported.items():
        found = max((value for task, value in run.items() if re.fullmatch(rf"{name}(_\d+)?", task)), default=None)
        print(f"{name:20} {seconds:6.2f} s {'not in it' if found is None else f'{found:8.2f} s':>10}")
    print(f"slowest: {max(*imported.values(), *run.values()):.2f} s; all tasks of the run: {sum(run.values()):.1f} s")


def _import(step: str) -> float:
    """Returns the seconds that a process takes which imports a step and ends."""
    code = f"import kfp.dsl.executor_main, gemini_sft.steps.{step}"
    environment = {**os.environ, "_KFP_RUNTIME": "true"}
    seconds = []
    for _ in range(_TIMES):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], env=environment, cwd=_ROOT, check=True)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def _imports_of_a_run() -> Iterator[tuple[str, float]]:
    """Yields each task of a run, and the seconds that its imports took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "launcher.main", "run", str(write_experiment(folder)), "--json"]
        environment = {**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONPROFILEIMPORTTIME": "1"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["state"] == "SUCCEEDED"
        for log in folder.glob(".local/storage/**/task.log"):
            microseconds = sum(map(int, _IMPORTED.findall(log.read_bytes())))
            yield log.parent.name.replace("-", "_"), microseconds / 1e6


if __name__ == "__main__":
    main()
