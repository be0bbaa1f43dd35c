"""Whether a tuned model is asked with the prompt that it was tuned with.

A prompt's fingerprint covers whatever stands around the user's text. The data carry it, and the tuning job puts it on
model and endpoint as the label `prompt`.
"""

import logging
from collections.abc import Sequence

from gemini_sft import vertex
from gemini_sft.data import Example
from gemini_sft.data.prompting import VARIES, mark
from gemini_sft.errors import EvaluationError, UserError
from gemini_sft.inference.call import COLD_SECONDS

_OWN = " If the records that it was tuned on bring a system instruction of their own, ask with a file of such records."
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
        raise _mismatch(model, tuned, "the test split has", fingerprint)


def check_sent(model: str, examples: Sequence[Example], template: str) -> None:
    """Checks that a tuned model is there, and was tuned with what stands around each prompt that it is about to get.

    Args:
        model: Resource name of its endpoint.
        examples: With the system instruction that they are sent with.
        template: Of the user's turn; see `Reading.usual_template`.

    Raises:
        UserError: There is no such endpoint.
        EvaluationError: The model was tuned with another prompt.
        ServiceError: The endpoint could not be read.
    """
    endpoint = vertex.find(model, vertex.location_of(model, ""))
    if endpoint is None:
        raise UserError(f"{model} is not there: it was deleted, or is elsewhere (give --on, --project or --data-dir)")
    tuned = endpoint.get("labels", {}).get(LABEL)
    if tuned is None:
        _log.info("%s has no label %s: nobody knows the prompt that it was tuned with", model, LABEL)
    elif tuned != mark(VARIES, template):
        for told in sorted({example.system_instruction or "" for example in examples}):
            if (sent := mark(told, template)) != tuned:
                raise _mismatch(model, tuned, "is about to be sent", sent, _OWN)


def _mismatch(model: str, tuned: str, what: str, fingerprint: str, hint: str = "") -> EvaluationError:
    return EvaluationError(
        f"{model} was tuned with another prompt ({LABEL} {tuned}) than {what} ({fingerprint}): system instruction,"
        " template or few-shot examples differ, and a tuned model answers worse to a prompt that it does not know. Give"
        f" the experiment the prompt that the model was tuned with, or tune a new model.{hint}"
    )
