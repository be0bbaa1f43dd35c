"""A dataset file: its usable examples, what was dropped and why, and the rules that a whole dataset must keep.

Rules of Google's supervised tuning pages (2026-09-25). That more than 10 % of dropped examples fail the job is said of
video tuning only and taken to hold for all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from vertex_emulator.standin import Record
from vertex_emulator.tuning.example import BadExample, Example, read_example

MAX_BYTES = 1024**3
MAX_TEXT_EXAMPLES = 10_000_000
MAX_MULTIMODAL_EXAMPLES = 300_000
MAX_DROPPED_SHARE = 0.1
MAX_VALIDATION_EXAMPLES = 5000
LARGE_VALIDATION_EXAMPLES = 1000
"""A larger validation dataset must be small beside the training dataset: `MAX_VALIDATION_SHARE` of it at most."""
MAX_VALIDATION_SHARE = 0.3

_REASONS_SHOWN = 3


class DatasetError(Exception):
    """Why a job cannot be trained on its datasets; the text becomes the job's error."""


@dataclass(frozen=True)
class Drop:
    """An example that is neither trained on nor billed.

    Attributes:
        index: Its place in the file, from 1; blank lines are not counted.
        reason: What is wrong with it.
    """

    index: int
    reason: str


@dataclass
class Dataset:
    """A dataset as it was read.

    Attributes:
        title: How messages speak of it, with its URI.
        examples: The usable examples, in the order of the file.
        drops: The others.
    """

    title: str
    examples: list[Example] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)

    @property
    def count(self) -> int:
        """All examples of the file."""
        return len(self.examples) + len(self.drops)

    def records(self) -> list[Record]:
        """Returns what is trained on: each model turn of each usable example."""
        return [record for example in self.examples for record in example.records()]

    def check(self) -> None:
        """Refuses a dataset with too many examples, too many dropped ones, or nothing to learn.

        Raises:
            DatasetError: Such a dataset.
        """
        multimodal = any(sum(example.other_parts) for example in self.examples)
        limit = MAX_MULTIMODAL_EXAMPLES if multimodal else MAX_TEXT_EXAMPLES
        if self.count > limit:
            kind = "multimodal" if multimodal else "text"
            raise DatasetError(f"{self.title} has {self.count} examples; at most {limit} {kind} examples are allowed.")
        if len(self.drops) > MAX_DROPPED_SHARE * self.count:
            raise DatasetError(
                f"{len(self.drops)} of the {self.count} examples of {self.title} were dropped, more than the"
                f" {MAX_DROPPED_SHARE:.0%} that are allowed. {self._first_reasons()}"
            )
        if not any(True for example in self.examples for _ in example.records()):
            raise DatasetError(f"{self.title} has no model turn with text to learn from.")

    def _first_reasons(self) -> str:
        shown = "; ".join(f"example {drop.index}: {drop.reason}" for drop in self.drops[:_REASONS_SHOWN])
        return f"First reasons: {shown}."


def read_dataset(path: Path, title: str, max_tokens: int) -> Dataset:
    """Reads a JSONL file.

    Args:
        path: The file.
        title: How messages speak of it, with its URI.
        max_tokens: The most tokens that an example may have.

    Raises:
        DatasetError: The file is missing, empty or too large.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DatasetError(f"{title} has {size} bytes; at most {MAX_BYTES} (1 GB) are allowed.")
        dataset = Dataset(title)
        with path.open("rb") as file:
            for index, line in enumerate(_lines(file), start=1):
                try:
                    dataset.examples.append(read_example(line, max_tokens))
                except BadExample as error:
                    dataset.drops.append(Drop(index, str(error)))
    except OSError as error:
        raise DatasetError(f"{title} cannot be read: {error.strerror}.") from error
    if not dataset.count:
        raise DatasetError(f"{title} is empty.")
    return dataset


def check_validation_size(validation: Dataset, training: Dataset) -> None:
    """Refuses a validation dataset that is too large.

    Raises:
        DatasetError: It has more than 5000 examples, or more than 1000 that are over 30 % of the training examples.
    """
    if validation.count > MAX_VALIDATION_EXAMPLES:
        raise DatasetError(
            f"{validation.title} has {validation.count} examples; at most {MAX_VALIDATION_EXAMPLES} are allowed."
        )
    share = validation.count / training.count
    if validation.count > LARGE_VALIDATION_EXAMPLES and share > MAX_VALIDATION_SHARE:
        raise DatasetError(
            f"{validation.title} has {validation.count} examples, {share:.0%} of the {training.count} training"
            f" examples; beyond {LARGE_VALIDATION_EXAMPLES} it may have at most {MAX_VALIDATION_SHARE:.0%}."
        )


def _lines(file: BinaryIO) -> Iterator[bytes]:
    return (line for line in file if line.strip())
