"""What was made of the data, as one HTML document."""

from dataclasses import dataclass

from gemini_sft.data.findings import Finding
from gemini_sft.data.summary import DataSummary, RuleSummary
from gemini_sft.experiment.rules import RULES, Policy, Rule
from gemini_sft.report import numbers
from gemini_sft.report.data_figures import histogram, label_table
from gemini_sft.report.render import render
from gemini_sft.report.text import Passage, passage, visible

FINDINGS_SHOWN = 150
"""Rows in all tables of findings together, about."""
FINDINGS_PER_RULE = (3, 10)
"""Rows per rule: at least, if many rules are broken, and at most."""
FILES_SHOWN = 10
"""Files per split."""

_POLICIES = (Policy.ERROR, Policy.DROP, Policy.WARN)
_DONE = {Policy.ERROR: "stops the run", Policy.DROP: "left out", Policy.WARN: "kept"}
_PLACE_LIMIT, _TEXT_LIMIT, _EXCERPT_LIMIT, _INSTRUCTION_LIMIT = 300, 300, 120, 12_000


@dataclass(frozen=True)
class Row:
    """One finding."""

    where: str
    what: Passage
    excerpt: Passage


@dataclass(frozen=True)
class RuleView:
    """One rule that was broken; `rows` are the first of `count` findings."""

    rule: Rule
    policy: Policy
    done: str
    count: int
    rows: list[Row]

    @property
    def more(self) -> int:
        """How many findings are not on the page."""
        return max(0, self.count - len(self.rows))

    @property
    def quoted(self) -> bool:
        """Whether any finding shows something of the data."""
        return any(row.excerpt.text for row in self.rows)


def data_page(summary: DataSummary, *, experiment_name: str) -> str:
    """Returns one self-contained HTML document; the same input gives the same text.

    Args:
        summary: What was made of the data.
        experiment_name: As the experiment file says it.
    """
    instruction = summary.system_instruction
    least, most = FINDINGS_PER_RULE
    shown = max(least, min(most, FINDINGS_SHOWN // max(1, len(summary.rules))))
    return render(
        "data.html.j2",
        (),
        name=experiment_name,
        usable=not summary.errors,
        headline=_headline(summary.errors),
        said=_said(summary),
        splits=summary.splits,
        files={name: _files(split.files) for name, split in summary.splits.items()},
        histogram=histogram(summary.splits),
        labels=label_table(summary.splits),
        rules=rule_views(summary.rules, shown),
        instruction=None if instruction is None else passage(instruction, _INSTRUCTION_LIMIT),
        turn=None if summary.template is None else passage(summary.template, _INSTRUCTION_LIMIT),
        fingerprint=summary.fingerprint,
        few_shot=[_place(one) for one in summary.few_shot],
        searched=_searched(summary),
    )


def _headline(errors: int) -> str:
    if not errors:
        return "The data can be used"
    return f"{numbers.count(errors, 'finding')} {'stops' if errors == 1 else 'stop'} the run"


def _said(summary: DataSummary) -> str:
    """Returns how many records were left out and how many warnings there are."""
    dropped = sum(split.dropped for split in summary.splits.values())
    warnings = sum(one.count for one in summary.rules if one.policy is Policy.WARN)
    left_out = (
        f"{numbers.count(dropped, 'record') if dropped else 'No record'} {'were' if dropped > 1 else 'was'} left out"
    )
    warned = (
        f"there {'are' if warnings > 1 else 'is'} {numbers.count(warnings, 'warning') if warnings else 'no warning'}"
    )
    return f"{left_out}, and {warned}."


def _files(files: list[str]) -> tuple[list[str], int]:
    """Returns the first files and how many more there are."""
    return [_place(one) for one in files[:FILES_SHOWN]], max(0, len(files) - FILES_SHOWN)


def rule_views(broken: list[RuleSummary], shown: int) -> list[RuleView]:
    """Returns the rules that were broken: those that stop the run first, then what was left out, then what was kept.

    Args:
        broken: The rules.
        shown: How many findings of each at most.
    """
    ordered = sorted(broken, key=lambda one: (_POLICIES.index(one.policy), -one.count, one.rule))
    return [
        RuleView(
            RULES[one.rule], one.policy, _DONE[one.policy], one.count, [_row(found) for found in one.first[:shown]]
        )
        for one in ordered
    ]


def _row(found: Finding) -> Row:
    return Row(
        where=_place(found.where),
        what=passage(found.what, _TEXT_LIMIT),
        excerpt=passage(found.excerpt, _EXCERPT_LIMIT),
    )


def _place(place: str) -> str:
    """Returns a file, and its line if there is one; of a long name the end, which tells files apart."""
    shown = visible(place)
    return shown if len(shown) <= _PLACE_LIMIT else "…" + shown[-_PLACE_LIMIT:]


def _searched(summary: DataSummary) -> str:
    """Returns among how many of how many records near-duplicates were searched for.

    It was done before the last records were left out, so that examples alone are not what it is a part of.
    """
    examples = sum(split.examples for split in summary.splits.values())
    records = numbers.count(examples + sum(split.dropped for split in summary.splits.values()), "record")
    among = summary.near_duplicates_among
    more = "; there may be more of them than were found" if among < examples else ""
    return f"Near-duplicates were searched for among {among:,} of {records}, those left out included{more}."
