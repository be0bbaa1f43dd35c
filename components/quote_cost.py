"""Component: what the run will cost, before anything is spent."""

from kfp import dsl

from components.image import component


@component
def quote_cost(
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    purpose: str,
    models: dsl.Input[dsl.Artifact],
    train: dsl.Input[dsl.Dataset],
    validation: dsl.Input[dsl.Dataset],
    test: dsl.Input[dsl.Dataset],
    quote: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Counts tokens, reckons the cost, and stops the run if it is more than the experiment allows.

    Of a run that tunes only if there is reason to, it stops nothing, and writes into the quote what is not allowed.

    Args:
        project: Google Cloud project.
        location: Where the run is.
        experiment_uri: The experiment file, with the budget.
        run_id: Under which what it may spend is kept.
        purpose: What the run is there for: run, retrain or recheck, which asks the champion and nobody else.
        models: The base model and the champion, as `find_models` wrote them.
        train: Examples to tune on.
        validation: Examples that checkpoints are asked, if the experiment wants that.
        test: Examples that the models are asked.
        quote: JSON with each line of the quote, its sum, its error and what it rests on.
        metrics: Amounts in US dollars, tokens of the training data, tuning jobs and their epochs.
    """
    from gemini_sft.steps.quote_cost import quote_cost

    result = quote_cost(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        purpose=purpose,
        models_uri=models.uri,
        train_uri=train.uri,
        validation_uri=validation.uri,
        test_uri=test.uri,
        quote_uri=quote.uri,
    )
    metrics.metadata.update(result.summary())
