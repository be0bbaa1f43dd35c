"""The pipelines: what runs, and in which order."""

from pipelines.finetune import finetune

PIPELINES = {"finetune": finetune}
"""Every pipeline of the project, by the name of the file that it is compiled to."""

__all__ = ["PIPELINES", "finetune"]
