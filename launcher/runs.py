"""The folders that runs have left: which one is meant, and what is in it."""

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gemini_sft import storage
from gemini_sft.cost import Quote
from gemini_sft.data.summary import DataSummary
from gemini_sft.decision import Comparison
from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment
from gemini_sft.inference import Prediction, Traffic
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.report.between import FinishedRun
from gemini_sft.tuning import Curves, Selection, TuningRecord
from launcher import results

LATEST = "latest"
_MARKS = (results.REPORT, results.PLAN)
"""What makes a folder one of a run: a page, or at least the plan of one that was skipped."""
_SHOWN_RUNS = 5
_REMEDY = "run the experiment again, which does not pay twice for what is tuned already"

Model = TypeVar("Model", bound=BaseModel)


def find_run(data_dir: Path, run: str, fits: Callable[[Path], bool] = lambda _: True) -> Path:
    """Returns the folder of a run.

    Args:
        data_dir: Where results are put.
        run: Its id or a beginning that only it has; `latest`; or the path of such a folder.
        fits: Tells of a run's folder whether `latest` may mean it.

    Raises:
        UserError: There is no such run, or several.
    """
    runs = data_dir / "runs"
    marks = [path for mark in _MARKS for path in runs.glob(f"[!.]*/{mark}")]
    there = sorted(marks, key=lambda one: one.stat().st_mtime, reverse=True)
    names = list(dict.fromkeys(one.parent.name for one in there))
    if run in names:
        return runs / run
    if run == LATEST and (latest := next((runs / name for name in names if fits(runs / name)), None)):
        return latest
    if any((Path(run) / mark).is_file() for mark in _MARKS):
        return Path(run)
    begun = [name for name in names if run and name.startswith(run)]
    if len(begun) == 1:
        return runs / begun[0]
    if begun:
        raise UserError(f"{run}: several runs in {runs} begin so: {some(begun)}; give more of the id")
    nearest = difflib.get_close_matches(run, names, _SHOWN_RUNS, cutoff=0.4)
    hint = f"the nearest are {some(nearest)}" if nearest else f"there are {some(names) or 'none'}"
    raise UserError(
        f"{run}: no finished run of that name in {runs}, nor is it the folder of one: {hint}; give an id, its"
        f" beginning, {LATEST}, or the --data-dir that the run was given; of a run that nobody waited for, `gemini-sft"
        " status RUN` fetches the results"
    )


def read_comparison(folder: Path) -> Comparison:
    """Reads what a run has decided; for errors see `read_run`."""
    return _read(folder, "comparison.json", Comparison)


def read_run(folder: Path) -> FinishedRun:
    """Reads what a run has left.

    Raises:
        UserError: A file is missing, or was written by another version.
    """
    return FinishedRun(
        run_id=folder.resolve().name,
        experiment=_read(folder, results.EXPERIMENT, Experiment),
        comparison=read_comparison(folder),
        result=_read(folder, "candidate-evaluation.json", EvaluationResult),
        predictions=_predictions(folder / "candidate-predictions.jsonl"),
        traffic=_read(folder, "candidate-traffic.json", Traffic),
        tuning=_read(folder, "tuning.json", TuningRecord),
        selection=_read(folder, "selection.json", Selection),
        curves=_read(folder, "curves.json", Curves),
        quote=_read(folder, "quote.json", Quote),
        data=_read(folder, "data.json", DataSummary),
    )


def _read(folder: Path, name: str, model: type[Model]) -> Model:
    return _parsed(folder / name, model, _content(folder / name))


def _predictions(file: Path) -> list[Prediction]:
    return [_parsed(file, Prediction, line) for line in _content(file).splitlines() if line.strip()]


def _parsed(file: Path, model: type[Model], content: bytes) -> Model:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise UserError(f"{file}: {where}: {first['msg']}; another version has written it: {_REMEDY}") from None


def _content(file: Path) -> bytes:
    try:
        return storage.read_bytes(str(file))
    except UserError as error:
        raise UserError(f"{error}; a run leaves one: {_REMEDY}") from error


def some(names: list[str]) -> str:
    """Returns the first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN_RUNS} more" if len(names) > _SHOWN_RUNS else ""
    return ", ".join(names[:_SHOWN_RUNS]) + more
