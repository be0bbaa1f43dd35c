"""The decision: is the tuned model really better than what could be used instead?"""

from gemini_sft.decision import power
from gemini_sft.decision.bootstrap import FEWEST_EXAMPLES
from gemini_sft.decision.comparison import Champion, Comparison, Verdict, side_of
from gemini_sft.decision.evidence import Evidence
from gemini_sft.decision.guards import guarded, on_guards
from gemini_sft.decision.level import level
from gemini_sft.decision.paired import Paired
from gemini_sft.decision.ruling import CHAMPION, Ruling, on_gain, together
from gemini_sft.decision.slices import sliced
from gemini_sft.decision.whole import corpus_intervals
from gemini_sft.experiment import Gate

_OPEN = Verdict.INCONCLUSIVE


def compare(gate: Gate, evidence: Evidence) -> Comparison:
    """Compares the tuned model with the base model, and with the champion if there is one.

    It is to be promoted if it is shown to gain enough over each, and every guard holds against what is in use. It is
    rejected if one of these is shown not to be. Anything else is inconclusive: a champion that could not be evaluated
    too.

    When several tuned models were compared on the same examples, the confidence of the k-th is raised so that what is
    left of doubt is a k-squared-th part: who tries often enough wins by chance. However many they are, the chance that
    one of them is promoted for nothing is at most 1 + 1/4 + 1/9 + ... = 1.64 times that of a single one (the union
    bound, C. E. Bonferroni, 1936, spent over a sequence of unknown length).

    Raises:
        EvaluationError: The models were not asked the same examples, with the same prompt, or not scored with the same
            metrics.
    """
    confidence = corrected(gate.confidence, evidence.tries)
    names = list(evidence.candidate.metrics)
    paired = Paired(evidence.base, evidence.candidate, evidence.lower_is_better, evidence.clusters)
    differences = paired.differences(names, confidence)
    in_use, champion = paired, None
    n, metric = len(paired.ids), evidence.primary
    if evidence.champion:
        in_use = Paired(evidence.champion, evidence.candidate, evidence.lower_is_better, evidence.clusters)
        champion = Champion(
            name=evidence.champion_name,
            side=side_of(evidence.champion),
            differences=in_use.differences(names, confidence),
        )
    whom = "the base model" if evidence.champion_name else ""
    gains = {whom: (differences[metric], paired)}
    if champion:
        gains[CHAMPION] = (champion.differences[metric], in_use)
    rulings = [on_gain(metric, one, gate.min_gain, n, of.independent, name) for name, (one, of) in gains.items()]
    still_open = [one for ruling, one in zip(rulings, gains.values(), strict=True) if ruling.verdict is _OPEN]
    if evidence.is_champion:
        rulings.append(
            Ruling(Verdict.REJECT, "the tuned model is the champion already, so there is nothing to promote")
        )
    if evidence.champion_missing:
        rulings.append(Ruling(Verdict.INCONCLUSIVE, evidence.champion_missing))
    guards = guarded(gate, evidence, in_use, confidence)
    rulings += on_guards(guards)
    verdict = together(rulings)
    seen = None
    if verdict is _OPEN and still_open and paired.independent >= FEWEST_EXAMPLES:
        difference, of = still_open[-1]
        seen = power.power(difference, of.worlds([metric]), 0, n, gate.min_gain)
    return Comparison(
        verdict=verdict,
        reasons=[
            *_reasons(verdict, rulings, len(guards), evidence.tries, gate.confidence),
            *evidence.remarks,
            *([power.words(seen, n, gate.min_gain)] if seen else []),
        ],
        primary_metric=metric,
        confidence=confidence,
        tries=evidence.tries,
        groups=paired.independent if paired.clusters else None,
        base=side_of(evidence.base),
        candidate=side_of(evidence.candidate),
        differences=differences,
        corpus_intervals=corpus_intervals(evidence.whole, evidence.clusters, confidence) if evidence.whole else {},
        champion=champion,
        champion_missing=evidence.champion_missing,
        guards=guards,
        slices=sliced(evidence, in_use, confidence),
        power=seen,
        judge=evidence.judge,
    )


def corrected(confidence: float, tries: int) -> float:
    """Returns the confidence that the last of so many comparisons is held to; see `compare`."""
    return 1 - (1 - confidence) / tries**2


def _reasons(verdict: Verdict, rulings: list[Ruling], guards: int, tries: int, asked: float) -> list[str]:
    """Returns why: whatever stands against it if it is not promoted, and the deciding metric in any case."""
    own = len(rulings) - guards
    said = [one.words for n, one in enumerate(rulings) if n < own or one.verdict is not Verdict.PROMOTE]
    if guards and verdict is Verdict.PROMOTE:
        said.append({1: "the guard holds", 2: "both guards hold"}.get(guards, f"all {guards} guards hold"))
    if tries > 1:
        said.append(
            f"it is number {tries} of the tuned models that were compared with what is in use on these examples, so it"
            f" is held to {level(corrected(asked, tries))} instead of {level(asked)}"
        )
    return said
