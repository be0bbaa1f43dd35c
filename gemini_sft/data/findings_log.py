"""All findings of a run: counted, the first of each rule in memory, every one in a file."""

import shutil
from collections import Counter, defaultdict
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import orjson

from gemini_sft.data.findings import Finding
from gemini_sft.data.summary import RuleSummary
from gemini_sft.errors import Problem
from gemini_sft.experiment.rules import RULES, Policy

_FIRST = 20
_SEVERITY = (Policy.ERROR, Policy.DROP, Policy.WARN)


class FindingsLog:
    """Takes findings, in constant memory."""

    def __init__(self, path: Path) -> None:
        """Begins an empty log whose findings are written to `path`, one JSON object a line."""
        self._path, self._file = path, path.open("wb")
        self._counts: Counter[tuple[Policy, str]] = Counter()
        self._first: defaultdict[tuple[Policy, str], list[Finding]] = defaultdict(list)

    def add(self, finding: Finding) -> None:
        """Takes one finding."""
        key = (finding.policy, finding.rule)
        self._counts[key] += 1
        if len(self._first[key]) < _FIRST:
            self._first[key].append(finding)
        document = finding.model_dump(mode="json") | {"remedy": finding.remedy}
        self._file.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))

    def __enter__(self) -> "FindingsLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def copy(self, target: BinaryIO) -> None:
        """Writes all findings, one JSON object a line."""
        self._file.flush()
        with self._path.open("rb") as source:
            shutil.copyfileobj(source, target)

    def summary(self) -> list[RuleSummary]:
        """Returns every rule that was broken; what stops the run first, then by count."""
        keys = sorted(self._counts, key=lambda key: (_SEVERITY.index(key[0]), -self._counts[key], key[1]))
        return [
            RuleSummary(rule=rule, policy=policy, count=self._counts[policy, rule], first=self._first[policy, rule])
            for policy, rule in keys
        ]

    def problems(self) -> list[Problem]:
        """Returns what stops the run: of each rule the first findings, and how many there are."""
        found = []
        for (policy, rule), count in self._counts.items():  # in the order in which they were met: causes come first
            if policy is Policy.ERROR:
                first = self._first[policy, rule]
                found += [Problem(finding.where, f"{finding.what}: {finding.remedy}") for finding in first]
                if count > len(first):
                    found.append(Problem(RULES[rule].title, f"{count - len(first):,} more findings of the rule {rule}"))
        return found
