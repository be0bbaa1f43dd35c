"""The report of one run, as one HTML document."""

from gemini_sft.report.arms import arm_numbers
from gemini_sft.report.changes import changes
from gemini_sft.report.classes import class_rows, matrices
from gemini_sft.report.cost_section import cost_view
from gemini_sft.report.curves import curves_view
from gemini_sft.report.data_section import data_view
from gemini_sft.report.input import ReportInput
from gemini_sft.report.judge import judge_view
from gemini_sft.report.lineage import further, lineage_view
from gemini_sft.report.missing import dropped, failures
from gemini_sft.report.render import render
from gemini_sft.report.scores import metric_table, outcome_rows
from gemini_sft.report.selection import selection_view
from gemini_sft.report.slices import slice_view
from gemini_sft.report.verdict import verdict_view
from gemini_sft.report.worth import worth_view


def report_page(data: ReportInput) -> str:
    """Returns one self-contained HTML document; the same input gives the same text."""
    curves = curves_view(data.curves, data.tuning, data.selection)
    selection = selection_view(data.selection, tested=True) if data.selection else None
    arms = arm_numbers(data)
    return render(
        "report.html.j2",
        [*curves.figures, *(selection.figures if selection else [])],
        script="examples.js",
        run_id=data.run_id,
        verdict=verdict_view(data, arms),
        further=further(data.tuning),
        worth=worth_view(data, arms),
        metrics=metric_table(data, arms),
        judge=judge_view(data),
        absent=data.comparison.absent,
        slices=slice_view(data),
        curves=curves,
        selection=selection,
        record=data.tuning,
        heading="h2",
        classes=class_rows(data),
        matrices=matrices(data),
        changes=changes(data),
        checks=data_view(data),
        dropped=dropped(data),
        base=data.base.result,
        outcomes=outcome_rows(arms),
        failures=failures(data, arms),
        cost=cost_view(data),
        lineage=lineage_view(data),
    )
