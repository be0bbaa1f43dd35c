"""What a recheck of the champion came to, as one HTML document."""

from gemini_sft.report.numbers import NO_NUMBER, NOTHING, count, percent, score, signed, span
from gemini_sft.report.render import render
from gemini_sft.retraining.recheck import Recheck, State

_HEADLINES = {
    State.HELD: "The champion has held",
    State.FALLEN: "The champion has fallen",
    State.UNKNOWN: "Whether the champion has held is not known",
}


def recheck_page(made: Recheck, experiment: str, run_id: str, why: str) -> str:
    """Returns one self-contained HTML document.

    Args:
        made: What came of it.
        experiment: Its name.
        run_id: Of the run.
        why: Of a champion that could not be asked why not, in the service's words; else empty.
    """
    rows = [
        ("When it was promoted, or first asked", _number(made.then), _examples(made.n_then)),
        ("Today", _number(made.now), _examples(made.n_now)),
    ]
    change = NO_NUMBER if made.change is None else signed(made.change)
    if made.low is not None and made.high is not None:
        change += f" ({percent(made.confidence)} interval: {span(made.low, made.high)})"
    return render(
        "recheck.html.j2",
        (),
        made=made,
        headline=_HEADLINES[made.state],
        experiment=experiment,
        run_id=run_id,
        rows=rows,
        change=change,
        paired=count(made.paired, "example"),
        why=why,
    )


def _number(value: float | None) -> str:
    return NOTHING if value is None else score(value)


def _examples(n: int) -> str:
    return count(n, "example") if n else NOTHING
