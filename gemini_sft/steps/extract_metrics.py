"""The curves of the tuning job, and what it was billed."""

import logging

from gemini_sft import storage
from gemini_sft.cost import Quote, reconcile
from gemini_sft.errors import ServiceError
from gemini_sft.report.curves import curves_page
from gemini_sft.tuning import Curves, TuningRecord, lowest_validation_loss, read_curves
from gemini_sft.tuning.selection import bill_of

_log = logging.getLogger(__name__)


def extract_metrics(*, tuning_uri: str, quote_uri: str, curves_uri: str, plot_uri: str) -> dict[str, float]:
    """Reads loss and accuracy from the job's TensorBoard, writes them as JSON and as a page, and checks the quote.

    Nothing is decided by the curves. Where they cannot be had, the JSON and the page say why, and the run goes on.

    Returns:
        What is worth a look in Metrics; every value is a finite number.
    """
    record = TuningRecord.model_validate(storage.read_json(tuning_uri))
    curves = _curves_of(record)
    if curves.absent:
        _log.warning("%s", curves.absent)
    storage.write_json(curves_uri, curves.model_dump(mode="json"))
    storage.write_text(plot_uri, curves_page(curves, record), "text/html; charset=utf-8")
    bill = bill_of(record)
    cost = reconcile(Quote.model_validate(storage.read_json(quote_uri)), [bill])
    _log.log(logging.WARNING if cost.unexpected else logging.INFO, "%s", cost.words)
    return curves.summary() | _turning(curves, record) | cost.summary() | {"steps": record.steps}


def _curves_of(record: TuningRecord) -> Curves:
    """Returns the curves, or none and why there are none."""
    if not record.experiment:
        return Curves(absent="The service kept no curves of this tuning job: it names no experiment that holds them.")
    try:
        curves = read_curves(record.experiment)
    except ServiceError as error:
        return Curves(absent=f"The curves of this tuning job could not be read: {error}")
    if curves.summary():
        return curves
    return Curves(absent=f"The service kept no curves of this tuning job: {record.experiment} holds no values.")


def _turning(curves: Curves, record: TuningRecord) -> dict[str, float]:
    lowest = lowest_validation_loss(curves, record)
    if lowest is None:
        return {}
    epoch = {} if lowest.epoch is None else {"best_validation_epoch": lowest.epoch}
    return {"overfits": int(lowest.turned), "best_validation_step": lowest.step, **epoch}
