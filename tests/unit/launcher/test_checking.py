"""What `check` and `run` print of a quote and of findings."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from gemini_sft.cost import Quote
from launcher.checking import show_data, show_quote, show_total
from tests.unit.gemini_sft.cost.test_sweep import quoted
from tests.unit.gemini_sft.data.cases.case import jsonl, pair
from tests.unit.gemini_sft.data.preparation import prepared


def printed(quote: Quote, width: int = 80) -> list[str]:
    file = io.StringIO()
    show_quote(quote, Console(file=file, width=width))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def sweep(trials: int, epochs: int | None = 2) -> Quote:
    grid = {"adapter_size": [8], "learning_rate_multiplier": [number / 4 for number in range(1, trials + 1)]}
    return quoted(epochs, sweep={"grid": grid})


def test_a_quote_line_by_line() -> None:
    lines = printed(quoted(2), 160)
    assert lines[:3] == [
        "cost on Vertex AI                             USD  prices of 2026-11-22",
        "tuning                                      12.00  1,200,000 tokens x 2 epochs at 5.00 USD per 1M",
        "evaluation of 2 checkpoints on validation  0.1600  2 checkpoints x (100,000 tokens sent at 0.30 USD per 1M,"
        " 20,000 tokens answered at 2.50 USD per 1M)",
    ]
    assert lines[5].split() == ["together", "12.64"]


def test_few_trials_are_shown_each_and_long_names_leave_room() -> None:
    lines = printed(sweep(6))
    assert sum(line.startswith("tuning, adapter_size=8") for line in lines) == 6
    assert lines[1:3] == [
        "tuning, adapter_size=8                       12.00  1,200,000 tokens x 2",
        "  learning_rate_multiplier=0.25                     epochs at 5.00 USD per 1M",
    ]


def test_many_trials_are_summed_up() -> None:
    lines = printed(sweep(20), 120)
    assert [line for line in lines if line.startswith("tuning")] == [
        "tuning in 20 jobs                           240.00  1,200,000 tokens x 40 epochs at 5.00 USD per 1M"
    ]
    assert len(printed(sweep(40))) == len(printed(sweep(20)))


def test_the_total_has_one_part_for_all_trials() -> None:
    file = io.StringIO()
    show_total(sweep(3, None), Console(file=file, width=80))
    assert file.getvalue() == (
        "Cost on Vertex AI: 362.88 USD (tuning in 3 jobs 360.00, evaluation of 30 checkpoints on validation 2.40,"
        " evaluation of the base model 0.2400, evaluation of the tuned model 0.2400; 60 epochs assumed)\n"
    )


def test_findings_about_a_whole_split_are_told_with_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.jsonl").write_bytes(jsonl(*(pair(f"question {n}") for n in range(3)), pair("question 1")))
    Path("test.jsonl").write_bytes(jsonl(pair("another")))
    policy = {"duplicate": "warn", "identical_targets": "warn", "near_duplicate": "warn"}
    summary = prepared(Path("out"), "train.jsonl", "test.jsonl", data={"policy": policy}).summary
    file = io.StringIO()
    show_data(summary, Console(file=file, width=200))
    told = file.getvalue().splitlines()
    assert "train has 4 examples: 100 are advised at least (too_few_examples): kept" in told
    assert "test has 1 example: 30 are advised at least (too_few_examples): kept" in told
    assert "1 x the same example again (duplicate): kept, first at train.jsonl:4" in told
