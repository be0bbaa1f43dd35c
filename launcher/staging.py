"""Putting an experiment and its data where the pipeline can read them."""

import hashlib
from pathlib import Path

from gemini_sft import storage
from gemini_sft.data import read_examples
from gemini_sft.errors import DataError, Problem, UserError
from gemini_sft.experiment import Experiment
from launcher.submission import api_errors
from launcher.target import Target


def resolve_data(experiment: Experiment, experiment_file: str) -> Experiment:
    """Returns the experiment with its local data files as absolute paths; they stand relative to its own file."""
    folder = Path(experiment_file).resolve().parent
    paths = {
        split: uri if uri is None or "://" in uri else str((folder / uri).resolve())
        for split, uri in experiment.data.model_dump().items()
    }
    return experiment.model_copy(update={"data": experiment.data.model_copy(update=paths)})


def check_data(experiment: Experiment) -> None:
    """Reads every local data file, so that a mistake shows before anything is started.

    Raises:
        DataError: With the problems of all files.
    """
    problems: list[Problem] = []
    for split, uri in experiment.data.model_dump().items():
        if uri is None or "://" in uri:
            continue
        try:
            read_examples(uri, None, name=_shown(uri))
        except DataError as error:
            problems += error.problems
        except UserError as error:
            _, _, what = str(error).partition(": ")
            problems.append(Problem(_shown(uri), f"{what} (data.{split}, relative to the experiment file)"))
    if problems:
        raise DataError(problems)


def stage(experiment: Experiment, target: Target) -> str:
    """Copies local data files and the experiment to the bucket, which is made if it is missing.

    Objects are named by their content: the same data is stored once, and a run's inputs never change afterwards.

    Returns:
        URI of the experiment, in which all data are `gs://` URIs.

    Raises:
        UserError: The bucket belongs to somebody else.
        ServiceError: Cloud Storage did not take them.
    """
    _ensure_bucket(target)
    root = f"gs://{target.bucket}/staging/{experiment.name}"
    uris = {split: _upload(uri, root) if uri else None for split, uri in experiment.data.model_dump().items()}
    staged = experiment.model_copy(update={"data": experiment.data.model_copy(update=uris)})
    content = staged.model_dump_json(indent=2).encode()
    uri = f"{root}/{_digest(content)}/experiment.yaml"  # JSON is YAML
    storage.write_bytes(uri, content, "application/json")
    return uri


def _upload(uri: str, root: str) -> str:
    if "://" in uri:
        return uri
    content = storage.read_bytes(uri)
    staged = f"{root}/{_digest(content)}/{Path(uri).name}"
    storage.write_bytes(staged, content)
    return staged


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _shown(path: str) -> str:
    """Returns a path as the user would type it."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def _ensure_bucket(target: Target) -> None:
    """Makes the bucket if the project has none of that name; one of that name elsewhere is not to be trusted."""
    from google.api_core.exceptions import Conflict
    from google.cloud.storage import Client

    with api_errors(f"list or make the bucket gs://{target.bucket}"):
        client = Client(project=target.project)
        if any(bucket.name == target.bucket for bucket in client.list_buckets(prefix=target.bucket)):
            return
        try:
            client.create_bucket(target.bucket, location=target.location)
        except Conflict as error:
            raise UserError(
                f"the bucket gs://{target.bucket} is not this project's: give another with --bucket ({error.message})"
            ) from error
