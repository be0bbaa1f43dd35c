"""Component: what one model answers on the test split, scored."""

from kfp import dsl

from components.image import component


@component
def evaluate_model(
    project: str,
    location: str,
    experiment_uri: str,
    test: dsl.Input[dsl.Dataset],
    predictions: dsl.Output[dsl.Artifact],
    evaluation: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    model: str = "",
) -> None:
    """Asks a model for every test example and scores its answers.

    Args:
        project: Google Cloud project.
        location: Where base models are asked; a tuned model is asked where its endpoint is.
        experiment_uri: The experiment file.
        test: The examples.
        predictions: JSONL with one prediction for each example, in the examples' order.
        evaluation: JSON with outcomes, means and each example's scores.
        metrics: Number of examples, failures, and the mean of each metric.
        model: Resource name of a tuned model's endpoint; empty for the experiment's base model.
    """
    from gemini_sft.steps.evaluate_model import evaluate_model

    metrics.metadata.update(
        evaluate_model(
            project=project,
            location=location,
            experiment_uri=experiment_uri,
            model=model,
            test_uri=test.uri,
            predictions_uri=predictions.uri,
            evaluation_uri=evaluation.uri,
        )
    )
