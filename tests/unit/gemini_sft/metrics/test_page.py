"""docs/evaluation.md says of metrics what is so."""

import re
from pathlib import Path

import pytest
import yaml

from gemini_sft.experiment import Evaluation, Task
from gemini_sft.metrics import metrics_of
from gemini_sft.metrics.own import load_own

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "evaluation.md").read_text("utf-8").split("\n## Metrics\n")[1].split("\n## ")[0]


def block(language: str) -> str:
    """The first block of its language in the section on metrics of one's own."""
    section = PAGE.split("### Metrics of your own")[1]
    return str(re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[0])


@pytest.mark.parametrize("task", Task)
def test_the_table_says_what_decides(task: Task) -> None:
    (row,) = re.findall(rf"^\| `{task}` \|.*\| `(\w+)` \|$", PAGE, re.MULTILINE)
    assert row == metrics_of(task).primary


@pytest.mark.parametrize("task", Task)
def test_every_metric_is_defined(task: Task) -> None:
    defined = set(re.findall(r"`([\w.]+)`", PAGE.split("### Definitions")[1].split("### Words")[0]))
    metrics = metrics_of(task, labels=("a", "b"))
    for name in (*metrics.names, *metrics.whole_names):
        assert {name, re.sub("_(precision|recall|f)$", "", name), re.sub("_.*", "_...", name)} & defined, name


def test_the_worked_example_works(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(block("python"), "utf-8")
    specs = Evaluation.model_validate(yaml.safe_load(block("yaml"))["evaluation"]).metrics
    brevity, grounded = load_own([str(tmp_path / spec) for spec in specs], ())
    assert brevity.score("one two three four", ["one two", "one"], "") == 0.5
    assert brevity.score("", ["one"], "") == 1
    assert grounded.score("Rome is old", ["yes"], "How old is Rome ?") == 1
    assert grounded.score("Rome fell", ["yes"], "How old is Rome ?") == 0.5
