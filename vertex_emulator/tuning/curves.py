"""The experiment that a job leaves behind: its loss curves, where Google's notebooks read them.

context EXP                    system.Experiment, metadata.backing_tensorboard_resource = tensorboards/T
context EXP-RUN                system.ExperimentRun, its parent is EXP
context EXP-tuning-evaluation-checkpoint-ID     the same, for each evaluated checkpoint; metadata._metrics = its scores
tensorboards/T/experiments/EXP/runs/RUN
    /train_total_loss  /train_fraction_of_correct_next_step_preds  /train_num_predictions      for each step
    /eval_total_loss   /eval_fraction_of_correct_next_step_preds   /eval_num_predictions       for each epoch
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from vertex_emulator.database import Database
from vertex_emulator.experiments import create_context
from vertex_emulator.tensorboard import create_run, create_tensorboard, write_scalars

Point = Sequence[float]
"""Step, loss, accuracy, predictions, and when it was measured in seconds since 1970."""

_SERIES = {"total_loss": 1, "fraction_of_correct_next_step_preds": 2, "num_predictions": 3}


class Curves:
    """A new experiment with one run, and the series in it.

    Args:
        database: Where it is kept.
        location: `projects/P/locations/L`.
        title: What the tensorboard is called.
        labels: Labels of the tensorboard.

    Attributes:
        experiment: Resource name of the experiment's context.
    """

    def __init__(self, database: Database, location: str, title: str, labels: dict[str, str]) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S%f")
        experiment_id, run_id = f"tuning-experiment-{stamp}", f"tuning-experiment-run-{stamp}"
        tensorboard = create_tensorboard(database, location, display_name=title, labels=labels)
        self.experiment = create_context(
            database,
            location,
            context_id=experiment_id,
            schema_title="system.Experiment",
            display_name=experiment_id,
            metadata={"backing_tensorboard_resource": tensorboard},
        )
        create_context(
            database,
            location,
            context_id=f"{experiment_id}-{run_id}",
            schema_title="system.ExperimentRun",
            display_name=run_id,
            parents=(self.experiment,),
        )
        self._database = database
        self._location = location
        self._experiment_id = experiment_id
        self._run = create_run(database, tensorboard, experiment_id=experiment_id, run_id=run_id, display_name=run_id)

    def add(self, purpose: str, points: Sequence[Point]) -> None:
        """Writes points of a purpose, `train` or `eval`, each in its three series."""
        if not points:
            return
        for name, column in _SERIES.items():
            write_scalars(
                self._database,
                self._run,
                f"/{purpose}_{name}",
                [(int(point[0]), float(point[column])) for point in points],
                [_rfc3339(point[4]) for point in points],
            )

    def add_evaluation(self, checkpoint_id: str, state: str, metrics: Mapping[str, float | str]) -> None:
        """Adds the run of a checkpoint's evaluation.

        Args:
            checkpoint_id: The checkpoint.
            state: `COMPLETE` or `FAILED`.
            metrics: What came of it, as `ExperimentRun.get_metrics` gives it.
        """
        run_id = f"tuning-evaluation-checkpoint-{checkpoint_id}"
        create_context(
            self._database,
            self._location,
            context_id=f"{self._experiment_id}-{run_id}",
            schema_title="system.ExperimentRun",
            display_name=run_id,
            metadata={"_state": state, "_params": {}, "_metrics": dict(metrics)},
            parents=(self.experiment,),
        )


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
