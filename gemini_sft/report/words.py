"""What metrics, outcomes and verdicts are called before people who never saw them."""

from dataclasses import dataclass

from gemini_sft.decision import Verdict
from gemini_sft.inference import Outcome

_ROUGE = {
    "rouge1": ("ROUGE-1", "single words"),
    "rouge2": ("ROUGE-2", "pairs of neighbouring words"),
    "rougeL": ("ROUGE-L", "words in the same order"),
}
_PARTS = {
    "precision": ("precision", "how much of the answer's {unit} stands in the reference too"),
    "recall": ("recall", "how much of the reference's {unit} the answer contains"),
    "f": ("F1", "agreement of answer and reference in {unit}, precision and recall balanced"),
}

OUTCOMES = {
    Outcome.ANSWERED: "The model gave an answer.",
    Outcome.TRUNCATED: "The answer was cut at its length limit; what there is was scored.",
    Outcome.EMPTY: "The model returned no text.",
    Outcome.BLOCKED: "A safety or recitation filter withheld the answer.",
    Outcome.MALFORMED: "The model returned something that is not an answer.",
    Outcome.ERROR: "The request failed, also when repeated.",
}
"""In the order in which they are shown."""

HEADLINES = {
    Verdict.PROMOTE: "Promote the tuned model",
    Verdict.REJECT: "Keep the base model",
    Verdict.INCONCLUSIVE: "These examples cannot tell",
}


@dataclass(frozen=True)
class MetricWords:
    """A metric's label and, where it is known, half a sentence that says what it measures."""

    label: str
    meaning: str


def metric_words(name: str) -> MetricWords:
    """Returns what a metric is called; one that is not known here keeps its own name."""
    kind, _, part = name.partition("_")
    if kind not in _ROUGE or part not in _PARTS:
        return MetricWords(name.replace("_", " "), "")
    label, unit = _ROUGE[kind]
    part_label, meaning = _PARTS[part]
    return MetricWords(f"{label} {part_label}", meaning.format(unit=unit))
