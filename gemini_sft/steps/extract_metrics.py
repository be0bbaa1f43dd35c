"""The curves of the tuning job."""

from gemini_sft import storage
from gemini_sft.report.curves import curves_page
from gemini_sft.tuning import TuningRecord, read_curves


def extract_metrics(*, tuning_uri: str, curves_uri: str, plot_uri: str) -> dict[str, float]:
    """Reads loss and accuracy from the job's TensorBoard, and writes them as JSON and as a page."""
    record = TuningRecord.model_validate(storage.read_json(tuning_uri))
    curves = read_curves(record.experiment)
    storage.write_json(curves_uri, curves.model_dump(mode="json"))
    storage.write_text(plot_uri, curves_page(curves, record), "text/html; charset=utf-8")
    return curves.summary() | {"billable_tokens": record.billable_tokens, "steps": record.steps}
