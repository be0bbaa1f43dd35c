"""The main pipeline: tune a Gemini model, and tell whether that made it better."""

from kfp import dsl

from pipelines.deciding import decide
from pipelines.ending import telling
from pipelines.parts import begin, evaluate
from pipelines.tuning import tune


@dsl.pipeline(name="gemini-finetune", description="Tune a Gemini model and compare it with its base.")
def finetune(project: str, location: str, experiment_uri: str) -> None:
    """Evaluates the base model, tunes it, evaluates the tuned model on the same examples, and compares.

    If the experiment asks for it, the base model is evaluated with examples in its prompt as well, and a judge compares
    the answers. However the run ends, whoever the experiment names is told.

    Args:
        project: Google Cloud project.
        location: Region of the tuning job and of the base model.
        experiment_uri: The experiment file, with data at `gs://` URIs.
    """
    with telling(project, location, experiment_uri):
        begun = begin(project, location, experiment_uri)
        decide(begun, evaluate(begun), tune(begun))
