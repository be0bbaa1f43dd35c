"""Writes down what a training process tells: the job's statistics, its progress and its curves."""

from typing import Any

from vertex_emulator.database import Database
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.curves import Curves
from vertex_emulator.tuning.dataset import DatasetError
from vertex_emulator.tuning.evaluation.results import keep
from vertex_emulator.tuning.fates import Fate
from vertex_emulator.tuning.order import Order
from vertex_emulator.tuning.plan import chosen_hyper_parameters
from vertex_emulator.tuning.resource import JobResource


class Training:
    """One training as the server follows it.

    Args:
        database: Where the curves go.
        objects: Where results of evaluations go.
        job: The job.
        order: What its process was ordered to do.
        fate: What the job does not tell, or not as it is.

    Attributes:
        checkpoints: `{checkpointId, epoch, step}` of each checkpoint that was written so far.
    """

    def __init__(self, database: Database, objects: ObjectStore, job: JobResource, order: Order, fate: Fate) -> None:
        self._database = database
        self._objects = objects
        self._job = job
        self._order = order
        self._fate = fate
        self._curves: Curves | None = None
        self.checkpoints: list[dict[str, Any]] = []

    def hear(self, message: dict[str, Any]) -> None:
        """Takes a message of the process, as its module describes them.

        Raises:
            DatasetError: The process refused the datasets.
        """
        match message["event"]:
            case "read":
                self._keep_statistics(message)
            case "refused":
                raise DatasetError(message["message"])
            case "progress":
                self._keep_progress(message)
            case "checkpoint":
                self.checkpoints.append({name: str(message[name]) for name in ("checkpointId", "epoch", "step")})
            case "evaluation":
                self._keep_evaluation(message)
            case "done":
                self._job.set(tuningJobState="TUNING_JOB_STATE_POST_PROCESSING")

    def _keep_statistics(self, message: dict[str, Any]) -> None:
        spec = self._job.document["supervisedTuningSpec"]
        chosen = chosen_hyper_parameters(self._order, message["epochs"])
        claimed = self._fate.dropped.stats if self._fate.dropped else {}
        self._job.set(
            supervisedTuningSpec=spec | {"hyperParameters": chosen},
            tuningDataStats={"supervisedTuningDataStats": message["stats"] | claimed},
            tuningJobState="TUNING_JOB_STATE_WAITING_FOR_CAPACITY",
        )

    def _keep_progress(self, message: dict[str, Any]) -> None:
        if self._curves is None:
            document = self._job.document
            title = document.get("tunedModelDisplayName", f"tuning-job-{self._job.id}")
            self._curves = Curves(self._database, self._job.location, title, document.get("labels", {}))
        for purpose in ("train", "eval"):
            self._curves.add(purpose, message[purpose])
        self._job.set(
            experiment=None if "experiment" in self._fate.without else self._curves.experiment,
            tuningJobState="TUNING_JOB_STATE_TUNING",
            tuningJobMetadata={
                "completedEpochCount": str(message["epochs"]),
                "completedStepCount": str(message["steps"]),
            },
        )

    def _keep_evaluation(self, message: dict[str, Any]) -> None:
        assert self._curves is not None, "an evaluation before any progress"
        run = keep(message, self._job, self._curves, self._database, self._objects)
        self._job.set(evaluateDatasetRuns=[*self._job.document.get("evaluateDatasetRuns", []), run])
