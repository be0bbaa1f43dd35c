"""What the parts of a running emulator share."""

from dataclasses import dataclass
from pathlib import Path

from vertex_emulator.batches.jobs import BatchJobs
from vertex_emulator.database import Database
from vertex_emulator.faults import Faults
from vertex_emulator.pipelines.jobs import PipelineJobs
from vertex_emulator.project.state import Project
from vertex_emulator.schedules.firing import Schedules
from vertex_emulator.serving import Serving
from vertex_emulator.storage.objects import ObjectStore
from vertex_emulator.tuning.jobs import TuningJobs


@dataclass
class Emulator:
    """One emulator: its memory and its running work.

    Attributes:
        data_dir: The only directory that it writes to.
        url: Where it is reached, `http://127.0.0.1:PORT`.
        database: Every resource but objects.
        objects: Cloud Storage.
        serving: The stand-in models behind generateContent.
        tuning: Tuning jobs under way.
        batches: Batch prediction jobs under way.
        pipelines: Pipeline jobs under way.
        schedules: What starts pipeline jobs when it is time.
        faults: The trouble that was asked for.
        project: Which APIs are off, and what the caller may not do.
    """

    data_dir: Path
    url: str
    database: Database
    objects: ObjectStore
    serving: Serving
    tuning: TuningJobs
    batches: BatchJobs
    pipelines: PipelineJobs
    schedules: Schedules
    faults: Faults
    project: Project
