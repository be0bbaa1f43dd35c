"""Which version of its data an experiment would read now."""

import hashlib
import logging
from time import time

import orjson

from gemini_sft import storage
from gemini_sft.data.sources import state_of
from gemini_sft.data.versions import versions_of
from gemini_sft.data.web import shown
from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment, load_experiment
from gemini_sft.experiment.schema import listed
from gemini_sft.steps.places import CLEANED, beside

_WEEK_SECONDS = 7 * 24 * 3600

_log = logging.getLogger(__name__)


def find_data(*, experiment_uri: str, run_id: str) -> str:
    """Returns a version of what `prepare_data` would make: the same as long as it would make the same.

    It covers what the sources of the experiment hold, told without reading them, and the files of its own metrics. What
    was prepared is deleted some day, so the week and the last cleanup are part of it: nobody is led to what is gone.

    Args:
        experiment_uri: The experiment file.
        run_id: Of the run, whose own the version is if a source tells none.

    Returns:
        32 hexadecimal digits.

    Raises:
        UserError: A source does not exist or may not be read.
        ServiceError: Cloud Storage or BigQuery did not say.
    """
    experiment = load_experiment(experiment_uri, allow_retired=True)
    data = experiment.data
    found = [list(versions_of(listed(split))) for split in (data.train, data.validation, data.test)]
    untold = [uri for split in found for uri, version in split if version is None]
    told = [
        found,
        [(uri, state_of(uri)) for uri in _files(experiment)],
        run_id if untold else "",
        int(time()) // _WEEK_SECONDS,
        _cleaned(experiment_uri),
    ]
    if untold:
        names = ", ".join(shown(uri) if "://" in uri else uri for uri in untold)
        _log.info("no version is told of %s: the data are prepared anew", names)
    return hashlib.sha256(orjson.dumps(told)).hexdigest()[:32]


def _files(experiment: Experiment) -> list[str]:
    """Returns the files beside the data on which it depends what is prepared, or whether it can be used."""
    prompt = experiment.prompt
    named = [prompt.system_instruction_file, prompt.template_file]
    return [*(one for one in named if one), *(one.rpartition(":")[0] for one in experiment.evaluation.metrics)]


def _cleaned(experiment_uri: str) -> str:
    """Returns the mark of the last cleanup that has deleted something; empty if there was none."""
    try:
        return storage.read_text(beside(experiment_uri, CLEANED))
    except UserError:
        return ""
