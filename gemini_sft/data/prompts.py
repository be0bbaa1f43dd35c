"""Prompts that are only asked: from a file or from the command line to what a model is sent, as in tuning."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gemini_sft import storage
from gemini_sft.data.block import Block
from gemini_sft.data.block_reader import read_block
from gemini_sft.data.blocks import blocks_of
from gemini_sft.data.example import Example
from gemini_sft.data.preparing import prepare
from gemini_sft.data.reading import Reading, reading_of
from gemini_sft.data.records import shape_of
from gemini_sft.data.sources import expand
from gemini_sft.errors import DataError, Problem, UserError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.rules import RULES, Policy
from gemini_sft.experiment.template import columns_of

_TEXT = "TEXT"
"""How messages speak of what is given on the command line."""


def read_prompts(experiment: Experiment, uri: str) -> list[Example]:
    """Reads a file whose records may be as those of the data, with or without their answers.

    What would be a warning in data, or could be made one, is none here: nothing is learnt from these.

    Args:
        experiment: With its template in place.
        uri: Of the file; see `sources.expand`.

    Returns:
        One example for each record, in their order. Its last turn is a placeholder, which is not sent.

    Raises:
        UserError: There is no such file.
        DataError: Records cannot be asked, or there are none.
    """
    examples = _read((block for file in expand(uri) for block in blocks_of(file)), _reading(experiment))
    if not examples:
        raise DataError([Problem(uri, "has no record: there is nothing to ask")])
    return examples


def one_prompt(experiment: Experiment, texts: Sequence[str]) -> list[Example]:
    """Returns the one prompt that texts make.

    Args:
        experiment: With its template in place.
        texts: The user's text; where the template has several columns, `column=value` for each of them, which may also
            be said where it has one.

    Raises:
        UserError: They do not fit the template.
        DataError: There is nothing in them.
    """
    reading, record = _reading(experiment), _record(experiment.prompt.template, texts)
    return _read([Block(number=0, source=_TEXT, shape=shape_of(record), count=1, rows=((0, record),))], reading)


def instructed(experiment: Experiment, examples: Sequence[Example]) -> list[Example]:
    """Returns examples with the experiment's system instruction in front of those that bring none of their own.

    Few-shot examples in it are drawn from the data, which are read again for that: same data, same examples.

    Raises:
        DataError: The data cannot be read or have errors.
        ServiceError: A service did not give them.
    """
    instruction = experiment.prompt.system_instruction
    if experiment.prompt.few_shot:
        with tempfile.TemporaryDirectory(prefix="gemini-sft-") as folder:
            summary, problems = prepare(experiment, (), str(Path(folder) / "findings.jsonl"))
        if problems:
            raise DataError(problems)
        instruction = summary.system_instruction
    if instruction is None:
        return list(examples)
    front = {"systemInstruction": {"parts": [{"text": instruction}]}}
    return [replace(one, record=front | one.record) for one in examples]


def _reading(experiment: Experiment) -> Reading:
    # What sorts examples is not asked of those that go into no split.
    data = experiment.data.model_copy(update={"group": None, "slices": []})
    lenient = {name: Policy.WARN if Policy.WARN in one.policies else Policy.ERROR for name, one in RULES.items()}
    reading = reading_of(experiment.model_copy(update={"data": data}))
    return replace(reading, policies=lenient, tokenizer=None, answered=False)


def _record(template: str | None, texts: Sequence[str]) -> dict[str, Any]:
    columns = columns_of(template) if template else ()
    if len(texts) == 1 and len(columns) <= 1:
        if not columns:
            return {"messages": [{"role": "user", "content": texts[0]}]}
        return {columns[0]: texts[0].removeprefix(f"{columns[0]}=")}
    record: dict[str, Any] = {}
    wanted = " ".join(f"{name}=..." for name in columns) or "COLUMN=VALUE for each column"
    if len(columns) <= 1 and not all("=" in text for text in texts):
        raise UserError(f"{len(texts)} texts are given, and one is wanted: put it in quotes")
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or (columns and name not in columns):
            raise UserError(f"{_TEXT} must be {wanted}, each once: one of what was given is for no column")
        if name in record:
            raise UserError(f"{_TEXT} must be {wanted}, each once: {name} is given twice")
        record[name] = value
    if missing := [name for name in columns if name not in record]:
        raise UserError(f"{_TEXT} must be {wanted}, each once: {' and '.join(missing)} not given")
    return record


def _read(blocks: Iterable[Block], reading: Reading) -> list[Example]:
    problems: list[Problem] = []
    examples: list[Example] = []
    with tempfile.TemporaryDirectory(prefix="gemini-sft-") as folder:
        for block in blocks:
            drafted = read_block(block, reading, Path(folder), near=False)
            problems += [
                Problem(one.where, f"{one.what}: {one.remedy}")
                for one in drafted.findings
                if one.policy is Policy.ERROR
            ]
            examples += _examples(str(drafted.records), str(drafted.sources))
    if problems:
        raise DataError(problems)
    return examples


def _examples(records: str, sources: str) -> Iterator[Example]:
    for record, source in zip(storage.read_jsonl(records), storage.read_jsonl(sources), strict=True):
        yield Example(id=source["id"], record=record, source=source["source"], line=source["line"], references=())
