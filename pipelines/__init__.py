"""The pipelines: what runs, and in which order."""

from components.image import IMAGE
from pipelines.finetune import finetune
from pipelines.recheck import recheck
from pipelines.retrain import retrain, retrain_of
from pipelines.sweep import sweep

PIPELINES = {
    "finetune": finetune,
    "recheck": recheck,
    "retrain": retrain,
    "retrain-sweep": retrain_of(1),
    "sweep": sweep,
}
"""Every pipeline of the project, by the name of the file that it is compiled to."""

__all__ = ["IMAGE", "PIPELINES", "finetune", "recheck", "retrain", "sweep"]
