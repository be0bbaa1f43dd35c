"""The test examples in parts."""

from collections import Counter

from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES
from gemini_sft.decision.comparison import Slice
from gemini_sft.decision.evidence import Evidence
from gemini_sft.decision.paired import Paired

MOST_VALUES = 20
"""Of a column: the most frequent ones."""


def sliced(evidence: Evidence, in_use: Paired, confidence: float) -> list[Slice]:
    """Returns how the candidate compares with what is in use in each slice, in the deciding metric.

    Args:
        evidence: Knows the slices.
        in_use: Candidate minus the champion if it was evaluated, else minus the base model.
        confidence: Of the intervals.
    """
    metric = evidence.primary
    found = []
    for column in dict.fromkeys(name for row in evidence.slices.values() for name in row):
        values = {one: row[column] for one, row in evidence.slices.items() if column in row}
        counts = Counter(values.values())
        for value in sorted(counts, key=lambda one: (-counts[one], one))[:MOST_VALUES]:
            part = in_use.part({one for one, has in values.items() if has == value})
            told = part.independent >= FEWEST_EXAMPLES
            found.append(
                Slice(
                    column=column,
                    value=value,
                    n=len(part.ids),
                    before=float(part.before[metric].mean()),
                    candidate=float(part.after[metric].mean()),
                    difference=part.differences([metric], confidence)[metric] if told else None,
                )
            )
    return found
