"""Does the trial that wins a sweep on validation win on test as well? `python -m benchmarks.sweep`.

Runs `experiments/sweep.yaml`, and then each trial by itself, which takes over the job of the sweep, takes its best
checkpoint on validation and asks it the test split: what the sweep asks only of the winner.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
_EXPERIMENT = _ROOT / "experiments" / "sweep.yaml"
_METRIC = "field_f1"


def _run(folder: str, *overrides: str) -> dict[str, Any]:
    sets = [part for one in overrides for part in ("--set", one)]
    command = [sys.executable, "-m", "launcher.main", "run", str(_EXPERIMENT), "--json", "--data-dir", folder, *sets]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True)
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def main() -> None:
    """Runs the sweep and its trials, and prints a line for each."""
    with tempfile.TemporaryDirectory() as folder:
        swept = _run(folder)["selection"]
        found = []
        for epochs in (3, 8):
            for size in (1, 4):
                one = _run(folder, "sweep=null", f"tuning.epochs={epochs}", f"tuning.adapter_size={size}")
                selection, candidate = one["selection"], one["candidate"]
                assert selection["adopted"]
                name = f"epochs={epochs} adapter_size={size}"
                scores = selection[f"validation_{_METRIC}"], candidate["metrics"][_METRIC]
                found.append((*scores, selection["epoch"], name))
    for validation, test, epoch, name in sorted(found, reverse=True):
        taken = ", taken by the sweep" if name == swept["trial"] else ""
        print(f"{name}: epoch {epoch}, {_METRIC} {validation:.3f} on validation, {test:.3f} on test{taken}")
    best = max(found, key=lambda one: one[1])
    print(f"best on test: {best[-1]}")


if __name__ == "__main__":
    main()
