"""What an experiment names and what must be there by that name: metrics, slices, a judge.

Only names are looked at here, so that also those of metrics in a bucket are known before anything is started. Their
files are loaded by `gemini_sft.metrics.table.own_metrics`.
"""

import difflib
from collections.abc import Iterator, Sequence

from gemini_sft.errors import ExperimentError, Problem
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import FAILURE_RATE
from gemini_sft.metrics.table import metrics_of


def check_names(experiment: Experiment) -> None:
    """Checks the metrics, slices and the judge that gate and evaluation of an experiment rest on.

    Raises:
        ExperimentError: One of them is not there; all problems at once.
    """
    if problems := list(_problems(experiment)):
        raise ExperimentError(problems)


def _problems(experiment: Experiment) -> Iterator[Problem]:
    gate = experiment.gate
    own = [spec.rpartition(":")[2] for spec in experiment.evaluation.metrics]
    known = metrics_of(experiment.task, labels=("any", "label"))
    names = [*known.task_names, *own]
    for name in experiment.evaluation.lower_is_better:
        if name not in own:
            instead = _instead(name, own, "evaluation.metrics names none")
            yield Problem("evaluation.lower_is_better", f"{name} is no metric of your own{instead}")
    if gate.metric:
        yield from _metric("gate.metric", gate.metric, names, known.whole_names)
    for number, guard in enumerate(gate.guards):
        place = f"gate.guards.{number}"
        if guard.metric:
            yield from _metric(f"{place}.metric", guard.metric, [*names, FAILURE_RATE], known.whole_names)
        column = (guard.slice or "").partition("=")[0]
        if column and column not in experiment.data.slices:
            instead = _instead(column, experiment.data.slices, f"write data.slices: [{column}]")
            yield Problem(f"{place}.slice", f"{column} is no column of data.slices{instead}")
    if gate.min_win_rate is not None and not experiment.evaluation.judge.model:
        yield Problem("gate.min_win_rate", "is for a judge: name one in evaluation.judge.model, or leave it out")


def _metric(place: str, name: str, names: Sequence[str], whole: Sequence[str]) -> Iterator[Problem]:
    if name in names:
        return
    if name in whole:
        what = f"{name} is of the whole split and has no value for an example, so it can neither decide nor guard"
        yield Problem(place, f"{what} (there are: {', '.join(names)})")
    elif name == FAILURE_RATE:
        yield Problem(place, f"{name} can guard, in gate.guards, but not decide (there are: {', '.join(names)})")
    else:
        yield Problem(place, f"{name} is no metric of this experiment{_instead(name, names, '')}")


def _instead(name: str, names: Sequence[str], none: str) -> str:
    """Returns what to take in the place of a name that is not there, behind a colon or in brackets."""
    if not names:
        return f": {none}"
    near = difflib.get_close_matches(name, names, n=1)
    return f": did you mean {near[0]}?" if near else f" (there are: {', '.join(names)})"
