"""The pipelines: what runs, and in which order."""

from pipelines.finetune import finetune
from pipelines.sweep import sweep

PIPELINES = {"finetune": finetune, "sweep": sweep}
"""Every pipeline of the project, by the name of the file that it is compiled to."""

__all__ = ["PIPELINES", "finetune", "sweep"]
