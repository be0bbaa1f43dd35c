"""How the champion scored when it was promoted, against which it is held later."""

import hashlib
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from gemini_sft import storage
from gemini_sft.errors import UserError
from gemini_sft.experiment import Evaluation
from gemini_sft.inference.evaluation import EvaluationResult

_SCORING = {"tokenizer", "metrics", "lower_is_better", "temperature", "max_output_tokens"}


class Reference(BaseModel):
    """An evaluation of the champion.

    Attributes:
        run_id: The run that has made it.
        promoted: Whether that run promoted it, as a tuned model; else it found it in use with nothing kept.
        evaluation: What it scored.
        groups: What examples belong to, by their ids; those that are missing stand for themselves.
        scoring: What it was asked and scored with, see `scoring_of`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str
    promoted: bool
    evaluation: EvaluationResult
    groups: dict[str, str]
    scoring: dict[str, Any]


def scoring_of(settings: Evaluation) -> dict[str, Any]:
    """Returns the settings without which two evaluations of a model cannot be compared, as JSON can hold them.

    Metrics of the user's own stand in it by their places, which on Vertex AI are named by their contents.
    """
    return settings.model_dump(mode="json", include=_SCORING)


def reference_uri(folder: str, model: str, checkpoint: str | None) -> str:
    """Returns where the reference of a model is kept, in the folder for those of its experiment.

    Args:
        folder: For all champions of the experiment.
        model: Resource name with its version.
        checkpoint: The one that answers; None or empty if the model has but one.
    """
    name = hashlib.sha256(f"{model}\n{checkpoint or ''}".encode()).hexdigest()[:16]
    return f"{folder}/{name}.json"


def read_reference(uri: str) -> Reference | None:
    """Returns what is kept; None if there is nothing, or it is of another version.

    Raises:
        ServiceError: Cloud Storage did not say.
    """
    try:
        return Reference.model_validate(storage.read_json(uri))
    except (UserError, ValidationError, orjson.JSONDecodeError):
        return None
