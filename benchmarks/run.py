"""How long the shipped experiment takes on this machine: `python -m benchmarks.run`."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_RUNS = 3
_COMMAND = [sys.executable, "-m", "launcher.main", "run", "experiments/summarization.yaml", "--json"]


def main() -> None:
    """Runs it three times in new folders and prints each time."""
    seconds = []
    for _ in range(_RUNS):
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            done = subprocess.run(
                [*_COMMAND, "--data-dir", folder],
                cwd=_ROOT,
                capture_output=True,
                text=True,
                check=True,
            )
            seconds.append(time.perf_counter() - started)
        print(f"{seconds[-1]:.1f} s, verdict {json.loads(done.stdout)['verdict']}")
    print(f"median {statistics.median(seconds):.1f} s (bound 60 s)")


if __name__ == "__main__":
    main()
