"""What was made of the data: how many examples there are, and what was left out or stands to be mended."""

from dataclasses import dataclass

from gemini_sft.report import numbers
from gemini_sft.report.data_page import RuleView, rule_views
from gemini_sft.report.facts import Fact, named
from gemini_sft.report.input import ReportInput

FINDINGS_PER_RULE = 5


@dataclass(frozen=True)
class DataView:
    """Numbers of examples, and the rules that were broken; `checked` is whether anybody wrote that down."""

    facts: list[Fact]
    rules: list[RuleView]
    checked: bool


def data_view(data: ReportInput) -> DataView:
    """Returns what was made of the data."""
    summary = data.data
    rules = rule_views(summary.rules, FINDINGS_PER_RULE) if summary else []
    return DataView(_examples(data), rules, summary is not None)


def _examples(data: ReportInput) -> list[Fact]:
    files = data.experiment.data
    train = named(files.train)
    held_back = f"held back from {train}"
    test = f"from {named(files.test)}" if files.test else held_back
    return [
        Fact("Training examples", f"{numbers.count(data.train_examples)} from {train}{_left_out(data, 'train')}"),
        Fact("Validation examples", _validation(data, held_back) + _left_out(data, "validation")),
        Fact("Test examples", f"{numbers.count(len(data.test))} {test}{_left_out(data, 'test')}"),
        Fact("Trained on by the service", numbers.count(data.tuning.examples, "example")),
    ]


def _validation(data: ReportInput, held_back: str) -> str:
    """Returns how many there are, or were asked when a checkpoint was chosen, and where they came from."""
    files = data.experiment.data
    if not files.validation and (files.test is not None or not files.split.validation):
        return "none were given"
    where = f"from {named(files.validation)}" if files.validation else held_back
    asked = max((one.n for one in data.selection.candidates), default=0) if data.selection else 0
    number = data.validation_examples if data.validation_examples is not None else asked or None
    return f"{where}; their number is not recorded" if number is None else f"{numbers.count(number)} {where}"


def _left_out(data: ReportInput, split: str) -> str:
    """Returns how many records the checks left out of a split; empty if none."""
    dropped = data.data.splits[split].dropped if data.data and split in data.data.splits else 0
    return f"; {numbers.count(dropped, 'record')} left out by the checks" if dropped else ""
