"""Component: which version of the data the experiment's sources hold now."""

from components.image import component


@component
def find_data(experiment_uri: str, run_id: str) -> str:
    """Returns a version of the data that changes when they do, without reading them.

    Args:
        experiment_uri: The experiment file.
        run_id: Stands for the version of a source that tells none.
    """
    from gemini_sft.steps.find_data import find_data

    return find_data(experiment_uri=experiment_uri, run_id=run_id)
