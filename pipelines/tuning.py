"""How the pipelines tune: one job, or one for each trial of a sweep, of which the best is taken."""

from dataclasses import dataclass
from typing import Any

from kfp import dsl

from components.extract_metrics import extract_metrics
from components.list_trials import list_trials
from components.select_checkpoint import select_checkpoint
from components.select_trial import select_trial
from components.tune_model import tune_model
from pipelines.parts import Begun, fresh, resumable


@dataclass(frozen=True)
class Tuned:
    """What was tuned.

    Attributes:
        job: Gives the job, as `tuning`.
        curves: Gives its curves, as `curves`.
        taken: Gives what is taken: `selection`, and the names of model and endpoint.
    """

    job: dsl.PipelineTask
    curves: dsl.PipelineTask
    taken: dsl.PipelineTask


def tune(begun: Begun, concurrent_jobs: int = 0) -> Tuned:
    """Tunes one model, or all trials of a sweep, `concurrent_jobs` at once, and takes the best checkpoint."""
    if not concurrent_jobs:
        return _tune(begun)
    place = begun.place["experiment_uri"]
    trials = fresh(list_trials(experiment_uri=place).after(begun.quote), "list trials")
    with dsl.ParallelFor(trials.output, parallelism=concurrent_jobs) as trial:
        tuned = _tune(begun, trial)
    best = select_trial(
        experiment_uri=place,
        tunings=dsl.Collected(tuned.job.outputs["tuning"]),
        trial_curves=dsl.Collected(tuned.curves.outputs["curves"]),
        selections=dsl.Collected(tuned.taken.outputs["selection"]),
    )
    fresh(best, "select trial")
    return Tuned(best, best, best)


def _tune(begun: Begun, trial: Any = "") -> Tuned:
    data = begun.data
    job = resumable(
        tune_model(**begun.run, train=data.outputs["train"], validation=data.outputs["validation"], trial=trial).after(
            begun.quote
        ),
        "tune model",
    )
    curves = fresh(extract_metrics(tuning=job.outputs["tuning"], quote=begun.quote.outputs["quote"]), "extract metrics")
    taken = resumable(
        select_checkpoint(
            **begun.run,
            validation=data.outputs["validation"],
            tuning=job.outputs["tuning"],
            curves=curves.outputs["curves"],
        ),
        "select checkpoint",
    )
    return Tuned(job, curves, taken)
