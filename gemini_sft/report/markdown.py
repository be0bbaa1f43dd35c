"""The report in short, as Markdown: what the Pipelines UI shows in place."""

from gemini_sft.report import numbers
from gemini_sft.report.input import ReportInput
from gemini_sft.report.verdict import STAND_IN
from gemini_sft.report.words import HEADLINES, sentence


def report_markdown(data: ReportInput) -> str:
    """Returns verdict, reasons and metrics; the same input gives the same text."""
    comparison = data.comparison
    lines = [
        f"# {HEADLINES[comparison.verdict]}",
        "",
        f"Verdict: **{comparison.verdict.value}**. Run `{data.run_id}`.",
        "",
    ]
    if data.base.result.served_by.startswith(STAND_IN):
        lines += ["A local stand-in answered, not Gemini: these scores say nothing about Gemini.", ""]
    lines += [f"- {sentence(one)}" for one in comparison.reasons]
    lines += ["", "| metric | base | tuned | difference | interval |", "|---|--:|--:|--:|--:|"]
    for name, one in comparison.differences.items():
        mark = "**" if name == comparison.primary_metric else ""
        cells = (
            name,
            numbers.score(comparison.base.metrics[name]),
            numbers.score(comparison.candidate.metrics[name]),
            numbers.signed(one.mean),
            numbers.span(one.low, one.high),
        )
        lines.append("| " + " | ".join(f"{mark}{cell}{mark}" for cell in cells) + " |")
    return "\n".join(lines) + "\n"
