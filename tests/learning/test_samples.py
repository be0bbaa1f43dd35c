"""On every shipped sample set the tuned stand-in beats its base, and shuffled targets do not teach the same."""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from gemini_sft.data.preparing import prepare
from gemini_sft.experiment import load_experiment
from gemini_sft.experiment.files import complete
from gemini_sft.metrics import metrics_of
from tests.learning.toys import fit, shuffled
from vertex_emulator.standin import Record, Settings, StandIn, default_epochs
from vertex_emulator.tuning.dataset import read_dataset

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"


@dataclass(frozen=True)
class Case:
    """What is demanded of a sample set, in its experiment's primary metric on the test split.

    Attributes:
        gain: Tuned minus base, at least; about half of what was measured over three seeds.
        control: Tuned minus tuned on shuffled targets, at least. Style and length are learnt from any targets, so it is
            small where they are much of the score.
    """

    gain: float
    control: float


CASES = {
    "summarization": Case(0.02, 0.0),
    "question_answering": Case(0.12, 0.3),
    "classification": Case(0.25, 0.4),
    "chat": Case(0.06, 0.1),
    "generation": Case(0.04, 0.01),
    "extraction": Case(0.6, 0.5),
}


def scores(model: StandIn, test_set: Path, score: Callable[[str, tuple[str, ...]], float]) -> list[float]:
    examples = [orjson.loads(line) for line in (test_set / "examples.jsonl").read_bytes().splitlines()]
    sources = [orjson.loads(line) for line in (test_set / "sources.jsonl").read_bytes().splitlines()]
    values = []
    for example, source in zip(examples, sources, strict=True):
        *turns, target = [(turn["role"], _text(turn)) for turn in example["contents"]]
        system = _text(example["systemInstruction"]) if "systemInstruction" in example else ""
        references = source.get("references") or [target[1]]
        values.append(score(model.answer(system, turns), tuple(references)))
    return values


def _text(content: dict[str, Any]) -> str:
    return "".join(part["text"] for part in content["parts"])


def records_of(split: Path) -> list[Record]:
    return read_dataset(split / "examples.jsonl", "The dataset", 100_000).records()


def significance(differences: list[float]) -> float:
    """Return the mean of paired differences, in standard errors."""
    return statistics.fmean(differences) * math.sqrt(len(differences)) / statistics.stdev(differences)


@pytest.mark.parametrize("name", CASES)
def test_the_tuned_stand_in_beats_its_base(name: str, tmp_path: Path) -> None:
    file = str(EXPERIMENTS / f"{name}.yaml")
    experiment = complete(load_experiment(file), file)
    splits = [tmp_path / split for split in ("train", "validation", "test")]
    _, problems = prepare(experiment, [str(split) for split in splits], str(tmp_path / "findings.jsonl"))
    assert not problems
    metrics = metrics_of(experiment.task)

    def score(answer: str, references: tuple[str, ...]) -> float:
        return metrics.score(answer, references)[metrics.primary]

    records = records_of(splits[0])
    settings = Settings(default_epochs(len(records)), 1.0, 4)
    base = scores(StandIn.base(), splits[2], score)
    tuned = scores(fit(records, settings).model, splits[2], score)
    control = scores(fit(shuffled(records), Settings(4, 1.0, 4)).model, splits[2], score)
    gains = [after - before for after, before in zip(tuned, base, strict=True)]
    assert len(gains) >= 60
    assert statistics.fmean(gains) >= CASES[name].gain
    assert significance(gains) > 2
    assert statistics.fmean(tuned) - statistics.fmean(control) >= CASES[name].control
