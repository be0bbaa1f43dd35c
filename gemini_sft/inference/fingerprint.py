"""Whether a tuned model is asked with the prompt that it was tuned with.

A prompt's fingerprint covers whatever stands around the user's text. The data carry it, and the tuning job puts it on
model and endpoint as the label `prompt`.
"""

import logging

from gemini_sft import vertex
from gemini_sft.errors import EvaluationError
from gemini_sft.inference.call import COLD_SECONDS

LABEL = "prompt"

_log = logging.getLogger(__name__)


def check_prompt(model: str, fingerprint: str, *, new: bool = True) -> None:
    """Checks that a tuned model was tuned with the prompt that it is about to be asked with.

    Args:
        model: Resource name of its endpoint; whatever else it is (a base model) was tuned with no prompt of ours.
        fingerprint: Of the prompt in the test split: 16 hexadecimal digits.
        new: Whether it was just tuned: its endpoint is waited for, where that of an older one is gone.

    Raises:
        EvaluationError: It was tuned with another prompt.
        ServiceError: The endpoint could not be read.
    """
    if not vertex.is_endpoint(model):
        return
    patience = COLD_SECONDS if new else 0.0
    labels = vertex.get(model, vertex.location_of(model, ""), patience_seconds=patience).get("labels", {})
    tuned = labels.get(LABEL)
    if tuned is None:
        _log.info("%s has no label %s: nobody knows the prompt that it was tuned with", model, LABEL)
    elif tuned != fingerprint:
        raise EvaluationError(
            f"{model} was tuned with another prompt ({LABEL} {tuned}) than the test split has ({fingerprint}): system"
            " instruction, template or few-shot examples differ, and a tuned model answers worse to a prompt that it"
            " does not know. Give the experiment the prompt that the model was tuned with, or tune a new model."
        )
