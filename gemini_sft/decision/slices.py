"""The test examples in parts."""

from collections import Counter

from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES
from gemini_sft.decision.comparison import Slice
from gemini_sft.decision.evidence import Evidence
from gemini_sft.decision.paired import Paired

MOST_VALUES = 20
"""Of a column: the most frequent ones."""


def sliced(evidence: Evidence, paired: Paired, confidence: float) -> list[Slice]:
    """Returns how the candidate compares with the base model in each slice, in the deciding metric."""
    metric = evidence.primary
    found = []
    for column in dict.fromkeys(name for row in evidence.slices.values() for name in row):
        values = {one: row[column] for one, row in evidence.slices.items() if column in row}
        counts = Counter(values.values())
        for value in sorted(counts, key=lambda one: (-counts[one], one))[:MOST_VALUES]:
            part = paired.part({one for one, has in values.items() if has == value})
            told = part.independent >= FEWEST_EXAMPLES
            found.append(
                Slice(
                    column=column,
                    value=value,
                    n=len(part.ids),
                    base=float(part.before[metric].mean()),
                    candidate=float(part.after[metric].mean()),
                    difference=part.differences([metric], confidence)[metric] if told else None,
                )
            )
    return found
