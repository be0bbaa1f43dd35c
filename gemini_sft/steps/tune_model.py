"""The tuning job."""

from gemini_sft import storage
from gemini_sft.data.dataset import examples_uri, has_examples, read_fingerprint
from gemini_sft.experiment import load_experiment
from gemini_sft.inference import fingerprint
from gemini_sft.tuning import TuningRecord, TuningRequest, tune
from gemini_sft.vertex import host, location_of


def tune_model(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    train_uri: str,
    validation_uri: str,
    tuning_uri: str,
) -> TuningRecord:
    """Tunes the experiment's base model and writes what came of it.

    Raises:
        UserError: Vertex AI refused the request as wrong.
        TuningError: The job ended without a model.
    """
    experiment = load_experiment(experiment_uri)
    record = tune(
        TuningRequest(
            project=project,
            location=location,
            base_model=experiment.base_model,
            display_name=run_id,
            train_uri=examples_uri(train_uri),
            validation_uri=examples_uri(validation_uri) if has_examples(validation_uri) else None,
            settings=experiment.tuning,
            labels={"experiment": experiment.name, "run": run_id, fingerprint.LABEL: read_fingerprint(train_uri)},
        )
    )
    storage.write_json(tuning_uri, record.model_dump(mode="json"))
    return record


def resource_uri(name: str) -> str:
    """Returns the HTTPS address of a Vertex AI resource, by which it stands in the lineage."""
    return f"{host(location_of(name, ''))}/v1/{name}"
