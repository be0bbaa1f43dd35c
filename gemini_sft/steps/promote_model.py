"""The promotion of a tuned model that is better."""

from gemini_sft import storage
from gemini_sft.data.dataset import read_fingerprint
from gemini_sft.decision.comparison import Verdict
from gemini_sft.errors import RunError
from gemini_sft.experiment import load_experiment
from gemini_sft.inference.evaluation import EvaluationResult
from gemini_sft.release import Champions, Promotion, promote
from gemini_sft.steps.find_models import read_champion
from gemini_sft.steps.references import keep_reference
from gemini_sft.tuning import Selection


def promote_model(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    models_uri: str,
    test_uri: str,
    selection_uri: str,
    evaluation_uri: str,
    comparison_uri: str,
) -> Champions:
    """Makes the checkpoint that was taken the champion of its experiment, and keeps how it scored for later rechecks.

    Raises:
        RunError: The verdict is another than `promote`, or another model has become champion since the run began.
        UserError: Nobody can tell which model is the champion.
        ServiceError: Vertex AI refused a change or did not answer; another attempt goes on.
    """
    verdict = storage.read_json(comparison_uri).get("verdict")
    if verdict != Verdict.PROMOTE:
        raise RunError(f"{comparison_uri} has the verdict {verdict}: only a model with the verdict promote is promoted")
    taken = Selection.model_validate(storage.read_json(selection_uri)).taken
    evaluation = EvaluationResult.model_validate(storage.read_json(evaluation_uri))
    if evaluation.model != taken.endpoint:
        raise RunError(f"{evaluation_uri} is of {evaluation.model}, and what was taken answers at {taken.endpoint}")
    champion = read_champion(models_uri)
    experiment = load_experiment(experiment_uri)
    # Before it is promoted: no champion is without it, whatever happens in between.
    keep_reference(experiment, experiment_uri, run_id, test_uri, (taken.model, taken.checkpoint), evaluation)
    return promote(
        Promotion(
            project=project,
            location=location,
            experiment=experiment,
            run_id=run_id,
            model=taken.model,
            checkpoint=taken.checkpoint,
            prompt=read_fingerprint(test_uri),
            evaluation=evaluation,
            champion=champion.model if champion else None,
        )
    )
