"""What a recheck of the champion came to, as one HTML document."""

from typing import Any

from gemini_sft.decision.level import level
from gemini_sft.metrics.words import metric_words
from gemini_sft.report.axis import Axis
from gemini_sft.report.facts import Fact
from gemini_sft.report.numbers import count, score, signed, span
from gemini_sft.report.render import render
from gemini_sft.report.words import STAND_IN, sentence
from gemini_sft.retraining.recheck import Recheck, State

_HEADLINES = {
    State.HELD: ("The champion has held", "promote", "✓"),
    State.FALLEN: ("The champion has fallen", "reject", "✕"),
    State.UNKNOWN: ("Whether the champion has held is not known", "inconclusive", "?"),
}


def recheck_page(made: Recheck, experiment: str, run_id: str, why: str) -> str:
    """Returns one self-contained HTML document.

    Args:
        made: What came of it.
        experiment: Its name.
        run_id: Of the run.
        why: Of a champion that could not be asked why not, in the service's words; else empty.
    """
    headline, tone, sign = _HEADLINES[made.state]
    return render(
        "recheck.html.j2",
        (),
        made=made,
        headline=headline,
        tone=tone,
        sign=sign,
        run_id=run_id,
        metric=metric_words(made.metric).label,
        asked=count(made.n_now, "test example") if made.n_now else "",
        alarms=[sentence(one) for one in made.alarms],
        reasons=[sentence(one) for one in made.reasons],
        then=_score(made.then),
        now=_score(made.now),
        change="" if made.change is None else signed(made.change),
        stand_in=made.served_by if made.served_by.startswith(STAND_IN) else "",
        why=sentence(why) if why else "",
        facts=_facts(made, experiment),
        **_figure(made),
    )


def _figure(made: Recheck) -> dict[str, Any]:
    """Returns the drawing of the change, and the part of the axis on which the champion has fallen."""
    if made.change is None or made.low is None or made.high is None:
        return {"plot": None}
    worst = made.max_drop if made.lower_is_better else -made.max_drop
    axis = Axis.around([made.low, made.change, made.high, worst])
    at = axis.at(worst)
    return {
        "plot": axis.span(made.change, made.low, made.high, worst),
        "ticks": axis.ticks(),
        "zone": (at, round(100 - at, 2)) if made.lower_is_better else (0, at),
        "allowed": f"a {'rise' if made.lower_is_better else 'drop'} of {made.max_drop:g}" if made.max_drop else "none",
        "span": span(made.low, made.high),
        "confidence": level(made.confidence),
    }


def _facts(made: Recheck, experiment: str) -> list[Fact]:
    facts = [Fact("Experiment", experiment, code=True)]
    if made.model:
        facts.append(Fact("Champion", made.model, code=True))
    if made.n_then:
        facts.append(Fact("When it was promoted, or first asked", count(made.n_then, "example")))
    if made.n_now:
        facts.append(Fact("Today", count(made.n_now, "example")))
    if made.n_then and made.n_now:
        facts.append(Fact("In both", count(made.paired, "example")))
    if made.seen:
        facts.append(Fact("Left out", count(made.seen, "example")))
    return facts


def _score(value: float | None) -> str:
    return "" if value is None else score(value)
