"""The tuning jobs of a run and their checkpoints, as a quote foresees them."""

from collections.abc import Mapping
from dataclasses import dataclass

from gemini_sft.catalog import catalog
from gemini_sft.experiment import Experiment, Tuning
from gemini_sft.experiment.tuning import CheckpointChoice

Settings = Mapping[str, Tuning]
"""Of each tuning job, by the name of its trial, which is empty if there is no sweep."""


@dataclass(frozen=True)
class Job:
    """A tuning job.

    Attributes:
        trial: Of the sweep; empty if there is none.
        epochs: How often it goes through the training data.
        assumed: Whether Vertex AI chooses them, so that `epochs` is a guess.
        checkpoints: How many it leaves: one an epoch, or as many as a job may leave.
        asked: How many of them are asked the validation split, for the best to be taken.
    """

    trial: str
    epochs: int
    assumed: bool
    checkpoints: int
    asked: int


def settings_of(experiment: Experiment) -> Settings:
    """Returns the settings of the tuning jobs that an experiment wants."""
    return experiment.sweep.settings(experiment.tuning) if experiment.sweep else {"": experiment.tuning}


def planned(settings: Settings, examples: int) -> list[Job]:
    """Returns the jobs with these settings, for so many training examples."""
    return [_job(trial, tuning, examples) for trial, tuning in settings.items()]


def _job(trial: str, tuning: Tuning, examples: int) -> Job:
    epochs = tuning.epochs or catalog().assumed_epochs.of(examples)
    checkpoints = min(epochs, catalog().most_checkpoints)
    return Job(trial, epochs, tuning.epochs is None, checkpoints, _asked(trial, tuning.checkpoint, checkpoints))


def _asked(trial: str, choice: CheckpointChoice, checkpoints: int) -> int:
    if choice is CheckpointChoice.LOSS:
        return 0
    rivals = 1 if choice is CheckpointChoice.LAST else checkpoints
    # The only one of a trial has rivals in the others; that of the only job has none, and is taken unasked.
    return rivals if trial or rivals > 1 else 0
