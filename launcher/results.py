"""What a run leaves: its files fetched, and its numbers in one object."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from gemini_sft import storage
from gemini_sft.decision import Comparison, Difference
from gemini_sft.decision.comparison import Side
from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment
from gemini_sft.retraining.plan import Path as Taken
from gemini_sft.retraining.plan import Plan
from gemini_sft.tuning import Selection, TuningRecord

_Places = dict[str, tuple[str, str]]
"""By the name of a file, the task and the output that it is."""

EXPERIMENT = "experiment.yaml"
REPORT = "report.html"
COMPARISON = "comparison.json"
PLAN = "plan.json"
RECHECK = "recheck.json"

_BEGUN = {
    "data.html": ("prepare data", "report"),
    "data.json": ("prepare data", "summary"),
    "findings.jsonl": ("prepare data", "findings"),
    "quote.json": ("quote cost", "quote"),
}
_PLANNED = {PLAN: ("plan retraining", "plan"), "plan.md": ("plan retraining", "summary")}
_RECHECKED = {REPORT: ("recheck champion", "report"), RECHECK: ("recheck champion", "recheck")}
_COMPARED = {
    REPORT: ("compare models", "report"),
    "summary.md": ("compare models", "summary"),
    COMPARISON: ("compare models", "comparison"),
    "tuning.json": ("tune model", "tuning"),
    "curves.json": ("extract metrics", "curves"),
    "curves.html": ("extract metrics", "plot"),
    "selection.json": ("select checkpoint", "selection"),
    "selection.html": ("select checkpoint", "page"),
    "base-predictions.jsonl": ("evaluate base model", "predictions"),
    "base-evaluation.json": ("evaluate base model", "evaluation"),
    "base-traffic.json": ("evaluate base model", "traffic"),
    "candidate-predictions.jsonl": ("evaluate tuned model", "predictions"),
    "candidate-evaluation.json": ("evaluate tuned model", "evaluation"),
    "candidate-traffic.json": ("evaluate tuned model", "traffic"),
}
_SWEEP = {
    "tuning.json": ("select trial", "tuning"),
    "curves.json": ("select trial", "curves"),
    "selection.json": ("select trial", "selection"),
    "selection.html": ("select trial", "page"),
}
"""In the place of what the single trials have left; the curves of the one that was taken are in the report."""
_FEW_SHOT = {
    "few-shot-predictions.jsonl": ("evaluate base with examples", "predictions"),
    "few-shot-evaluation.json": ("evaluate base with examples", "evaluation"),
    "few-shot-traffic.json": ("evaluate base with examples", "traffic"),
}
_CHAMPION = {
    "champion-predictions.jsonl": ("evaluate champion", "predictions"),
    "champion-evaluation.json": ("evaluate champion", "evaluation"),
    "champion-traffic.json": ("evaluate champion", "traffic"),
}
_AGAIN = {name: ("evaluate champion again", output) for name, (_, output) in _CHAMPION.items()}
_JUDGE = {"judgement.json": ("judge answers", "judgement")}


def fetch(artifacts: dict[str, dict[str, str]], folder: Path, experiment: Experiment, experiment_uri: str) -> None:
    """Copies the files that people look at into `folder`, which appears with all of them or not at all.

    Args:
        artifacts: URIs, by task and output.
        folder: Where to.
        experiment: What was asked for: there is no more than that, and the champion if there is one.
        experiment_uri: Where it was staged, in which nothing is a local path.
    """
    files, perhaps = _wanted(artifacts, experiment)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as temporary:
        whole = Path(temporary) / folder.name
        storage.write_bytes(str(whole / EXPERIMENT), storage.read_bytes(experiment_uri))
        for name, (task, output) in files.items():
            storage.write_bytes(str(whole / name), storage.read_bytes(artifacts[task][output]))
        for name, (task, output) in perhaps.items():
            if uri := artifacts.get(task, {}).get(output):
                with suppress(UserError):  # what could not be had, or is not, has left nothing
                    storage.write_bytes(str(whole / name), storage.read_bytes(uri))
        shutil.rmtree(folder, ignore_errors=True)
        whole.replace(folder)


def _wanted(artifacts: dict[str, dict[str, str]], experiment: Experiment) -> tuple[_Places, _Places]:
    """Returns what a run leaves that came to its end, and what it perhaps leaves, by the path that it took."""
    files, path = _BEGUN, Taken.RECHECK if "recheck champion" in artifacts else Taken.TUNE
    if "plan retraining" in artifacts:
        files = _BEGUN | _PLANNED
        path = Plan.model_validate(storage.read_json(artifacts["plan retraining"]["plan"])).path
    if path is not Taken.TUNE:
        return (files | _RECHECKED, _AGAIN) if path is Taken.RECHECK else (files, {})
    files, evaluation = files | _COMPARED, experiment.evaluation
    if experiment.sweep:
        files = {name: place for name, place in files.items() if name != "curves.html"} | _SWEEP
    return files, (_FEW_SHOT if evaluation.few_shot else {}) | (_JUDGE if evaluation.judge.model else {}) | _CHAMPION


def summary(run_id: str, state: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Returns the run as the object that `--json` prints; see `nothing` for one that did not succeed."""
    comparison = Comparison.model_validate(storage.read_json(str(folder / COMPARISON)))
    tuning = TuningRecord.model_validate(storage.read_json(str(folder / "tuning.json")))
    selection = Selection.model_validate(storage.read_json(str(folder / "selection.json")))
    return {
        "run_id": run_id,
        "state": state,
        "verdict": comparison.verdict.value,
        "reasons": comparison.reasons,
        "primary_metric": comparison.primary_metric,
        "base": _numbers(comparison.base),
        "candidate": _numbers(comparison.candidate),
        "difference": _interval(comparison.difference),
        "champion": _champion(comparison),
        "guards": [
            one.model_dump(mode="json", include={"what", "held", "limit", "n", "words"}) for one in comparison.guards
        ],
        "tries": comparison.tries,
        "few_shot": _few_shot(comparison),
        "judge": _judge(comparison),
        "tuned_model": selection.taken.model,
        "endpoint": selection.taken.endpoint,
        "selection": {**selection.summary(), "reason": selection.reason, "adopted": tuning.adopted},
        "report": str(folder / REPORT),
        "artifacts": str(folder),
        "seconds": round(seconds, 1),
    }


def nothing(run_id: str | None, state: str, reasons: list[str], seconds: float) -> dict[str, Any]:
    """Returns the same object for a run without a result: its state, why, and nulls."""
    scores = ("base", "candidate", "difference", "champion", "guards", "tries", "few_shot", "judge")
    blanks = (*scores, "tuned_model", "endpoint", "selection", "report", "artifacts")
    head = {"run_id": run_id, "state": state, "verdict": None, "reasons": reasons, "primary_metric": None}
    return head | dict.fromkeys(blanks) | {"seconds": round(seconds, 1)}


def _numbers(side: Side) -> dict[str, Any]:
    dumped = side.model_dump(mode="json")
    return {name: dumped[name] for name in ("n", "metrics", "corpus", "outcomes", "unreadable")}


def _interval(difference: Difference) -> dict[str, Any]:
    return difference.model_dump(mode="json", exclude={"lower_is_better"})


def _champion(comparison: Comparison) -> dict[str, Any] | None:
    """Returns the model in use, and candidate minus it in the deciding metric."""
    champion = comparison.champion
    if champion is None:
        return None
    return {"name": champion.name, **_numbers(champion.side), "difference": _interval(comparison.decisive)}


def _few_shot(comparison: Comparison) -> dict[str, Any] | None:
    """Returns the base model with examples in its prompt, and candidate minus it."""
    arm = comparison.few_shot
    if arm is None:
        return None
    differences = {name: _interval(one) for name, one in arm.differences.items()}
    tokens = {name: one.model_dump(mode="json") for name, one in arm.tokens.items()}
    return {"examples": arm.examples, **_numbers(arm.base), "differences": differences, "tokens_per_request": tokens}


def _judge(comparison: Comparison) -> dict[str, Any] | None:
    judge = comparison.judge
    if judge is None:
        return None
    shares = {"n": judge.tally.n, "position_bias": judge.tally.position_bias}
    interval = {"win_rate_low": judge.low, "win_rate_high": judge.high, "confidence": judge.confidence}
    grades = {"base_grades": judge.base_grades, "candidate_grades": judge.candidate_grades}
    dumped = {name: one and one.model_dump(mode="json") for name, one in grades.items()}
    return {"model": judge.model, **judge.tally.model_dump(mode="json"), **shares, **interval, **dumped}
