"""What metrics are called before people who never saw them."""

from dataclasses import dataclass

_ROUGE = {
    "rouge1": ("ROUGE-1", "single words"),
    "rouge2": ("ROUGE-2", "pairs of neighbouring words"),
    "rougeL": ("ROUGE-L", "words in the same order"),
    "rougeLsum": ("ROUGE-Lsum", "words in the same order within lines"),
}
_PARTS = {
    "precision": ("precision", "how much of the answer's {unit} stands in the reference too"),
    "recall": ("recall", "how much of the reference's {unit} the answer contains"),
    "f": ("F", "agreement of answer and reference in {unit}, precision and recall balanced"),
}


@dataclass(frozen=True)
class MetricWords:
    """A metric's label and, where it is known, half a sentence that says what it measures."""

    label: str
    meaning: str


_WORDS = {
    f"{kind}_{part}": MetricWords(f"{label} {part_label}", meaning.format(unit=unit))
    for kind, (label, unit) in _ROUGE.items()
    for part, (part_label, meaning) in _PARTS.items()
} | {
    "exact_match": MetricWords("exact match", "share of answers that are right but for case, punctuation and articles"),
    "token_f1": MetricWords("token F1", "agreement of answer and reference in words, precision and recall balanced"),
    "exact_match_tutorial": MetricWords("exact match, tutorial", "share of answers that are right but for case"),
    "token_f1_tutorial": MetricWords("token F1, tutorial", "token F1 in which punctuation and articles count"),
    "bleu": MetricWords("BLEU (0–100)", "agreement in runs of up to four words, over all examples at once"),
    "chrf": MetricWords("chrF (0–100)", "agreement in runs of up to six characters, over all examples at once"),
    "micro_f1": MetricWords(
        "micro F1", "agreement of labels over all examples at once; an answer that is no label costs recall only"
    ),
    "macro_f1": MetricWords("macro F1", "mean of the F1 of every label of the label set, rare ones counting as much"),
    "accuracy": MetricWords("accuracy", "share of answers that are the right label, letter by letter"),
    "valid_json": MetricWords("valid JSON", "share of answers that are a JSON object or array and nothing else"),
    "exact_object": MetricWords("exact object", "share of answers that are equal to the reference as JSON"),
    "field_precision": MetricWords("field precision", "how much of the answer's fields stands in the reference too"),
    "field_recall": MetricWords("field recall", "how much of the reference's fields the answer contains"),
    "field_f1": MetricWords("field F1", "agreement of answer and reference in fields, precision and recall balanced"),
}


def metric_words(name: str) -> MetricWords:
    """Returns what a metric is called; one that is not known here keeps its own name."""
    return _WORDS.get(name) or MetricWords(name.replace("_", " "), "")
