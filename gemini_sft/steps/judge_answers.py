"""What a judge makes of the answers of base and tuned model."""

import logging

from gemini_sft import storage
from gemini_sft.data import read_split
from gemini_sft.data.dataset import read_fingerprint
from gemini_sft.experiment import load_experiment
from gemini_sft.inference import Journal, Service, read_predictions
from gemini_sft.judging import judge
from gemini_sft.steps.places import ANSWERS, beside

_log = logging.getLogger(__name__)


def judge_answers(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    test_uri: str,
    base_predictions_uri: str,
    candidate_predictions_uri: str,
    judgement_uri: str,
) -> dict[str, float]:
    """Has the experiment's judge compare what two models answered, and writes what it said.

    Without a judge nothing is asked and nothing written. A second attempt asks only for what the first had no verdict
    on.

    Raises:
        ServiceError: A verdict could not be kept.
    """
    experiment = load_experiment(experiment_uri)
    model = experiment.evaluation.judge.model
    if not model:
        _log.info("evaluation.judge.model is not set: nothing to do")
        return {}
    service = Service(project, location, model, read_fingerprint(test_uri))
    journal = Journal(beside(experiment_uri, f"{ANSWERS}/verdicts-of-{model}"))
    judgement = judge(
        service,
        experiment,
        read_split(test_uri),
        read_predictions(base_predictions_uri),
        read_predictions(candidate_predictions_uri),
        journal,
    )
    storage.write_json(judgement_uri, judgement.model_dump(mode="json"))
    journal.clear()
    return judgement.summary()
