"""A small extractive model that stands in for Gemini in the emulator, and really learns from tuning data.

It answers with pieces of the prompt, with entries of a list that the prompt offers, or with answers that it
saw in training. If nearly all training targets share their wording, as JSON objects with the same keys do, it
fills that in. It cannot write text of its own, and its scores are no estimate of Gemini's.
"""

from vertex_emulator.standin.choosing import choose
from vertex_emulator.standin.model import StandIn, complete
from vertex_emulator.standin.records import (
    Completion,
    Record,
    Settings,
    StepMetrics,
    default_epochs,
    steps_per_epoch,
)
from vertex_emulator.standin.training import train

__all__ = [
    "Completion",
    "Record",
    "Settings",
    "StandIn",
    "StepMetrics",
    "choose",
    "complete",
    "default_epochs",
    "steps_per_epoch",
    "train",
]
