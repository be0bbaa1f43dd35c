"""The report of one run, as one HTML document."""

from gemini_sft.report.changes import changes
from gemini_sft.report.curves import curves_view
from gemini_sft.report.facts import further, ran_view
from gemini_sft.report.few_shot import worth_view
from gemini_sft.report.input import ReportInput
from gemini_sft.report.judge import judge_view
from gemini_sft.report.missing import dropped, failures
from gemini_sft.report.render import render
from gemini_sft.report.scores import class_rows, metric_table, outcome_rows
from gemini_sft.report.selection import selection_view
from gemini_sft.report.verdict import verdict_view


def report_page(data: ReportInput) -> str:
    """Returns one self-contained HTML document; the same input gives the same text."""
    curves = curves_view(data.curves, data.tuning, data.selection)
    selection = selection_view(data.selection, tested=True) if data.selection else None
    return render(
        "report.html.j2",
        [*curves.figures, *(selection.figures if selection else [])],
        script="examples.js",
        run_id=data.run_id,
        verdict=verdict_view(data),
        further=further(data.tuning),
        ran=ran_view(data),
        metrics=metric_table(data),
        classes=class_rows(data),
        worth=worth_view(data),
        judge=judge_view(data),
        absent=data.comparison.absent,
        base=data.base.result,
        tuned=data.candidate.result,
        outcomes=outcome_rows(data),
        curves=curves,
        selection=selection,
        record=data.tuning,
        heading="h2",
        changes=changes(data),
        failures=failures(data),
        dropped=dropped(data),
    )
