"""The tuning job."""

from gemini_sft import storage
from gemini_sft.data.dataset import examples_uri, has_examples, read_fingerprint, read_sources
from gemini_sft.experiment import load_experiment
from gemini_sft.inference import fingerprint
from gemini_sft.retraining.trained import DATA_DIGITS, Trained, keep, settings_of, start_of
from gemini_sft.steps.find_models import read_models
from gemini_sft.steps.places import CLAIMS, EVALUATIONS, PROGRESS, TRAINED, beside, in_bucket
from gemini_sft.tuning import TuningRecord, TuningRequest, tune
from gemini_sft.tuning.request import digest


def tune_model(
    *,
    project: str,
    location: str,
    experiment_uri: str,
    run_id: str,
    models_uri: str,
    train_uri: str,
    validation_uri: str,
    trial: str,
    tuning_uri: str,
) -> TuningRecord:
    """Tunes the base model, or finds that it has been tuned so already, and writes what came of it.

    What the model was made of is kept beside the experiment, for later runs that ask whether there is something new.

    Args:
        project: Google Cloud project.
        location: Region of the job.
        experiment_uri: The experiment file.
        run_id: Of the run.
        models_uri: What `find_models` wrote.
        train_uri: Folder of the split to tune on.
        validation_uri: Folder of the validation split; it may have no examples.
        trial: Name of the settings in a sweep; empty for those of `tuning`.
        tuning_uri: Where the record goes.

    Raises:
        UserError: Vertex AI refused the request as wrong.
        TuningError: The job ended without a model, or left out too many examples.
        ServiceError: Vertex AI did not answer; another attempt goes on with the job.
    """
    experiment, base = read_models(experiment_uri, models_uri)
    settings = experiment.tuning
    if trial and experiment.sweep:
        settings = experiment.sweep.settings(settings)[trial]
    data, validation = examples_uri(train_uri), examples_uri(validation_uri) if has_examples(validation_uri) else None
    sources = list(read_sources(train_uri))
    places = [f"{one['source']}:{one['line']}" for one in sources]
    train_digest, prompt = digest(data), read_fingerprint(train_uri)
    progress = f"{PROGRESS}/{run_id}/tuning{f'-{trial}' if trial else ''}.json"
    request = TuningRequest(
        project=project,
        location=location,
        base=base,
        run_id=run_id,
        trial=trial,
        train_uri=data,
        validation_uri=validation,
        train_digest=train_digest,
        validation_digest=digest(validation) if validation else "",
        prompt=prompt,
        examples=len(places),
        place=lambda number: places[number - 1] if 0 < number <= len(places) else f"example {number}",
        settings=settings,
        labels={
            "experiment": experiment.name,
            "data": train_digest[:DATA_DIGITS],
            fingerprint.LABEL: prompt,
        },
        claims_uri=in_bucket(experiment_uri, CLAIMS),
        evaluation_uri=beside(experiment_uri, f"{EVALUATIONS}/{run_id}/{trial or 'all'}"),
        progress_uri=beside(experiment_uri, progress),
    )
    record = tune(request)
    made_of = Trained(
        data=train_digest[:DATA_DIGITS],
        start=start_of(base),
        settings=settings_of(load_experiment(experiment_uri), base, prompt),
    )
    keep(beside(experiment_uri, TRAINED), request.intent, made_of, (one["id"] for one in sources))
    storage.write_json(tuning_uri, record.model_dump(mode="json"))
    return record
