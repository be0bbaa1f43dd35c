"""From the user's files to the three splits."""

import logging
from collections.abc import Sequence

from gemini_sft.data import Example, read_examples, write_split
from gemini_sft.experiment import load_experiment

_log = logging.getLogger(__name__)


def prepare_data(*, experiment_uri: str, train_uri: str, validation_uri: str, test_uri: str) -> dict[str, float]:
    """Reads every split that the experiment names and writes it in Gemini's tuning format.

    A validation split that the experiment does not name is written with no examples.

    Raises:
        DataError: A file holds records that cannot be used.
    """
    experiment = load_experiment(experiment_uri)
    data, instruction = experiment.data, experiment.prompt.system_instruction
    metrics: dict[str, float] = {}
    for split, source, target in (
        ("train", data.train, train_uri),
        ("validation", data.validation, validation_uri),
        ("test", data.test, test_uri),
    ):
        name = source.rpartition("/")[2] if source else ""
        examples = read_examples(source, instruction, name=name) if source else []
        write_split(target, examples)
        _log.info("%s: %d examples", split, len(examples))
        metrics |= _describe(split, examples)
    return metrics


def _describe(split: str, examples: Sequence[Example]) -> dict[str, float]:
    described: dict[str, float] = {f"{split}_examples": len(examples)}
    if examples:
        described[f"{split}_mean_prompt_characters"] = sum(len(one.prompt_text) for one in examples) / len(examples)
        described[f"{split}_mean_target_characters"] = sum(len(one.target) for one in examples) / len(examples)
    return described
