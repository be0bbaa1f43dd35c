"""Asking a model for every example of a split, keeping its answers for another attempt."""

import hashlib
from collections.abc import Sequence

from gemini_sft.data import Example
from gemini_sft.experiment import Evaluation
from gemini_sft.inference import Answers, Journal, Service, predict, render
from gemini_sft.inference.evaluation import most_failures
from gemini_sft.steps.places import ANSWERS, PROGRESS, beside


def ask(
    service: Service,
    base_model: str,
    examples: Sequence[Example],
    settings: Evaluation,
    *,
    experiment_uri: str,
    run_id: str,
    variant: object = False,
) -> Answers:
    """Returns the answers of a model; see `inference.predict`.

    Args:
        service: Whom to ask.
        base_model: The Gemini model at its root, which tells what settings it takes.
        examples: What to ask.
        settings: How.
        experiment_uri: Beside which answers and progress are kept.
        run_id: Of the run.
        variant: What else but the model makes it another set of answers.
    """
    # Any model's own name is too long for a folder, or has slashes in it.
    name = hashlib.sha256(f"{service.model} {variant}".encode()).hexdigest()[:16]
    return predict(
        service,
        [render(example, base_model, settings) for example in examples],
        settings,
        Journal(beside(experiment_uri, f"{ANSWERS}/{name}"), run_id),
        max_errors=most_failures(len(examples), settings.max_failure_rate),
        progress_uri=beside(experiment_uri, f"{PROGRESS}/{run_id}/{name}.json"),
    )
