"""Telling somebody how the run ended."""

import logging

from gemini_sft import storage
from gemini_sft.decision.outcome import Outcome, outcome_uri
from gemini_sft.errors import GeminiSftError
from gemini_sft.experiment import load_experiment
from gemini_sft.notification import message, post, read_secret
from gemini_sft.steps.places import OUTCOMES, beside
from gemini_sft.vertex import console_link

_log = logging.getLogger(__name__)


def notify(*, project: str, location: str, experiment_uri: str, run_id: str, state: str, error: str) -> None:
    """Posts to the experiment's webhook how a run ended; without one, nothing is done.

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
        experiment = load_experiment(experiment_uri)
        if place := experiment.notification.webhook:
            link = console_link(project, location, run_id)
            told = message(experiment, run_id, link, state, error, _outcome(experiment_uri, run_id))
            # Read last of all, and kept nowhere.
            post(read_secret(place), told)
            _log.info("told the webhook kept at %s how the run ended", place)
    except Exception as failure:
        # Whose text is not ours may hold the address.
        why = str(failure) if isinstance(failure, GeminiSftError) else type(failure).__name__
        _log.warning("nobody was told how the run ended: %s", why)


def _outcome(experiment_uri: str, run_id: str) -> Outcome | None:
    """Returns what the run found out; None if it did not come so far, or if that cannot be read."""
    try:
        return Outcome.model_validate(storage.read_json(outcome_uri(beside(experiment_uri, OUTCOMES), run_id)))
    except (GeminiSftError, ValueError):
        return None
