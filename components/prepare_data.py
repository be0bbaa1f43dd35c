"""Component: the user's data files become Gemini examples."""

from kfp import dsl

from components.image import component


@component
def prepare_data(
    experiment_uri: str,
    train: dsl.Output[dsl.Dataset],
    validation: dsl.Output[dsl.Dataset],
    test: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Reads, checks and converts every split that the experiment names.

    Args:
        experiment_uri: The experiment file.
        train: Examples to tune on.
        validation: Examples for the loss during tuning; empty if the experiment names none.
        test: Examples to compare models on.
        metrics: Counts and mean lengths of each split.
    """
    from gemini_sft.steps.prepare_data import prepare_data

    metrics.metadata.update(
        prepare_data(
            experiment_uri=experiment_uri, train_uri=train.uri, validation_uri=validation.uri, test_uri=test.uri
        )
    )
