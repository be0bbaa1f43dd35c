"""One model's predictions on the test split, and their scores."""

import logging

from gemini_sft import storage
from gemini_sft.data import Example, read_split
from gemini_sft.data.dataset import read_fingerprint
from gemini_sft.errors import RunError, UserError
from gemini_sft.experiment import Experiment
from gemini_sft.inference import Answers, Service
from gemini_sft.inference.evaluation import EvaluationResult, evaluate
from gemini_sft.inference.few_shot import draw_shots, with_shots
from gemini_sft.inference.fingerprint import check_prompt
from gemini_sft.metrics import metrics_for
from gemini_sft.steps.absent import write_absent
from gemini_sft.steps.asking import ask
from gemini_sft.steps.find_models import read_models

_log = logging.getLogger(__name__)


def evaluate_model(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    models_uri: str,
    model: str,
    few_shot: bool,
    train_uri: str,
    test_uri: str,
    predictions_uri: str,
    evaluation_uri: str,
    traffic_uri: str,
) -> dict[str, float]:
    """Asks `model` (the base model of `find_models` if empty) for every test example and scores the answers.

    A second attempt asks only for what the first had no answer to. With `few_shot`, examples from train stand in the
    prompt, as many as the experiment says; if it says none, nothing is asked and nothing written. That arm has no say
    in the verdict: if it cannot be had, why is written in its place.

    Raises:
        EvaluationError: The model was tuned with another prompt; or more examples are without an answer than the
            experiment allows, and then the predictions are written all the same.
        DataError: Train has too few examples that can stand in the prompt.
        ServiceError: The endpoint of a tuned model could not be read, or an answer could not be kept.
    """
    experiment, base = read_models(experiment_uri, models_uri)
    settings = experiment.evaluation
    if few_shot and not settings.few_shot:
        _log.info("evaluation.few_shot is not set: nothing to do")
        return {}
    service = Service(project, location, model or base.asked, read_fingerprint(test_uri))
    examples = read_split(test_uri)
    try:
        asked = _with_shots(experiment, examples, train_uri, test_uri) if few_shot else examples
        check_prompt(model, service.fingerprint)
        answers = ask(service, base.id, asked, settings, experiment_uri=experiment_uri, run_id=run_id, variant=few_shot)
        # With examples in it, the prompt is not the one that the fingerprint stands for.
        prompt = "" if few_shot else service.fingerprint
        result = _score(experiment, service, examples, answers, test_uri, (predictions_uri, traffic_uri), prompt)
    except (RunError, UserError) as error:
        if not few_shot:
            raise
        write_absent(evaluation_uri, f"the evaluation of {service.model} with examples in its prompt", error)
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
        max_failure_rate=experiment.evaluation.max_failure_rate,
        prompt=prompt,
    )


def _with_shots(experiment: Experiment, examples: list[Example], train_uri: str, test_uri: str) -> list[Example]:
    shots = draw_shots(train_uri, test_uri, experiment.evaluation.few_shot, experiment.data.seed)
    return [with_shots(example, shots) for example in examples]


def _pace(summary: dict[str, float]) -> dict[str, float]:
    shown = ("requests", "refusals", "per_second", "latency_median", "latency_p95", "prompt_tokens", "output_tokens")
    return {name: summary[name] for name in shown if name in summary}
