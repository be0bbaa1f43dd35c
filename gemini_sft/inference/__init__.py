"""Asking a model: one prediction for every example, whatever happens."""

from gemini_sft.inference.call import Call, Service, render
from gemini_sft.inference.engine import Answers, predict
from gemini_sft.inference.journal import Journal
from gemini_sft.inference.prediction import Outcome, Prediction, read_predictions
from gemini_sft.inference.traffic import Traffic

__all__ = [
    "Answers",
    "Call",
    "Journal",
    "Outcome",
    "Prediction",
    "Service",
    "Traffic",
    "predict",
    "read_predictions",
    "render",
]
