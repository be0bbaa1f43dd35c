"""The page that a run leaves behind, and the small one with the curves of its tuning job."""

from gemini_sft.report.input import ReportInput
from gemini_sft.report.markdown import report_markdown
from gemini_sft.report.page import report_page

__all__ = ["ReportInput", "report_markdown", "report_page"]
