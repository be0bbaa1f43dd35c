"""The predictions of one arm on the test split, and their scores."""

import logging
from enum import StrEnum

from gemini_sft import storage
from gemini_sft.data import Example, read_split
from gemini_sft.data.dataset import read_fingerprint
from gemini_sft.errors import RunError, UserError
from gemini_sft.experiment import Experiment
from gemini_sft.inference import Answers, Outcome, Service
from gemini_sft.inference.evaluation import EvaluationResult, evaluate, most_failures
from gemini_sft.inference.few_shot import draw_shots, with_shots
from gemini_sft.inference.fingerprint import check_prompt
from gemini_sft.metrics import metrics_for
from gemini_sft.steps.absent import write_absent
from gemini_sft.steps.asking import ask
from gemini_sft.steps.find_models import asks_champion, read_champion, read_models, silent

_log = logging.getLogger(__name__)


class Arm(StrEnum):
    """Who is asked, of those whose answers are compared.

    Attributes:
        BASE: The base model.
        FEW_SHOT: The base model with examples from train in its prompt.
        CHAMPION: The model that the experiment has promoted.
        CANDIDATE: The model that was just tuned.
        RECHECK: The champion alone, also if it is the base model too, and however many of its answers cannot be scored.
    """

    BASE = "base"
    FEW_SHOT = "few_shot"
    CHAMPION = "champion"
    CANDIDATE = "candidate"
    RECHECK = "recheck"


_OF_CHAMPION = (Arm.CHAMPION, Arm.RECHECK)


def evaluate_model(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    models_uri: str,
    arm: str,
    endpoint: str,
    train_uri: str,
    test_uri: str,
    predictions_uri: str,
    evaluation_uri: str,
    traffic_uri: str,
) -> dict[str, float]:
    """Asks the model of an `Arm` for every test example and scores the answers; `endpoint` is the candidate's.

    A second attempt asks only for what the first had no answer to. Examples stand in the prompt of `few_shot`, as many
    as the experiment says; if it says none, or if there is no champion beside the base model, nothing is asked and
    nothing written. Nor does a champion, by itself or beside others, end a run: if such an arm cannot be had, why is
    written in its place.

    Raises:
        EvaluationError: The model was tuned with another prompt; or more examples are without an answer than the
            experiment allows, and then the predictions are written all the same.
        ServiceError: The endpoint of a tuned model could not be read, or an answer could not be kept.
        ValueError: There is no such arm, or no endpoint of the candidate.
    """
    arm = Arm(arm)
    if (arm is Arm.CANDIDATE) != bool(endpoint):
        raise ValueError(f"an endpoint is given for the candidate and for no other arm; {arm} has {endpoint!r}")
    experiment, base = read_models(experiment_uri, models_uri)
    champion = read_champion(models_uri)
    if arm is Arm.FEW_SHOT and not experiment.evaluation.few_shot:
        _log.info("evaluation.few_shot is not set: nothing to do")
        return {}
    if (arm is Arm.CHAMPION and not asks_champion(base, champion)) or (arm is Arm.RECHECK and champion is None):
        _log.info("there is no champion to be asked: nothing to do")
        return {}
    asked = champion if arm in _OF_CHAMPION and champion else base
    service = Service(project, location, endpoint or asked.asked, read_fingerprint(test_uri))
    examples = read_split(test_uri)
    try:
        if arm in _OF_CHAMPION and (why := silent(asked)):
            raise UserError(why)
        # A base model that is itself a tuned one too: with another prompt it would be easy to beat.
        if arm in (*_OF_CHAMPION, Arm.CANDIDATE) or (arm is Arm.BASE and base.model):
            check_prompt(service.model, service.fingerprint, new=arm is Arm.CANDIDATE)
        answers = ask(
            service,
            asked.id,
            _with_shots(experiment, examples, train_uri, test_uri) if arm is Arm.FEW_SHOT else examples,
            experiment.evaluation,
            experiment_uri=experiment_uri,
            run_id=run_id,
            # A recheck is about today: answers that another run has kept tell nothing.
            variant=run_id if arm is Arm.RECHECK else arm is Arm.FEW_SHOT,
        )
        most = experiment.evaluation.max_failure_rate
        errors = sum(one.outcome is Outcome.ERROR for one in answers.predictions)
        if arm is Arm.RECHECK and errors <= most_failures(len(examples), most):
            # The service did its part. How many answers may be worth nothing, the recheck says.
            most = 1.0
        # With examples in it, the prompt is not the one that the fingerprint stands for.
        prompt = "" if arm is Arm.FEW_SHOT else service.fingerprint
        result = _score(experiment, service, examples, answers, test_uri, (predictions_uri, traffic_uri), most, prompt)
    except (RunError, UserError) as error:
        if arm not in (Arm.FEW_SHOT, *_OF_CHAMPION):
            raise
        how = " with examples in its prompt" if arm is Arm.FEW_SHOT else ", the champion,"
        write_absent(evaluation_uri, f"the evaluation of {asked.model or service.model}{how}", error)
        return {}
    storage.write_json(evaluation_uri, result.model_dump(mode="json"))
    _log.info("%d of %d examples have an answer of %s", result.n - result.failures, result.n, service.model)
    return result.numbers() | _pace(answers.traffic.summary())


def _score(
    experiment: Experiment,
    service: Service,
    examples: list[Example],
    answers: Answers,
    test_uri: str,
    uris: tuple[str, str],
    max_failure_rate: float,
    prompt: str,
) -> EvaluationResult:
    """Writes predictions and traffic, and returns the scores."""
    predictions_uri, traffic_uri = uris
    storage.write_jsonl(predictions_uri, (one.model_dump(mode="json") for one in answers.predictions))
    storage.write_json(traffic_uri, answers.traffic.model_dump(mode="json"))
    return evaluate(
        metrics_for(experiment, test_uri),
        service.model,
        examples,
        answers.predictions,
        max_failure_rate=max_failure_rate,
        prompt=prompt,
    )


def _with_shots(experiment: Experiment, examples: list[Example], train_uri: str, test_uri: str) -> list[Example]:
    shots = draw_shots(train_uri, test_uri, experiment.evaluation.few_shot, experiment.data.seed)
    return [with_shots(example, shots) for example in examples]


def _pace(summary: dict[str, float]) -> dict[str, float]:
    shown = ("requests", "refusals", "per_second", "latency_median", "latency_p95", "prompt_tokens", "output_tokens")
    return {name: summary[name] for name in shown if name in summary}
