"""Component: whether a scheduled run tunes, asks the champion again, or does nothing."""

from kfp import dsl

from components.image import component


@component
def plan_retraining(
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    models: dsl.Input[dsl.Artifact],
    train: dsl.Input[dsl.Dataset],
    test: dsl.Input[dsl.Dataset],
    quote: dsl.Input[dsl.Artifact],
    plan: dsl.Output[dsl.Artifact],
    summary: dsl.Output[dsl.Markdown],
) -> str:
    """Holds today's data, models and budget against what the champion was tuned on.

    Args:
        project: Google Cloud project.
        location: Region of the champion.
        experiment_uri: The experiment file, with `retraining` and `budget`.
        run_id: Under which the plan is kept.
        models: The base model and the champion, as `find_models` wrote them.
        train: Today's training examples.
        test: Today's test examples.
        quote: What tuning would cost, as `quote_cost` wrote it.
        plan: JSON with the path, its reasons, the alarms, the number of new examples and the champion.
        summary: The same in words.

    Returns:
        `tune`, `recheck` or `skip`.
    """
    from gemini_sft import storage
    from gemini_sft.steps.plan_retraining import plan_retraining

    found = plan_retraining(
        project=project,
        location=location,
        experiment_uri=experiment_uri,
        run_id=run_id,
        models_uri=models.uri,
        train_uri=train.uri,
        test_uri=test.uri,
        quote_uri=quote.uri,
        plan_uri=plan.uri,
    )
    storage.write_text(summary.uri, found.markdown(), "text/markdown; charset=utf-8")
    return str(found.path.value)
