"""What a judge makes of the answers of base and tuned model."""

import logging

from gemini_sft import storage
from gemini_sft.data import read_split
from gemini_sft.data.dataset import read_fingerprint
from gemini_sft.errors import RunError, UserError
from gemini_sft.experiment import load_experiment
from gemini_sft.inference import Journal, Service, read_predictions
from gemini_sft.judging import judge
from gemini_sft.steps.absent import write_absent
from gemini_sft.steps.places import ANSWERS, PROGRESS, beside

_log = logging.getLogger(__name__)


def judge_answers(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    test_uri: str,
    base_predictions_uri: str,
    candidate_predictions_uri: str,
    judgement_uri: str,
) -> dict[str, float]:
    """Has the experiment's judge compare what two models answered, and writes what it said.

    Without a judge nothing is asked and nothing written. A second attempt asks only for what the first had no verdict
    on. A judge has no say in the verdict: if it cannot be had, why is written in its place.
    """
    experiment = load_experiment(experiment_uri)
    model = experiment.evaluation.judge.model
    if not model:
        _log.info("evaluation.judge.model is not set: nothing to do")
        return {}
    service = Service(project, location, model, read_fingerprint(test_uri))
    name = f"verdicts-of-{model}"
    try:
        judgement = judge(
            service,
            experiment,
            read_split(test_uri),
            read_predictions(base_predictions_uri),
            read_predictions(candidate_predictions_uri),
            Journal(beside(experiment_uri, f"{ANSWERS}/{name}"), run_id),
            progress_uri=beside(experiment_uri, f"{PROGRESS}/{run_id}/{name}.json"),
        )
    except (RunError, UserError) as error:
        write_absent(judgement_uri, f"the judgement of {model}", error)
        return {}
    storage.write_json(judgement_uri, judgement.model_dump(mode="json"))
    return judgement.summary()
