"""The model that an experiment starts from: a Gemini model, or one that was tuned before and is tuned further."""

from pydantic import BaseModel, ConfigDict

from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import CHAMPION, is_tuned
from gemini_sft.registry import Version, champion_of, find_version, versions


class Base(BaseModel):
    """What is tuned, and what the tuned model is compared with.

    Attributes:
        id: The Gemini model at its root, as the catalog names it.
        model: Of a tuned one, its resource name with its version; else None.
        checkpoint: Of that, the checkpoint to go on from; None if it has none.
        endpoint: Of that, where it answers; None if nothing serves it, which only a champion may be.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    model: str | None = None
    checkpoint: str | None = None
    endpoint: str | None = None

    @property
    def asked(self) -> str:
        """What is asked for answers: an endpoint, or the Gemini model's id."""
        return self.endpoint or self.id


def find_base(project: str, location: str, experiment: Experiment) -> Base:
    """Looks up what an experiment's `base_model` stands for now.

    Raises:
        UserError: There is no such tuned model or checkpoint, it is no Gemini model, or nothing serves it.
        ServiceError: Vertex AI did not say.
    """
    name, wanted = experiment.base_model, experiment.tuning.from_checkpoint
    if not is_tuned(name):
        if wanted:
            raise UserError(f"tuning.from_checkpoint is for a tuned base_model, and {name} is none: take it out")
        return Base(id=name)
    version = _champion(project, location, experiment.name) if name == CHAMPION else _model(name)
    if wanted and wanted not in version.checkpoints:
        there_are = f"there are {', '.join(version.checkpoints)}" if version.checkpoints else "it has none"
        raise UserError(f"tuning.from_checkpoint is {wanted}, which {version.name} does not have: {there_are}")
    base = _base(version, wanted)
    if not base.endpoint:
        what = f"checkpoint {base.checkpoint} of {version.name}" if base.checkpoint else version.name
        raise UserError(f"base_model {what} answers nowhere: no endpoint has it deployed")
    return base


def find_champion(project: str, location: str, experiment: str) -> Base | None:
    """Looks up the model that an experiment has promoted, in a region; None if there is none.

    Its endpoint is None if nothing serves it.

    Raises:
        UserError: Nobody can tell which model it is, or it is no Gemini model.
        ServiceError: Vertex AI did not say.
    """
    champion = champion_of(versions(project, location, experiment))
    return _base(champion) if champion else None


def _base(version: Version, wanted: str | None = None) -> Base:
    """Returns a version at one of its checkpoints; the default one if none is wanted."""
    if not version.root:
        raise UserError(f"base_model {version.name} is no tuned Gemini model")
    # The default one is named too: it can be changed, and then a job that went on from it would not be the same.
    checkpoint = wanted or version.default_checkpoint
    endpoint = version.endpoints.get(checkpoint or "") or (None if wanted else version.endpoints.get(""))
    return Base(id=version.root, model=version.name, checkpoint=checkpoint, endpoint=endpoint)


def _model(name: str) -> Version:
    version = find_version(name)
    if version is None:
        raise UserError(f"base_model {name}: there is no such model, version or alias")
    return version


def _champion(project: str, location: str, experiment: str) -> Version:
    """Returns the version that this experiment has promoted, in the region of the run."""
    champion = champion_of(versions(project, location, experiment))
    if champion is None:
        raise UserError(
            f"base_model is {CHAMPION}, but in {location} no model with the label experiment={experiment} has that"
            " alias: run the experiment with a Gemini model until one is promoted, or name a model"
        )
    return champion
