"""From the user's files to the three splits."""

import logging

from gemini_sft import storage
from gemini_sft.data.preparing import prepare
from gemini_sft.data.summary import DataSummary
from gemini_sft.decision.guards import check_guards
from gemini_sft.errors import DataError
from gemini_sft.experiment import load_experiment
from gemini_sft.metrics.named import check_names
from gemini_sft.metrics.table import own_metrics, rehearse_own
from gemini_sft.report.data_page import data_page

_log = logging.getLogger(__name__)


def prepare_data(
    *,
    experiment_uri: str,
    train_uri: str,
    validation_uri: str,
    test_uri: str,
    findings_uri: str,
    summary_uri: str,
    report_uri: str,
) -> DataSummary:
    """Reads, checks and divides the data that the experiment names, and writes them in Gemini's tuning format.

    A split that the experiment does not have is written with no examples.

    Raises:
        ExperimentError: A metric of the user's own cannot be loaded or fails, or the experiment names one that is not
            there, or a guard is on a part of test that is too small: found here, before anything is paid for.
        DataError: There are findings that stop the run; report and findings are written all the same.
    """
    experiment = load_experiment(experiment_uri, allow_retired=True)
    check_names(experiment)
    own_metrics(experiment)
    summary, problems = prepare(experiment, (train_uri, validation_uri, test_uri), findings_uri)
    storage.write_json(summary_uri, summary.model_dump(mode="json"))
    storage.write_text(report_uri, data_page(summary, experiment_name=experiment.name), "text/html; charset=utf-8")
    for name, split in summary.splits.items():
        _log.info("%s: %d examples, %d left out", name, split.examples, split.dropped)
    if problems:
        raise DataError(problems)
    check_guards(experiment, test_uri)
    rehearse_own(experiment, test_uri)
    return summary


def numbers(summary: DataSummary) -> dict[str, float]:
    """Returns the numbers of a summary that are shown as Metrics."""
    shown: dict[str, float] = {}
    for name, split in summary.splits.items():
        shown[f"{name}_examples"] = split.examples
        shown[f"{name}_left_out"] = split.dropped
        if split.prompt_characters and split.target_characters:
            shown[f"{name}_mean_prompt_characters"] = split.prompt_characters.mean
            shown[f"{name}_mean_target_characters"] = split.target_characters.mean
    return shown | {f"findings_{one.rule}": one.count for one in summary.rules}
