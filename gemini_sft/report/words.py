"""What outcomes and verdicts are called before people who never saw them."""

from gemini_sft.decision import Verdict
from gemini_sft.inference import Outcome

OUTCOMES = {
    Outcome.ANSWERED: "The model gave an answer.",
    Outcome.TRUNCATED: "The answer was cut at its length limit; what there is was scored.",
    Outcome.EMPTY: "The model returned no text.",
    Outcome.BLOCKED: "A safety or recitation filter withheld the answer.",
    Outcome.MALFORMED: "The model returned something that is not an answer.",
    Outcome.ERROR: "The request failed, also when repeated.",
}
"""In the order in which they are shown."""

UNREADABLE = (
    "Answers without a word, or mostly in a script that the metrics do not see: they count as failures and score 0."
)

HEADLINES = {
    Verdict.PROMOTE: "Promote the tuned model",
    Verdict.REJECT: "Keep the base model",
    Verdict.INCONCLUSIVE: "These examples cannot tell",
}


def title(label: str) -> str:
    """Returns a label with a capital; names such as chrF keep their own."""
    return label[0].upper() + label[1:] if label.split(maxsplit=1)[0].islower() else label


def sentence(text: str) -> str:
    """Returns a text with a capital at its start and a stop at its end."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) or not text else ".")
