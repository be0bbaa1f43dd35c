"""Execution caching: a task that was run with the same before is not run again.

What "the same" means is said at https://cloud.google.com/vertex-ai/docs/pipelines/configure-caching: the values of the
input parameters and the ids of the input artifacts, the definition of the outputs, and the image, command, arguments
and environment of the component, among pipelines of one name. Nothing expires, and nobody looks whether the outputs are
still there. The cache of `kfp.local` knows neither the pipeline's name nor the definitions, and takes an output that
was never written for a lost one.

No image runs here, so this machine's code stands in its place, or a change of it would not be noticed.
"""

import functools
import hashlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from kfp import dsl
from kfp.dsl import executor as kfp_executor

_PLACEHOLDER = "{{$."


class Executions:
    """The outputs of the tasks that succeeded, by what they were run with.

    Args:
        folder: Where they are kept, a file each; made when there is one.
        job_name: Resource name of the job that asks. Jobs of other projects and regions have other executions.
        pipeline_name: Name of its pipeline.
        python: The Python that tasks run in; None for this one.
    """

    def __init__(self, folder: Path, job_name: str, pipeline_name: str, python: str | None = None) -> None:
        self._folder = folder
        self._job_name = job_name
        self._python = python
        self._pipeline = [job_name.rsplit("/", 2)[0], pipeline_name]

    def key(self, component: Any, executor: Any, inputs: Mapping[str, Any]) -> str:
        """Returns what stands for a run of a component, in kfp's messages, with these inputs."""
        definition = json_format.MessageToDict(component)
        definition.pop("executorLabel", None)  # of which there is another for each place in the pipeline
        given = {port: _identity(value) for port, value in inputs.items()}
        whole = [self._pipeline, definition, json_format.MessageToDict(executor), given, self._code]
        text = json.dumps(whole, sort_keys=True)
        if _PLACEHOLDER in json.dumps(given):  # which is filled in with something of the job's
            text += self._job_name
        return hashlib.sha256(text.encode()).hexdigest()

    def find(self, key: str) -> dict[str, Any] | None:
        """Returns the outputs of an earlier run, as kfp holds them; None if there was none."""
        try:
            kept = json.loads((self._folder / f"{key}.json").read_bytes())
        except FileNotFoundError:
            return None
        return {port: _restored(value) for port, value in kept.items()}

    def keep(self, key: str, outputs: Mapping[str, Any]) -> None:
        """Keeps the outputs of a run that has succeeded."""
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f".{uuid.uuid4().hex}"
        draft.write_text(json.dumps({port: _kept(value) for port, value in outputs.items()}), "utf-8")
        draft.replace(self._folder / f"{key}.json")

    @functools.cached_property
    def _code(self) -> str:
        """What stands for the code that tasks find: what is installed, and what `PYTHONPATH` leads to."""
        version, *path = _asked(self._python) if self._python else [sys.version, *sys.path]
        found = hashlib.sha256(version.encode())
        for folder in map(Path, path):
            for installed in sorted(folder.glob("*.dist-info")):
                found.update(installed.name.encode())
        if self._python:  # a Python that stands for an image sees no `PYTHONPATH`
            return found.hexdigest()
        for folder in map(Path, os.environ.get("PYTHONPATH", "").split(os.pathsep)):
            for source in sorted(_source(folder)):
                state = source.stat()
                found.update(f"{source.relative_to(folder)} {state.st_size} {state.st_mtime_ns}\n".encode())
        return found.hexdigest()


def _identity(value: Any) -> Any:
    if isinstance(value, list):
        return [_identity(one) for one in value]
    if not isinstance(value, dsl.Artifact):
        return value
    # A job may have the id, and so the paths, of one that was deleted: when it was written tells them apart.
    path = Path(value.uri)
    return {"artifact": value.uri, "written": path.stat().st_mtime_ns if path.exists() else 0}


def _kept(value: Any) -> dict[str, Any]:
    if isinstance(value, dsl.Artifact):
        kind = {"schemaTitle": value.schema_title, "schemaVersion": value.schema_version}
        return {"artifact": {"name": value.name, "uri": value.uri, "metadata": value.metadata, "type": kind}}
    if isinstance(value, list) and value and all(isinstance(one, dsl.Artifact) for one in value):
        return {"artifacts": [_kept(one) for one in value]}
    return {"value": value}


def _restored(kept: dict[str, Any]) -> Any:
    if "artifact" in kept:
        return kfp_executor.create_artifact_instance(kept["artifact"])
    return [_restored(one) for one in kept["artifacts"]] if "artifacts" in kept else kept["value"]


def _asked(python: str) -> list[str]:
    """Returns the version of another Python, on one line, and the folders that it imports from."""
    program = "import sys; print(' '.join(sys.version.split()), *sys.path, sep='\\n')"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    told = subprocess.run([python, "-c", program], env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return told.stdout.splitlines()


def _source(folder: Path) -> Iterator[Path]:
    """Yields the files of the modules and packages that can be imported from a folder."""
    yield from folder.glob("*.py")
    for package in folder.glob("*/__init__.py"):
        yield from (path for path in package.parent.rglob("*") if path.suffix != ".pyc" and path.is_file())
