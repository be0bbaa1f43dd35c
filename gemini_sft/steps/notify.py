"""Telling somebody how the run ended."""

import logging
from typing import TypeVar

from pydantic import BaseModel

from gemini_sft import storage
from gemini_sft.decision.outcome import Outcome, outcome_uri
from gemini_sft.errors import GeminiSftError
from gemini_sft.experiment import load_experiment
from gemini_sft.notification import Told, message, post, read_secret, title
from gemini_sft.retraining.plan import Plan
from gemini_sft.retraining.recheck import Recheck
from gemini_sft.steps.places import OUTCOMES, PLANS, RECHECKS, beside
from gemini_sft.vertex import console_link

Kept = TypeVar("Kept", bound=BaseModel)

_log = logging.getLogger(__name__)


def notify(*, project: str, location: str, experiment_uri: str, run_id: str, state: str, error: str) -> None:
    """Posts to the experiment's webhook how a run ended; without one, the log says it.

    Nothing is raised: a run does not fail because nobody could be told of it.

    Args:
        project: Google Cloud project.
        location: Region of the run.
        experiment_uri: The experiment file.
        run_id: The run that has ended.
        state: How it did: `SUCCEEDED`, `FAILED` or `CANCELLED`.
        error: What Vertex AI says of its failure; empty if there was none.
    """
    try:
        experiment = load_experiment(experiment_uri, allow_retired=True)
        told = _told(experiment_uri, run_id)
        _log.info("%s", title(experiment.name, state, told))
        for alarm in told.alarms:
            _log.warning("%s", alarm)
        if place := experiment.notification.webhook:
            link = console_link(project, location, run_id)
            document = message(experiment, run_id, link, state, error, told)
            # Read last of all, and kept nowhere.
            post(read_secret(place), document)
            _log.info("told the webhook kept at %s how the run ended", place)
        elif told.plan or told.recheck:
            for reason in [*(told.plan.reasons if told.plan else []), *(told.recheck.reasons if told.recheck else [])]:
                _log.info("%s", reason)
    except Exception as failure:
        # Whose text is not ours may hold the address.
        why = str(failure) if isinstance(failure, GeminiSftError) else type(failure).__name__
        _log.warning("nobody was told how the run ended: %s", why)


def _told(experiment_uri: str, run_id: str) -> Told:
    """Returns what the run found out."""
    return Told(
        outcome=_read(outcome_uri(beside(experiment_uri, OUTCOMES), run_id), Outcome),
        plan=_read(beside(experiment_uri, f"{PLANS}/{run_id}.json"), Plan),
        recheck=_read(beside(experiment_uri, f"{RECHECKS}/{run_id}.json"), Recheck),
    )


def _read(uri: str, what: type[Kept]) -> Kept | None:
    """Returns what a run has kept; None if it did not come so far, or if that cannot be read."""
    try:
        return what.model_validate(storage.read_json(uri))
    except (GeminiSftError, ValueError):
        return None
