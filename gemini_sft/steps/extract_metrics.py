"""The curves of the tuning job, and what it was billed."""

import logging

from gemini_sft import storage
from gemini_sft.cost import Bill, Quote, reconcile
from gemini_sft.report.curves import curves_page
from gemini_sft.tuning import TuningRecord, read_curves

_log = logging.getLogger(__name__)


def extract_metrics(*, tuning_uri: str, quote_uri: str, curves_uri: str, plot_uri: str) -> dict[str, float]:
    """Reads loss and accuracy from the job's TensorBoard, writes them as JSON and as a page, and checks the quote."""
    record = TuningRecord.model_validate(storage.read_json(tuning_uri))
    curves = read_curves(record.experiment)
    storage.write_json(curves_uri, curves.model_dump(mode="json"))
    storage.write_text(plot_uri, curves_page(curves, record), "text/html; charset=utf-8")
    bill = Bill(trial=record.trial, tokens=record.billable_tokens, epochs=record.epochs)
    cost = reconcile(Quote.model_validate(storage.read_json(quote_uri)), [bill])
    _log.log(logging.WARNING if cost.unexpected else logging.INFO, "%s", cost.words)
    return curves.summary() | cost.summary() | {"steps": record.steps}
