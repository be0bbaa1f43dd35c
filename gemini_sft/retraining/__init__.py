"""Whether a scheduled run tunes, asks the champion again, or does nothing; and what the champion is worth today."""

from gemini_sft.retraining.plan import Path, Plan, Situation, Tried, make_plan
from gemini_sft.retraining.purpose import Purpose
from gemini_sft.retraining.recheck import Recheck, State, recheck
from gemini_sft.retraining.reference import Reference
from gemini_sft.retraining.retiring import retirement_alarms
from gemini_sft.retraining.trained import Trained

__all__ = [
    "Path",
    "Plan",
    "Purpose",
    "Recheck",
    "Reference",
    "Situation",
    "State",
    "Trained",
    "Tried",
    "make_plan",
    "recheck",
    "retirement_alarms",
]
