"""The champion alone: whether it still scores on today's test data what it did when it was promoted."""

from kfp import dsl

from pipelines.ending import telling
from pipelines.parts import begin
from pipelines.parts import recheck as ask_again


@dsl.pipeline(name="gemini-recheck", description="Ask the model in use again and tell whether it has fallen.")
def recheck(project: str, location: str, experiment_uri: str) -> None:
    """Prepares today's data, asks the champion the test split, and compares with its evaluation of back then.

    Args:
        project: Google Cloud project.
        location: Region of the champion.
        experiment_uri: The experiment file, with data at `gs://` URIs.
    """
    with telling(project, location, experiment_uri):
        ask_again(begin(project, location, experiment_uri, "recheck"))
