"""The tuning job: its making, its waiting, its curves, its checkpoints."""

from gemini_sft.tuning.curves import Curves, read_curves
from gemini_sft.tuning.job import TuningRequest, tune
from gemini_sft.tuning.record import TuningRecord
from gemini_sft.tuning.selection import Candidate, Selection

__all__ = ["Candidate", "Curves", "Selection", "TuningRecord", "TuningRequest", "read_curves", "tune"]
