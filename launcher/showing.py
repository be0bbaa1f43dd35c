"""What a run has brought, on the terminal."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gemini_sft import storage
from gemini_sft.decision import Comparison, CorpusInterval, Difference, Verdict, worth
from gemini_sft.decision.level import level
from gemini_sft.inference import Outcome
from gemini_sft.tuning import Curves, Selection, TuningRecord, lowest_validation_loss
from gemini_sft.vertex import is_endpoint
from launcher.choice import show_choice

_NOTHING = "–"
"""Where there is no number: an interval of what is only known of all examples at once, a metric of nothing."""

_VERDICT_STYLES = {Verdict.PROMOTE: "bold green", Verdict.REJECT: "bold red", Verdict.INCONCLUSIVE: "bold yellow"}


def show(folder: Path, console: Console) -> None:
    """Prints the outcome of a fetched run: which checkpoint was taken, the comparison, verdict, path of the report."""
    selection = Selection.model_validate(storage.read_json(str(folder / "selection.json")))
    show_choice(selection, console)
    for said in _about_tuning(folder, selection):
        console.print(Text(said, "yellow"))
    comparison = Comparison.model_validate(storage.read_json(str(folder / "comparison.json")))
    console.print(table(comparison))
    if comparison.base.served_by.startswith("stand-in"):
        console.print(Text("A local stand-in answered, not Gemini: these scores say nothing about Gemini.", "yellow"))
    for said in (worth(comparison), comparison.judge.words if comparison.judge else "", *comparison.absent):
        if said:
            console.print(Text(said))
    show_verdict(comparison, folder / "report.html", console)


def show_verdict(comparison: Comparison, report: Path, console: Console) -> None:
    """Prints the verdict with its reasons, and where the report is."""
    verdict = Text(comparison.verdict.value, _VERDICT_STYLES[comparison.verdict])
    console.print(Text("Verdict: ").append(verdict).append("."))
    for reason in comparison.reasons:
        console.print(Text(f"- {reason}."))
    show_report(report, console)


def show_report(report: Path, console: Console) -> None:
    """Prints where a report is, in one line however long."""
    console.print(Text(f"Report:  {report}"), soft_wrap=True)


def _about_tuning(folder: Path, selection: Selection) -> Iterator[str]:
    """Yields what should not be missed of the tuning jobs: what was not paid for again, and over-fitting."""
    record = TuningRecord.model_validate(storage.read_json(str(folder / "tuning.json")))
    adopted = sum(bill.adopted for bill in selection.bills)
    if len(selection.bills) == 1 and adopted:
        yield (
            f"The tuning job was made before, by {record.made_by or 'another run'}, and is not paid for again; to tune"
            " anew, set tuning.attempt to another number."
        )
    elif adopted:
        yield f"Of the {len(selection.bills)} tuning jobs, {adopted} made before and not paid for again."
    if selection.other_default:
        yield (f"Checkpoint {selection.other_default} stays the default one of the model: another run has chosen it.")
    lowest = lowest_validation_loss(Curves.model_validate(storage.read_json(str(folder / "curves.json"))), record)
    if lowest and lowest.turned:
        yield (
            f"Over-fitting: the loss on validation was lowest, {lowest.value:.4g}, at step {lowest.step:,}, and rose to"
            f" {lowest.last:.4g} by the end."
        )


def table(comparison: Comparison) -> Table:
    """Returns all models side by side: examples, failures, cut answers, every metric; differences are to the base."""
    base, candidate, champion = comparison.base, comparison.candidate, comparison.champion
    sides = {"base": base} | ({"champion": champion.side} if champion else {}) | {"tuned": candidate}
    what = "A tuned model" if is_endpoint(base.model) else base.model
    names = "base, champion and tuned" if champion else "base and tuned"
    result = Table(title=f"{what}, {names}, on the same {base.n} example{'s' * (base.n != 1)}", title_justify="left")
    result.add_column("")
    for column in (*sides, "difference", f"{level(comparison.confidence)} interval"):
        result.add_column(column, justify="right")
    result.add_row("examples (n)", *(str(one.n) for one in sides.values()), "", "")
    result.add_row("failures", *(str(one.failures) for one in sides.values()), "", "")
    cut = [one.outcomes.get(Outcome.TRUNCATED, 0) for one in sides.values()]
    if any(cut):  # no failures, for they are scored as they are; but often what is behind a low score
        result.add_row("truncated", *map(str, cut), "", "")
    result.add_section()
    for name, difference in comparison.differences.items():
        result.add_row(
            name + (" *" if name == comparison.primary_metric else ""),
            *(f"{one.metrics[name]:.3f}" for one in sides.values()),
            f"{difference.mean:+.3f}",
            _span(difference),
            style="bold" if name == comparison.primary_metric else None,
        )
    for name, change in comparison.corpus_differences().items():
        found = comparison.corpus_intervals.get(name)
        values = (_number(one.corpus.get(name)) for one in sides.values())
        result.add_row(name, *values, _number(change, "+"), _span(found) if found else _NOTHING)
    result.caption = "* decides; differences are those of the tuned model to the base" if champion else "* decides"
    result.caption_justify = "left"
    return result


def _span(found: Difference | CorpusInterval) -> str:
    return rf"\[{found.low:+.3f}, {found.high:+.3f}]"


def _number(value: float | None, sign: str = "") -> str:
    return _NOTHING if value is None else f"{value:{sign}.3f}"
