"""What the base model or the region does not allow, known before anything is made or paid for."""

import itertools
from collections.abc import Iterator
from datetime import date

from gemini_sft.catalog import Model, catalog
from gemini_sft.experiment import Experiment, Tuning
from gemini_sft.tuning.base import Base
from gemini_sft.vertex import location_of

_GIVE = "give data.validation or, where train is divided, a share in data.split.validation"


def refusals(experiment: Experiment, base: Base, location: str, today: date) -> list[str]:
    """Returns why an experiment cannot be tuned, each with what to do about it; nothing if it can.

    Args:
        experiment: Its settings.
        base: What is tuned.
        location: Region of the tuning job.
        today: The day of the run.
    """
    if base.id not in catalog().models:
        return [str(catalog().objection(base.id))]
    gone = retired(experiment, base, today)
    return [*([gone] if gone else []), *_refusals(experiment, base, location)]


def retired(experiment: Experiment, base: Base, today: date) -> str:
    """Returns why a base model cannot be tuned any more, with what to do about it; empty if that is not so.

    Args:
        experiment: Its settings.
        base: What is tuned.
        today: The day of the run.
    """
    if base.id in catalog().retired:
        return str(catalog().objection(base.id))
    if base.id not in catalog().models or experiment.tuning.allow_retiring:
        return ""
    retiring = catalog().retirement_objection(base.id, today)
    return f"{retiring}, or set tuning.allow_retiring to true if your project has access" if retiring else ""


def _refusals(experiment: Experiment, base: Base, location: str) -> Iterator[str]:
    model, tuning = catalog().models[base.id], experiment.tuning
    if location not in model.tuning_regions:
        yield f"{base.id} cannot be tuned in {location}: use {' or '.join(model.tuning_regions)}"
    if base.model and location_of(base.model, location) != location:
        there = location_of(base.model, location)
        yield f"{base.model} can only be tuned further where it is: use {there}, not {location}"
    sizes = {tuning.adapter_size}
    if experiment.sweep:
        trials = experiment.sweep.settings(tuning)
        sizes = {one.adapter_size for one in trials.values()}
        yield from _repeated(trials)
        if not _has_validation(experiment):
            yield f"a sweep chooses on the validation split, and there is none: {_GIVE}"
    for size in sorted(size for size in sizes if size is not None):
        if objection := catalog().adapter_size_objection(base.id, size):
            yield objection
    yield from _unsupported(experiment, base, model, location)


def _unsupported(experiment: Experiment, base: Base, model: Model, location: str) -> Iterator[str]:
    tuning, able = experiment.tuning, catalog().models
    if tuning.kms_key:
        there = tuning.kms_key.split("/")[3]
        if not model.cmek:
            others = ", ".join(name for name, one in able.items() if one.cmek)
            yield f"{base.id} cannot be tuned with a key of your own: take tuning.kms_key out (it is for {others})"
        elif there != location:
            yield f"tuning.kms_key is in {there}, and the job in {location}: both must be in one region"
    if tuning.evaluation:
        if not model.evaluates_in_job:
            others = ", ".join(name for name, one in able.items() if one.evaluates_in_job)
            yield f"a tuning job of {base.id} cannot evaluate: take tuning.evaluation out (it is for {others})"
        elif location not in model.evaluates_in_job:
            where = " or ".join(model.evaluates_in_job)
            yield f"a tuning job evaluates in {where} only, not in {location}: take tuning.evaluation out, or run there"
        elif not _has_validation(experiment):
            yield f"tuning.evaluation is computed on the validation split, and there is none: {_GIVE}"


def _repeated(trials: dict[str, Tuning]) -> Iterator[str]:
    """Yields which trials come down to the same settings: they would share one job, and be quoted as two."""
    for (name, settings), (other, same) in itertools.combinations(trials.items(), 2):
        if settings == same:
            yield f"the trials {name} and {other} are the same with what tuning says: take one of them out"


def _has_validation(experiment: Experiment) -> bool:
    data = experiment.data
    return bool(data.validation) or (not data.test and data.split.validation > 0)
