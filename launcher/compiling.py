"""Compiling a pipeline, and holding the result against what Vertex AI accepts."""

import os
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from gemini_sft.experiment import Experiment
from launcher.image import find_image
from launcher.place import PipelineName
from launcher.portability import refusals


class NotPortable(Exception):
    """A compiled pipeline that Vertex AI would refuse; the text lists why."""


def compile_pipelines(folder: Path, image: str | None = None) -> list[Path]:
    """Compiles every pipeline into `folder`.

    Args:
        folder: Made if it is missing.
        image: That the components run in; None for the name that the Dockerfile's has on this machine.

    Returns:
        The files written, one for each pipeline.

    Raises:
        NotPortable: Vertex AI would refuse one of them; nothing is written for it.
    """
    from pipelines import PIPELINES

    return [_compile(name, pipeline, folder, image) for name, pipeline in PIPELINES.items()]


def compile_for(experiment: Experiment, folder: Path, pipeline: PipelineName = "finetune") -> Path:
    """Compiles a pipeline as an experiment asks for it into `folder` and returns its file; see `compile_pipelines`.

    The image is the one that the user names or has built.
    """
    from pipelines import PIPELINES
    from pipelines.ending import mailing
    from pipelines.retrain import retrain_of
    from pipelines.sweep import sweep_of

    name, built = str(pipeline), PIPELINES[pipeline]
    if experiment.sweep and pipeline == "finetune":
        name, built = "sweep", sweep_of(experiment.sweep.concurrent_jobs)
    elif experiment.sweep and pipeline == "retrain":
        name, built = "retrain-sweep", retrain_of(experiment.sweep.concurrent_jobs)
    return _compile(name, mailing(built, experiment.notification.email), folder, find_image())


def image_of(template: Path) -> str:
    """Returns the image that the components of a compiled pipeline run in; Google's own may be among them."""
    spec = next(yaml.safe_load_all(template.read_text("utf-8")))
    executors = spec["deploymentSpec"]["executors"].values()
    images: Counter[str] = Counter(one["container"]["image"] for one in executors if "container" in one)
    return images.most_common(1)[0][0]


def _compile(name: str, pipeline: Any, folder: Path, image: str | None) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the Google libraries, about their own future
        from kfp import compiler

        from pipelines import IMAGE

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.yaml"
    draft = target.with_name(f".{name}-{os.getpid()}.yaml")
    try:
        compiler.Compiler().compile(pipeline, str(draft))
        if image:
            draft.write_text(draft.read_text("utf-8").replace(f"image: {IMAGE}\n", f"image: {image}\n"), "utf-8")
        found = refusals(draft.read_text("utf-8"))
        if found:
            raise NotPortable(f"{target} would not run on Vertex AI:\n" + "\n".join(f"  {one}" for one in found))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target
