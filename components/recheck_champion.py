"""Component: whether the model in use still scores what it did when it was promoted."""

from kfp import dsl

from components.image import component


@component
def recheck_champion(
    experiment_uri: str,
    run_id: str,
    models: dsl.Input[dsl.Artifact],
    test: dsl.Input[dsl.Dataset],
    champion_predictions: dsl.Input[dsl.Artifact],
    champion_evaluation: dsl.Input[dsl.Artifact],
    champion_traffic: dsl.Input[dsl.Artifact],
    recheck: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Holds today's evaluation of the champion against the one that it was promoted with.

    Args:
        experiment_uri: The experiment file, with `retraining.max_drop`.
        run_id: Under which the recheck is kept.
        models: The champion, as `find_models` wrote it.
        test: Today's test examples.
        champion_predictions: What it answers today.
        champion_evaluation: Its scores; nothing, or why there are none, if it could not be asked.
        champion_traffic: How the answers came about.
        recheck: JSON with the state (`held`, `fallen` or `unknown`), reasons, alarms, and both scores with the
            interval of their difference.
        report: The same as a page.
        metrics: Both scores, the change with its interval, and on how many examples.
    """
    from gemini_sft.steps.evidence import ArmUris
    from gemini_sft.steps.recheck_champion import recheck_champion

    found = recheck_champion(
        experiment_uri=experiment_uri,
        run_id=run_id,
        models_uri=models.uri,
        test_uri=test.uri,
        champion=ArmUris(champion_predictions.uri, champion_evaluation.uri, champion_traffic.uri),
        recheck_uri=recheck.uri,
        report_uri=report.uri,
    )
    metrics.metadata.update(found.numbers())
