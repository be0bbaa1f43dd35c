"""An image that services can pull, in pipelines that are compiled in the process of a test.

What `GEMINI_SFT_IMAGE` says is read when the components are imported, which another test may have done before.
"""

from pathlib import Path

from components.image import IMAGE
from gemini_sft.experiment import Experiment
from launcher.compiling import compile_for
from launcher.place import PipelineName

PINNED = f"europe-docker.pkg.dev/p/r/gemini-sft-python@sha256:{'0' * 64}"


def compile_pinned(experiment: Experiment, folder: Path, pipeline: PipelineName = "finetune") -> Path:
    """Compiles as the launcher does, for that image."""
    template = compile_for(experiment, folder, pipeline)
    template.write_text(template.read_text("utf-8").replace(IMAGE, PINNED), "utf-8")
    return template
