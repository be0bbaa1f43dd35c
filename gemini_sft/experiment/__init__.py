"""The experiment file: one YAML that says what to tune, on what, and when the result is good enough."""

from gemini_sft.experiment.loading import load_experiment
from gemini_sft.experiment.schema import Data, Evaluation, Experiment, Gate, Prompt, Task
from gemini_sft.experiment.tuning import Sweep, Tuning

__all__ = ["Data", "Evaluation", "Experiment", "Gate", "Prompt", "Sweep", "Task", "Tuning", "load_experiment"]
