"""Putting an experiment, its data and its metrics where the pipeline can read them."""

import hashlib
import shutil
from pathlib import Path

from gemini_sft import storage
from gemini_sft.data.sources import expand
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import listed
from launcher.buckets import ensure_bucket
from launcher.target import Target

SPLITS = ("train", "validation", "test")


def stage(experiment: Experiment, target: Target) -> str:
    """Copies local data files, metrics and the experiment to the bucket, which is made if it is missing.

    Objects are named by their content: the same data is stored once, and a run's inputs never change afterwards.

    Args:
        experiment: With its texts in place, and absolute paths.
        target: Where the bucket is.

    Returns:
        URI of the experiment, in which nothing is a local path.

    Raises:
        UserError: The bucket belongs to somebody else, or a file is missing.
        ServiceError: Cloud Storage did not take them.
    """
    ensure_bucket(target)
    root = f"gs://{target.bucket}/staging/{experiment.name}"
    uris = {split: _staged(getattr(experiment.data, split), root) for split in SPLITS}
    metrics = [_staged_metric(one, root) for one in experiment.evaluation.metrics]
    staged = experiment.model_copy(
        update={
            "data": experiment.data.model_copy(update=uris),
            "evaluation": experiment.evaluation.model_copy(update={"metrics": metrics}),
        }
    )
    content = staged.model_dump_json(indent=2).encode()
    uri = f"{root}/{hashlib.sha256(content).hexdigest()[:16]}/experiment.yaml"  # JSON is YAML
    storage.write_bytes(uri, content, "application/json")
    return uri


def is_local(experiment: Experiment) -> bool:
    """Returns whether all data of an experiment are local files."""
    return all("://" not in uri for split in SPLITS for uri in listed(getattr(experiment.data, split)))


def _staged(given: str | list[str] | None, root: str) -> list[str] | None:
    if given is None:
        return None
    uris = []
    for uri in listed(given):
        uris += [uri] if "://" in uri else [_upload(Path(file.uri), root) for file in expand(uri)]
    return uris


def _staged_metric(spec: str, root: str) -> str:
    path, _, name = spec.rpartition(":")
    return spec if "://" in spec else f"{_upload(Path(path), root)}:{name}"


def _upload(path: Path, root: str) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
        file.seek(0)
        folder = f"{root}/{digest}"
        staged = f"{folder}/{path.name}"
        # Written again, it would be another object to whoever asks whether the data have changed.
        if path.name in {one.rpartition("/")[2] for one in storage.list_files(folder)}:
            return staged
        with storage.open_writer(staged) as target:
            shutil.copyfileobj(file, target, 2**20)
    return staged
