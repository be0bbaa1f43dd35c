from pathlib import Path

import pytest

from gemini_sft.experiment import Gate, Task
from tests.unit.gemini_sft.report.sample import example, made_of
from tests.unit.gemini_sft.report.step_files import written
from tests.unit.gemini_sft.steps.found import BASE, RIGHT, TUNED, Files, N, texts


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has tests of its own."""
    monkeypatch.setattr("gemini_sft.decision.bootstrap.RESAMPLES", 250)
    monkeypatch.setattr("gemini_sft.steps.compare_models.report_page", lambda _: "")
    monkeypatch.setattr("gemini_sft.steps.compare_models.report_markdown", lambda _: "")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A tuned model that beats the base model in every example."""
    test = [example(n, f"question {n}", RIGHT) for n in range(N)]
    made = made_of(test, texts(test, BASE), texts(test, TUNED), task=Task.GENERATION, gate=Gate())
    return written(tmp_path, made)
