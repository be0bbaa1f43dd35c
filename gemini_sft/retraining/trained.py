"""What a tuned model was made of: kept when it is tuned, for whoever asks later whether it would be the same again."""

import gzip
import zlib
from collections.abc import Iterable
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from gemini_sft import registry, storage
from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import CHAMPION
from gemini_sft.tuning import Base

DATA_DIGITS = 32
"""How much of the digest of the training data stands in the label `data`."""
_CHECKPOINT = " checkpoint "
_KEYS = {
    "epochs",
    "adapter_size",
    "learning_rate_multiplier",
    "attempt",
    "from_checkpoint",
    "kms_key",
    "evaluation",
}
"""Of `tuning`: what makes another job, as `TuningRequest.intent` has it."""


class Trained(BaseModel):
    """What a tuning job was made of.

    Attributes:
        data: The first 32 hexadecimal digits of the digest of the training data, as the label `data` has them.
        start: What was tuned: a Gemini model, or a tuned one with its version and checkpoint.
        settings: What the experiment asked for, key by key, as `settings_of` returns it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str
    start: str
    settings: dict[str, Any]


def settings_of(experiment: Experiment, base: Base, prompt: str) -> dict[str, Any]:
    """Returns what decides, beside the data, which model comes out, as JSON can hold it, by the names of the keys.

    Args:
        experiment: As its file has it: `base_model: champion` stays the same when another model becomes champion.
        base: What its base model stands for now.
        prompt: The fingerprint of the prompt.
    """
    wanted: dict[str, Any] = {
        "base_model": CHAMPION if experiment.base_model == CHAMPION else start_of(base),
        "prompt": prompt,
    }
    if experiment.sweep:
        trials = experiment.sweep.settings(experiment.tuning)
        return wanted | {"sweep": {name: one.model_dump(mode="json", include=_KEYS) for name, one in trials.items()}}
    settings = experiment.tuning.model_dump(mode="json", include=_KEYS)
    return wanted | {f"tuning.{key}": value for key, value in settings.items()}


def start_of(base: Base) -> str:
    """Returns what is tuned, in one text."""
    name = base.model or base.id
    return f"{name}{_CHECKPOINT}{base.checkpoint}" if base.checkpoint else name


def keep(folder: str, intent: str, trained: Trained, ids: Iterable[str]) -> None:
    """Keeps what a job was made of, in a folder; doing it again changes nothing.

    Args:
        folder: For all runs of the experiment.
        intent: Of the job, as its label has it.
        trained: What it was made of.
        ids: Of the training examples.
    """
    lines = "".join(f"{one}\n" for one in sorted(ids))
    # Without the time, the same ids give the same file.
    storage.write_bytes(_ids_uri(folder, trained.data), gzip.compress(lines.encode(), mtime=0), "application/gzip")
    storage.write_json(_uri(folder, intent), trained.model_dump(mode="json"))


def find(folder: str, intent: str) -> Trained | None:
    """Returns what the job of an intent was made of; None if that is not known.

    Raises:
        ServiceError: Cloud Storage did not say.
    """
    try:
        return Trained.model_validate(storage.read_json(_uri(folder, intent)))
    except (UserError, ValidationError, orjson.JSONDecodeError):
        return None


def find_ids(folder: str, data: str) -> frozenset[str] | None:
    """Returns the ids of the training examples of a label `data`; None if they are not known.

    Raises:
        ServiceError: Cloud Storage did not say.
    """
    try:
        return frozenset(gzip.decompress(storage.read_bytes(_ids_uri(folder, data))).decode().split())
    except (UserError, OSError, EOFError, ValueError, zlib.error):
        return None


def lineage(folder: str, model: str) -> list[str]:
    """Returns the labels `data` of all that a model was tuned on, and the models it was tuned from, as far as is known.

    Args:
        folder: See `keep`.
        model: Its resource name with its version.

    Raises:
        ServiceError: Vertex AI or Cloud Storage did not say.
    """
    found: list[str] = []
    models = {model}
    while version := registry.find_version(model):
        intent = version.labels.get("intent")
        trained = find(folder, intent) if intent else None
        if trained is None:
            break
        found.append(trained.data)
        model = trained.start.partition(_CHECKPOINT)[0]
        if "/" not in model or model in models:
            break
        models.add(model)
    return found


def contents(ids: Iterable[str]) -> set[str]:
    """Returns ids without the numbers that tell repetitions apart: a content that is there again is the same."""
    return {one.partition("-")[0] for one in ids}


def _uri(folder: str, intent: str) -> str:
    return f"{folder}/{intent}.json"


def _ids_uri(folder: str, data: str) -> str:
    return f"{folder}/{data}.ids.gz"
