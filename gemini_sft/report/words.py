"""What outcomes and verdicts are called before people who never saw them."""

from gemini_sft.decision import Comparison, Verdict
from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES
from gemini_sft.decision.ruling import is_number
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

STAND_IN = "stand-in"
"""How the names of models begin that the local emulator answers with."""

UNREADABLE = (
    "Answers without a word, or mostly in a script that the metrics do not see: they count as failures and score 0."
)

_KEEP = {True: "Keep the champion", False: "Keep the base model"}


def headline(comparison: Comparison) -> str:
    """Returns what to do, in a line: what is in use stays unless the tuned model is promoted."""
    champion = comparison.champion is not None or bool(comparison.champion_missing)
    if comparison.verdict is Verdict.PROMOTE:
        return "Promote the tuned model"
    if comparison.verdict is Verdict.REJECT:
        return _KEEP[champion]
    return f"{_KEEP[champion]} for now: {_open(comparison)}"


def _open(comparison: Comparison) -> str:
    """Returns what leaves a verdict open: a missing champion; guards, if the gain is shown; else the examples."""
    if comparison.champion_missing:
        return "it could not be evaluated"
    guards = sum(one.held is None for one in comparison.guards)
    models = [one for one in (comparison, comparison.champion) if one]
    told = all(is_number(one.differences[comparison.primary_metric]) for one in models)
    told &= (comparison.groups or comparison.candidate.n) >= FEWEST_EXAMPLES
    if not guards or not told or comparison.power:
        return "these examples cannot tell"
    return "a guard is open" if guards == 1 else f"{guards} guards are open"


def title(label: str) -> str:
    """Returns a label with a capital; names such as chrF keep their own."""
    return label[0].upper() + label[1:] if label.split(maxsplit=1)[0].islower() else label


def sentence(text: str) -> str:
    """Returns a text with a capital at its start and a stop at its end; names such as rouge1_f keep their own."""
    text = text.strip()
    first = text.partition(" ")[0].rstrip(",;:")
    start = text[:1].upper() if first.replace("-", "").isalpha() else text[:1]
    return start + text[1:] + ("" if text.endswith((".", "!", "?")) or not text else ".")
