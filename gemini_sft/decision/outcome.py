"""How a run came out, in the few values that outlive it: for whoever is told, and for later runs."""

import logging
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, ValidationError

from gemini_sft import storage
from gemini_sft.experiment import Gate

_log = logging.getLogger(__name__)


class Outcome(BaseModel):
    """What is kept of a run that came to a verdict.

    Attributes:
        run_id: Of the run.
        experiment: Its experiment's name.
        verdict: `promote`, `reject` or `inconclusive`.
        reasons: Why, in words.
        metric: The one that decided.
        base: What the base model scored in it.
        champion: What the champion scored; None if there is none, or it could not be evaluated.
        candidate: What the tuned model scored.
        gain: How much better the tuned model is than what is in use: the champion, or else the base model.
        low: Lower end of the gain's interval; None if it could not be computed, as are the others then.
        high: Upper end.
        confidence: Of that interval.
        model: Resource name of the tuned model, with its version.
        checkpoint: Its checkpoint; empty if it has but one.
        endpoint: Where that answers.
        against: What was in use: the champion's model with its checkpoint, or the base model.
        data: What the model was tuned on, as its label `data` has it.
        intent: Which tuning job it was, as its label has it.
        test: Which test examples were asked: a hash of their contents.
        gate: What the gate asked for.
        report: URI of the report.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_id: str
    experiment: str
    verdict: str
    reasons: list[str]
    metric: str
    base: float | None
    champion: float | None
    candidate: float | None
    gain: float | None
    low: float | None
    high: float | None
    confidence: float
    model: str
    checkpoint: str
    endpoint: str
    against: str
    data: str
    intent: str
    test: str
    gate: Gate
    report: str


def outcome_uri(folder: str, run_id: str) -> str:
    """Returns where a run's outcome is kept, in the folder for those of its experiment."""
    return f"{folder}/{run_id}.json"


def read_outcomes(folder: str) -> Iterator[Outcome]:
    """Yields the outcomes of all runs of an experiment, sorted by run; none if there is no such folder."""
    for uri in sorted(storage.list_files(folder)):
        if uri.endswith(".json"):
            try:
                yield Outcome.model_validate(storage.read_json(uri))
            except ValidationError:
                _log.warning("%s is of another version and passed over", uri)
