"""Component: what one arm answers on the test split, scored."""

from kfp import dsl

from components.image import component


@component
def evaluate_model(
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    arm: str,
    models: dsl.Input[dsl.Artifact],
    train: dsl.Input[dsl.Dataset],
    test: dsl.Input[dsl.Dataset],
    predictions: dsl.Output[dsl.Artifact],
    evaluation: dsl.Output[dsl.Artifact],
    traffic: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    confusion: dsl.Output[dsl.ClassificationMetrics],
    endpoint: str = "",
) -> None:
    """Asks a model for every test example and scores its answers.

    Args:
        project: Google Cloud project.
        location: Where base models are asked; a tuned model is asked where its endpoint is.
        experiment_uri: The experiment file.
        run_id: Under which answers are kept until the run has ended.
        arm: Who is asked: base, few_shot (the base model with examples from train in its prompt, as many as
            `evaluation.few_shot` says), champion, candidate, or recheck, which is the champion asked for its own sake.
            Without examples or champion nothing is done.
        models: The base model and the champion, as `find_models` wrote them.
        train: Where few-shot examples are drawn from.
        test: The examples to be asked.
        predictions: JSONL with one prediction for each example, in the examples' order.
        evaluation: JSON with outcomes, means, each example's scores, and the metrics of the split as a whole.
        traffic: JSON with requests, refusals, latency and tokens.
        metrics: Number of examples, failures, the mean of each metric, and those of the split as a whole.
        confusion: Of a classification, which label (row) was answered with which (column); else without content.
        endpoint: Resource name of the candidate's endpoint; empty for the others.
    """
    from gemini_sft.inference.evaluation import read_confusion
    from gemini_sft.steps.evaluate_model import evaluate_model

    numbers = evaluate_model(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        models_uri=models.uri,
        arm=arm,
        endpoint=endpoint,
        train_uri=train.uri,
        test_uri=test.uri,
        predictions_uri=predictions.uri,
        evaluation_uri=evaluation.uri,
        traffic_uri=traffic.uri,
    )
    metrics.metadata.update(numbers)
    found = read_confusion(evaluation.uri) if numbers else None
    if found:
        confusion.log_confusion_matrix(found.labels, found.counts)
