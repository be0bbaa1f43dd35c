"""Compiling a pipeline, and holding the result against what Vertex AI accepts."""

import os
import warnings
from pathlib import Path

from launcher.portability import refusals


class NotPortable(Exception):
    """A compiled pipeline that Vertex AI would refuse; the text lists why."""


def compile_pipelines(folder: Path) -> list[Path]:
    """Compiles every pipeline into `folder`.

    Returns:
        The files written, one for each pipeline.

    Raises:
        NotPortable: Vertex AI would refuse one of them; nothing is written for it.
    """
    from pipelines import PIPELINES

    return [compile_pipeline(name, folder) for name in PIPELINES]


def compile_pipeline(name: str, folder: Path) -> Path:
    """Compiles the pipeline `name` to `folder/name.yaml`; see `compile_pipelines`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the Google libraries, about their own future
        from kfp import compiler

        from pipelines import PIPELINES

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.yaml"
    draft = target.with_name(f".{name}-{os.getpid()}.yaml")
    try:
        compiler.Compiler().compile(PIPELINES[name], str(draft))
        found = refusals(draft.read_text("utf-8"))
        if found:
            raise NotPortable(f"{target} would not run on Vertex AI:\n" + "\n".join(f"  {one}" for one in found))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target
