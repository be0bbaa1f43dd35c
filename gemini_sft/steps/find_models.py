"""Which model is tuned and compared: what the experiment's name for it stands for now."""

import logging
from datetime import UTC, datetime

from gemini_sft import storage
from gemini_sft.catalog import catalog
from gemini_sft.data.dataset import read_sources
from gemini_sft.errors import ExperimentError, Problem
from gemini_sft.experiment import Experiment, load_experiment
from gemini_sft.retraining.purpose import Purpose
from gemini_sft.retraining.trained import contents, find_ids, lineage
from gemini_sft.steps.places import TRAINED, beside
from gemini_sft.tuning import Base, find_base, find_champion, refusals, retired

_log = logging.getLogger(__name__)


def find_models(
    *, project: str, location: str, experiment_uri: str, models_uri: str, purpose: str = Purpose.RUN
) -> Base:
    """Looks up base model and champion, refuses what cannot be tuned, and writes what the rest of the run shall take.

    All of a run goes by what was found here: an alias may move meanwhile.

    Args:
        project: Google Cloud project.
        location: Region of the run.
        experiment_uri: The experiment file.
        models_uri: Where to write it.
        purpose: A `Purpose`. A run to retrain is not stopped by a base model that has retired: why it cannot be tuned
            any more is written. A recheck tunes nothing, so nothing of that is refused.

    Raises:
        UserError: There is no such model, or nobody can tell which one is the champion.
        ExperimentError: The model or the region does not allow what the experiment asks for.
        ServiceError: Vertex AI did not say.
    """
    purpose, today = Purpose(purpose), datetime.now(UTC).date()
    experiment = load_experiment(experiment_uri, allow_retired=purpose is not Purpose.RUN)
    base = find_base(project, location, experiment)
    refused = [] if purpose is Purpose.RECHECK else refusals(experiment, base, location, today)
    gone = retired(experiment, base, today) if purpose is Purpose.RETRAIN else ""
    if problems := [Problem(experiment.name, one) for one in refused if one != gone]:
        raise ExperimentError(problems)
    champion = find_champion(project, location, experiment.name)
    found = {"base": base.model_dump(mode="json"), "champion": champion and champion.model_dump(mode="json")}
    trained = beside(experiment_uri, TRAINED)
    tuned_on = {one.model: lineage(trained, one.model) for one in (base, champion) if one and one.model}
    storage.write_json(models_uri, found | {"refused": gone, "tuned_on": tuned_on})
    if base.model and not tuned_on[base.model]:
        _log.warning(
            "whether %s was tuned on what is now the test split, nobody can tell: see docs/tuning.md", base.model
        )
    _log.info("base model: %s", f"{base.id} as tuned in {base.model}" if base.model else base.id)
    _log.info("champion: %s", champion.model if champion else "none, nothing is promoted yet")
    if champion and not champion.endpoint:
        _log.warning("%s is the champion, but no endpoint has it deployed", champion.model)
    return base


def read_models(experiment_uri: str, models_uri: str) -> tuple[Experiment, Base]:
    """Returns an experiment with the Gemini model that its base model comes down to, and what was found of that."""
    base = Base.model_validate(storage.read_json(models_uri)["base"])
    experiment = load_experiment(experiment_uri, allow_retired=True)
    return experiment.model_copy(update={"base_model": base.id}), base


def read_champion(models_uri: str) -> Base | None:
    """Returns the model that the experiment has promoted; None if there is none."""
    found = storage.read_json(models_uri).get("champion")
    return None if found is None else Base.model_validate(found)


def read_refused(models_uri: str) -> str:
    """Returns why the base model cannot be tuned any more; empty if it can."""
    refused: str = storage.read_json(models_uri).get("refused", "")
    return refused


def seen_by(model: Base, experiment_uri: str, models_uri: str, test_uri: str) -> set[str]:
    """Returns the ids of the test examples that a model, or one it was tuned from, was tuned on, as far as is known.

    They are other splits than those of its time: another seed, other shares, other files.
    """
    trained = beside(experiment_uri, TRAINED)
    labels = storage.read_json(models_uri).get("tuned_on", {}).get(model.model, [])
    learnt = set().union(*(contents(find_ids(trained, one) or ()) for one in labels))
    return {one["id"] for one in read_sources(test_uri) if contents([one["id"]]) <= learnt}


def asks_champion(base: Base, champion: Base | None) -> bool:
    """Returns whether there is a champion that is not the very model and checkpoint that is the base."""
    return champion is not None and (champion.model, champion.checkpoint) != (base.model, base.checkpoint)


def silent(champion: Base) -> str | None:
    """Returns why a champion cannot be asked; None if it can."""
    if champion.endpoint is None:
        return f"no endpoint serves {champion.model}: deploy it to have it compared"
    return catalog().objection(champion.id, "can be asked")
