"""Component: the trials of a sweep."""

from typing import List  # noqa: UP035

from components.image import component


@component
def list_trials(experiment_uri: str) -> List[str]:  # noqa: UP006
    """Returns the names of the trials, such as `epochs=2 adapter_size=4`.

    Args:
        experiment_uri: The experiment file.
    """
    from gemini_sft.steps.sweep import list_trials

    return list_trials(experiment_uri=experiment_uri)
