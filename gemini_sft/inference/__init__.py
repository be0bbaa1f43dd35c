"""Asking a model: one prediction for every example, whatever happens."""

from gemini_sft.inference.engine import Request, predict
from gemini_sft.inference.prediction import Outcome, Prediction

__all__ = ["Outcome", "Prediction", "Request", "predict"]
