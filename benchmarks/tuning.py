"""Time lost around tuning jobs of known length: `python -m benchmarks.tuning [SECONDS ...]`.

The step `tune_model` is run as a pipeline runs it, in a process of its own, beside a job that the emulator lets train
for so many seconds. What the step takes longer than its job, from the job's making to its end, is lost: the start of
Python, the imports, looking for a job of the same intent, and the time until the end is seen. All are under way at
once, for they do nothing but wait.
"""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.emulating import emulator

_SECONDS = (10, 60, 150, 400)
_BOUND_SECONDS, _BOUND_SHARE = 35.0, 0.02
_STEP = """
import sys
from gemini_sft.steps.tune_model import tune_model
folder, trial = sys.argv[1:]
tune_model(project="local-project", location="us-central1", experiment_uri="gs://benchmark/staging/b/1/experiment.yaml",
           run_id="benchmark", models_uri=f"{folder}/models.json", train_uri="gs://benchmark/train",
           validation_uri="gs://benchmark/validation", trial=trial, tuning_uri=f"{folder}/tuning.json")
"""


def _prepare(lengths: list[int]) -> None:
    """Leaves the splits and an experiment in the emulator's bucket: a trial for each length."""
    from google.cloud.storage import Client

    from gemini_sft import storage

    Client(project="local-project").create_bucket("benchmark")
    turns = [{"role": "user", "parts": [{"text": "Water boils."}]}, {"role": "model", "parts": [{"text": "yes"}]}]
    for split, count in (("train", 20), ("validation", 0)):
        sources = [{"id": str(n), "source": "f", "line": n} for n in range(count)]
        storage.write_jsonl(f"gs://benchmark/{split}/examples.jsonl", [{"contents": turns}] * count)
        storage.write_jsonl(f"gs://benchmark/{split}/sources.jsonl", sources)
        storage.write_json(f"gs://benchmark/{split}/prompt.json", {"fingerprint": "0123456789abcdef"})
    experiment = {
        "name": "benchmark",
        "task": "generation",
        "base_model": "gemini-3.1-flash-lite",
        "data": {"train": "gs://benchmark/train.jsonl"},
        "sweep": {"trials": [{"epochs": 1, "attempt": length} for length in lengths], "concurrent_jobs": len(lengths)},
    }
    storage.write_json("gs://benchmark/staging/b/1/experiment.yaml", experiment)  # JSON is YAML


def _run(length: int) -> tuple[float, float]:
    """Returns the seconds of the step and those of its job."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "models.json").write_text(json.dumps({"base": {"id": "gemini-3.1-flash-lite"}}))
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", _STEP, folder, f"epochs=1 attempt={length}"], check=True)
        taken = time.perf_counter() - started
        return taken, json.loads((Path(folder) / "tuning.json").read_text())["seconds"]


def main() -> None:
    """Runs them all at once and prints each."""
    lengths = [int(one) for one in sys.argv[1:]] or list(_SECONDS)
    fates = [{"display_name": f"attempt={length}$", "seconds": {"TUNING": length}} for length in lengths]
    with emulator({"concurrent_jobs": len(lengths), "fates": fates}, "tuning"):
        _prepare(lengths)
        with ThreadPoolExecutor(len(lengths)) as pool:
            for taken, job in pool.map(_run, lengths):
                bound = _BOUND_SECONDS + _BOUND_SHARE * job
                print(f"job of {job:6.1f} s: step {taken:6.1f} s, lost {taken - job:5.1f} s (bound {bound:.1f} s)")


if __name__ == "__main__":
    main()
