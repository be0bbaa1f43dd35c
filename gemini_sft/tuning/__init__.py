"""The tuning job: its making, its waiting, its curves, its checkpoints."""

from gemini_sft.tuning.base import Base, find_base, find_champion
from gemini_sft.tuning.curves import Curves, read_curves
from gemini_sft.tuning.epochs import epoch_ends
from gemini_sft.tuning.job import tune
from gemini_sft.tuning.overfitting import LowestLoss, lowest_validation_loss
from gemini_sft.tuning.record import TuningRecord
from gemini_sft.tuning.refusals import refusals, retired
from gemini_sft.tuning.request import TuningRequest
from gemini_sft.tuning.selection import Candidate, Selection

__all__ = [
    "Base",
    "Candidate",
    "Curves",
    "LowestLoss",
    "Selection",
    "TuningRecord",
    "TuningRequest",
    "epoch_ends",
    "find_base",
    "find_champion",
    "lowest_validation_loss",
    "read_curves",
    "refusals",
    "retired",
    "tune",
]
