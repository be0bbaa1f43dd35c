"""One model's predictions on the test split, and their scores."""

from gemini_sft import storage
from gemini_sft.data import read_split
from gemini_sft.data.dataset import read_fingerprint
from gemini_sft.experiment import load_experiment
from gemini_sft.inference import Request, predict
from gemini_sft.inference.evaluation import evaluate
from gemini_sft.inference.fingerprint import check_prompt
from gemini_sft.metrics import metrics_for


def evaluate_model(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    model: str,
    test_uri: str,
    predictions_uri: str,
    evaluation_uri: str,
) -> dict[str, float]:
    """Asks `model` (the experiment's base model if empty) for every test example and scores the answers.

    Raises:
        EvaluationError: The model was tuned with another prompt; or more examples are without an answer than the
            experiment allows, and then the predictions are written all the same.
        ServiceError: The endpoint of a tuned model could not be read.
    """
    experiment = load_experiment(experiment_uri)
    metrics = metrics_for(experiment, test_uri)
    check_prompt(model, read_fingerprint(test_uri))
    examples = read_split(test_uri)
    request = Request(project, location, model or experiment.base_model, experiment.base_model, experiment.evaluation)
    predictions = predict(request, examples)
    storage.write_jsonl(predictions_uri, (one.model_dump(mode="json") for one in predictions))
    result = evaluate(
        metrics,
        request.model,
        examples,
        predictions,
        max_failure_rate=experiment.evaluation.max_failure_rate,
    )
    storage.write_json(evaluation_uri, result.model_dump(mode="json"))
    return result.numbers()
