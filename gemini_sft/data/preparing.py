"""From the files that an experiment names to three checked splits."""

import itertools
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gemini_sft import storage
from gemini_sft.catalog import catalog
from gemini_sft.data import across, whole
from gemini_sft.data.block import Block, Drafted
from gemini_sft.data.blocks import blocks_of
from gemini_sft.data.findings import Fault, Finding
from gemini_sft.data.findings_log import FindingsLog
from gemini_sft.data.prompting import draw_few_shot, fingerprint, told_in_advance, with_few_shot
from gemini_sft.data.reading import reading_of
from gemini_sft.data.sensitive import find_sensitive
from gemini_sft.data.sources import File, expand
from gemini_sft.data.splitting import SPLITS, TEST, TRAIN, VALIDATION, divide, joined, shuffled, validation_cap
from gemini_sft.data.summary import DataSummary, SplitSummary
from gemini_sft.data.summing import describe
from gemini_sft.data.table import Table
from gemini_sft.data.workers import Workers
from gemini_sft.data.writing import train_bytes, write_splits
from gemini_sft.errors import DataError, Problem, UserError
from gemini_sft.experiment import Experiment, Task
from gemini_sft.experiment.rules import Policy
from gemini_sft.experiment.schema import listed

NEAR_EXAMPLES = 200_000
"""Examples among which near-duplicates are looked for: test and validation whole, and train as far as this goes."""


def prepare(experiment: Experiment, splits: Sequence[str], findings_uri: str) -> tuple[DataSummary, list[Problem]]:
    """Reads, checks, divides and writes the data of an experiment.

    Args:
        experiment: With data that can be read from here, and template and system instruction in place.
        splits: Where train, validation and test are to be written; empty to write none of them.
        findings_uri: Where all findings are to be written, as JSONL.

    Returns:
        What was found, and the problems that stop the run: the splits are written only if there is none.

    Raises:
        DataError: Files do not exist or cannot be read at all, or the prompt names a column that no record has.
        ServiceError: A service did not give or take data.
    """
    with (
        tempfile.TemporaryDirectory(prefix="gemini-sft-") as folder,
        FindingsLog(Path(folder) / "findings.jsonl") as log,
    ):
        return _Preparation(experiment, Path(folder), log).run(splits, findings_uri)


class _Preparation:
    def __init__(self, experiment: Experiment, folder: Path, log: FindingsLog) -> None:
        self._experiment, self._folder, self._log = experiment, folder, log
        self._reading = reading_of(experiment)
        self._drafts: dict[int, list[Drafted]] = {}
        self._files: dict[int, list[File]] = {}
        self._sketched = 0
        self._numbers = itertools.count()
        self._problems: list[Problem] = []
        self._suspect: set[int] = set()
        self._leaking: set[int] = set()
        self._drawn = 0
        self._labels: list[str] = []

    def run(self, splits: Sequence[str], findings_uri: str) -> tuple[DataSummary, list[Problem]]:
        """Does everything, in the order in which one thing needs the other."""
        self._read()
        if self._problems:
            raise DataError(self._problems + self._log.problems())
        order = (TRAIN, VALIDATION, TEST)
        drafts = [(draft, split) for split in order for draft in self._drafts[split]]
        misnamed = list(whole.misnamed([one for one, _ in drafts], self._reading.template, self._reading.target))
        if misnamed:
            raise DataError(misnamed)
        table = Table([draft for draft, _ in drafts], [split for _, split in drafts])
        if self._experiment.data.test is None:
            self._divide(table)
        self._check(table)
        instruction, few_shot = self._instruct(table)
        self._cap(table)
        self._weigh(table, instruction)
        mark = fingerprint(table, instruction, self._reading.usual_template)
        summary = DataSummary(
            splits={SPLITS[split]: self._split(table, split) for split in order},
            rules=self._log.summary(),
            fingerprint=mark,
            system_instruction=instruction,
            template=self._reading.template,
            few_shot=few_shot,
            near_duplicates_among=across.searched(table),
        )
        problems = self._log.problems()
        with storage.open_writer(findings_uri, "application/jsonl") as target:
            self._log.copy(target)
        if splits and not problems:
            write_splits(splits, table, instruction, mark, self._labels)
        return summary, problems

    def _read(self) -> None:
        data = self._experiment.data
        for split, given in ((TEST, data.test), (VALIDATION, data.validation), (TRAIN, data.train)):
            self._files[split] = []
            for uri in listed(given):
                try:
                    self._files[split] += expand(uri)
                except UserError as error:
                    self._problems.append(Problem(f"data.{SPLITS[split]}", str(error)))
        with Workers(self._reading, self._folder) as workers:
            for split in (TEST, VALIDATION, TRAIN):
                self._drafts[split] = list(self._taken(workers.read(self._blocks(self._files[split]))))

    def _blocks(self, files: Iterable[File]) -> Iterator[tuple[Block, bool]]:
        for file in files:
            try:
                for block in blocks_of(file):
                    near = self._sketched < NEAR_EXAMPLES
                    self._sketched += block.count if near else 0
                    yield replace(block, number=next(self._numbers)), near
            except DataError as error:
                self._problems += error.problems

    def _taken(self, drafts: Iterable[Drafted]) -> Iterator[Drafted]:
        for draft in drafts:
            for finding in draft.findings:
                self._log.add(finding)
            draft.findings.clear()
            yield draft

    def _divide(self, table: Table) -> None:
        data = self._experiment.data
        rows = table.living(TRAIN)
        groups, keys = table.column("group")[rows], table.column("key")[rows]
        strata = np.zeros_like(keys)
        if self._experiment.task is Task.CLASSIFICATION:
            strata = table.column("target")[rows]
        shares = (0.0 if data.validation else data.split.validation, data.split.test)
        table.part[rows] = divide(joined(groups, keys), strata, shares, data.seed)

    def _check(self, table: Table) -> None:
        instruction = self._reading.instruction
        for hit in find_sensitive((instruction or "").encode()):
            keeps = self._reading.policies[hit.rule] is Policy.WARN  # an instruction cannot be left out
            policy = Policy.WARN if keeps else Policy.ERROR
            self._note("prompt.system_instruction", 0, Fault(hit.rule, hit.words), policy)
        for split in (TRAIN, VALIDATION, TEST):
            for fault in whole.slices(self._drafts[split], self._reading.slices):
                self._note(SPLITS[split], 0, fault)
        if self._experiment.task is Task.CLASSIFICATION:
            self._labels = whole.label_set(table, self._experiment.data.labels)
            self._apply(table, whole.labels(table, self._labels))
        self._apply(table, whole.unreadable(table, self._experiment.evaluation.tokenizer))
        for hits in (
            across.duplicates(table),
            across.leaks(table, "key", "leak", "prompt"),
            across.told_early(table, self._leaking),
            across.leaks(table, "group", "group_leak", f"{self._reading.group}"),
            across.conflicts(table),
            across.resemblances(table),
        ):
            self._apply(table, hits)
        if not catalog().mixes_media_resolutions(self._experiment.base_model):
            for source, line, fault in whole.resolutions(table):
                self._note(source, line, fault)

    def _apply(self, table: Table, hits: Iterable[across.Hit]) -> None:
        """Notes what rows have broken a rule, and takes out those that the policy drops."""
        for hit in list(hits):
            policy = self._reading.policies[hit.rule]
            source, line = table.place(hit.row)
            self._note(source, line, Fault(hit.rule, hit.what))
            if hit.rule == "near_leak":
                self._suspect.add(hit.row)
            elif hit.rule == "leak":
                self._leaking.add(hit.row)
            if policy is Policy.DROP:
                table.alive[hit.row] = False

    def _instruct(self, table: Table) -> tuple[str | None, list[str]]:
        """Returns the system instruction, and where the few-shot examples in it came from."""
        instruction, count = self._reading.instruction, self._experiment.prompt.few_shot
        drawn: list[int] = []
        if count:
            if (table.column("instruction")[table.alive] != 0).any():
                what = "cannot be, for there are examples that bring a system instruction of their own"
                raise DataError([Problem("prompt.few_shot", what)])
            before = int(table.alive.sum())
            drawn = draw_few_shot(table, count, self._experiment.data.seed, self._suspect)
            self._drawn = before - int(table.alive.sum())
            if len(drawn) < count or not len(table.living(TRAIN)):
                what = f"asks for {count} examples, and train has too few that stand in no other split"
                raise DataError([Problem("prompt.few_shot", f"{what}: ask for fewer")])
            instruction = with_few_shot(instruction, table, drawn)
        for row in told_in_advance(table, instruction):
            source, line = table.place(row)
            self._note(source, line, Fault("few_shot_leak", "has a prompt that stands in the system instruction"))
        return instruction, [table.where(row) for row in drawn]

    def _cap(self, table: Table) -> None:
        rows = table.living(VALIDATION)
        cap = validation_cap(len(rows), len(table.living(TRAIN)))
        if cap < len(rows):
            self._note(
                "validation", 0, Fault("validation_cap", f"has {len(rows):,} examples, of which {cap:,} are kept")
            )
            order = np.argsort(shuffled(table.column("id")[rows], self._experiment.data.seed), kind="stable")
            table.alive[rows[order[cap:]]] = False

    def _weigh(self, table: Table, instruction: str | None) -> None:
        """Checks each split as a whole."""
        faults = [*whole.sizes(table, train_bytes(table, instruction)), *whole.instructions(table, instruction)]
        if self._experiment.task is Task.CLASSIFICATION:
            known = whole.label_set(table, self._experiment.data.labels)
            faults += whole.classes(table, known)
        else:
            faults += whole.targets(table)
        for split, fault in faults:
            self._note(SPLITS[split], 0, fault)

    def _split(self, table: Table, split: int) -> SplitSummary:
        counts = whole.label_counts(table, split) if self._experiment.task is Task.CLASSIFICATION else {}
        labels = {"…" if find_sensitive(name.encode()) else name: count for name, count in counts.items()}
        dropped = sum(draft.dropped for draft in self._drafts[split])
        dropped += int((~table.alive & (table.part == split)).sum()) - (self._drawn if split == TRAIN else 0)
        divided = self._experiment.data.test is None and not self._files[split]
        files = self._files[TRAIN if divided else split]
        return describe(table, split, [file.name for file in files], labels, dropped)

    def _note(self, source: str, line: int, fault: Fault, policy: Policy | None = None) -> None:
        self._log.add(
            Finding(
                rule=fault.rule,
                source=source,
                line=line,
                what=fault.what,
                excerpt=fault.excerpt,
                policy=policy or self._reading.policies[fault.rule],
            )
        )
