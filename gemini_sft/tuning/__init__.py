"""The tuning job: its making, its waiting, its curves."""

from gemini_sft.tuning.curves import Curves, read_curves
from gemini_sft.tuning.job import TuningRecord, TuningRequest, tune

__all__ = ["Curves", "TuningRecord", "TuningRequest", "read_curves", "tune"]
