"""Running `prepare` on files, for the tests of the data library."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from gemini_sft.data import Example, read_split
from gemini_sft.data.preparing import prepare
from gemini_sft.data.summary import DataSummary
from gemini_sft.experiment import Experiment

SPLITS = ("train", "validation", "test")


class Prepared:
    """What `prepare` returned and wrote below a folder."""

    def __init__(self, summary: DataSummary, problems: list[str], folder: Path) -> None:
        self.summary, self.problems, self.folder = summary, problems, folder

    @property
    def findings(self) -> list[dict[str, Any]]:
        """All findings, as they were written."""
        return [orjson.loads(line) for line in (self.folder / "findings.jsonl").read_bytes().splitlines()]

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """Rule, place and what is said of it, for every finding, sorted."""
        return sorted((one["rule"], place(one), one["what"]) for one in self.findings)

    @property
    def written(self) -> dict[str, bytes]:
        """Every file that was written, by its path."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}

    def split(self, name: str) -> list[Example]:
        """Returns a split that was written."""
        return read_split(str(self.folder / name))


def place(finding: Mapping[str, Any]) -> str:
    """Returns `file:line` of a finding, or the file alone."""
    return f"{finding['source']}:{finding['line']}" if finding["line"] else finding["source"]


def prepared(
    folder: Path,
    train: str | list[str],
    test: str | None,
    *,
    task: str = "generation",
    data: Mapping[str, Any] | None = None,
    prompt: Mapping[str, Any] | None = None,
    evaluation: Mapping[str, Any] | None = None,
) -> Prepared:
    """Prepares files of the working directory, and writes what comes out below `folder`."""
    document = {
        "name": "demo",
        "task": task,
        "base_model": "gemini-2.5-flash",
        "data": {"train": train, "test": test, **(data or {})},
        "prompt": dict(prompt or {}),
        "evaluation": dict(evaluation or {}),
    }
    experiment = Experiment.model_validate(document)
    summary, problems = prepare(experiment, [str(folder / one) for one in SPLITS], str(folder / "findings.jsonl"))
    return Prepared(summary, [str(one) for one in problems], folder)
