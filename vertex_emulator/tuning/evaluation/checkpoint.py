"""Evaluates a checkpoint, in the training process."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from vertex_emulator.standin import StandIn, choose, complete
from vertex_emulator.tuning.dataset import DatasetError
from vertex_emulator.tuning.evaluation.scores import AGGREGATIONS, Score, scorer
from vertex_emulator.tuning.evaluation.wishes import Wishes
from vertex_emulator.tuning.example import Example


@dataclass(frozen=True)
class _Item:
    system: str
    turns: tuple[tuple[str, str], ...]
    reference: str

    @property
    def request(self) -> str:
        """As a GenerateContentRequest in JSON."""
        contents = [{"role": role, "parts": [{"text": text}]} for role, text in self.turns]
        system = {"systemInstruction": {"parts": [{"text": self.system}]}} if self.system else {}
        return orjson.dumps({**system, "contents": contents}).decode()


class Evaluator:
    """Lets one checkpoint after the other answer the same examples: their last turns are the references.

    Args:
        examples: Of the validation dataset.
        wishes: What is to be computed.

    Raises:
        DatasetError: An example is not only text.
    """

    def __init__(self, examples: Sequence[Example], wishes: Wishes) -> None:
        if any(any(example.other_parts) for example in examples):
            raise DatasetError(
                "Failed to convert GeminiTuneExamples to Evaluation Examples. Multimodal is not supported for tunex"
                " evaluation datasets at this time."
            )
        self._items = [_Item(each.system, each.turns[:-1], each.turns[-1][1]) for each in examples]
        self._wishes = wishes
        self._scorers: list[Score] = [scorer(metric) for metric in wishes.metrics]

    def evaluate(self, model: StandIn, folder: Path) -> dict[str, Any]:
        """Lets a checkpoint answer.

        Args:
            model: The checkpoint.
            folder: Where the files go.

        Returns:
            The paths of two JSONL files, `dataset` with requests and responses and `results` with scores; and
            `aggregates`, each an `AggregationResult`.
        """
        dataset, results = [], []
        scores: list[list[float]] = [[] for _ in self._scorers]
        for item in self._items:
            response = self._answer(model, item)
            instance = {"request": item.request, "response": response, "reference": item.reference}
            values = [score(response, item.reference) for score in self._scorers]
            for column, value in zip(scores, values, strict=True):
                column.append(value)
            fields = [metric.value_field for metric in self._wishes.metrics]
            dataset.append(instance)
            results.append(
                {
                    "jsonInstance": orjson.dumps(instance).decode(),
                    "evaluationResults": [
                        {field: {"score": value}} for field, value in zip(fields, values, strict=True)
                    ],
                }
            )
        aggregates = [
            {"aggregationMetric": name, metric.value_field: {"score": AGGREGATIONS[name](column)}}
            for metric, column in zip(self._wishes.metrics, scores, strict=True)
            for name in metric.aggregations
        ]
        paths = {"dataset": folder / "evaluation_dataset.jsonl", "results": folder / "evaluation_results.jsonl"}
        for name, lines in (("dataset", dataset), ("results", results)):
            paths[name].write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        return {**{name: str(path) for name, path in paths.items()}, "aggregates": aggregates}

    def _answer(self, model: StandIn, item: _Item) -> str:
        choices = self._wishes.choices
        return complete(
            model,
            item.system,
            item.turns,
            max_output_tokens=self._wishes.max_output_tokens,
            stop_sequences=self._wishes.stop_sequences,
            text=choose(model, item.system, item.turns, choices) if choices else None,
        ).text
