"""The training process: `python -m vertex_emulator.tuning.worker`.

Its standard input is an `Order` as a line of JSON, and then stays open as long as the server lives: when it closes, the
process ends. On standard output it tells how far it is, an object a line:

    {"event": "read", "stats": {..}, "epochs": 3}                            the datasets are read
    {"event": "progress", "epochs": 1, "steps": 100, "train": [POINT, ..], "eval": [POINT, ..]}
    {"event": "halfway"}                                                      more than half of the steps are done
    {"event": "checkpoint", "checkpointId": "1", "epoch": 1, "step": 100}     its weights are in the folder, whole
    {"event": "evaluation", "checkpointId": "1", "dataset": "..", "results": "..", "aggregates": [..]}
    {"event": "refused", "message": ".."}                                     the datasets cannot be trained on
    {"event": "done"}

`progress` has the completed epochs and steps, and what was measured since the last one on the training batches and on
the validation dataset, a POINT being [step, loss, accuracy, predictions, seconds since 1970].
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from vertex_emulator.standin import (
    Settings,
    StandIn,
    StepMetrics,
    default_epochs,
    steps_per_epoch,
    train,
)
from vertex_emulator.tuning.dataset import Dataset, DatasetError, check_validation_size, read_dataset
from vertex_emulator.tuning.evaluation.checkpoint import Evaluator
from vertex_emulator.tuning.order import Order, Source, checkpoint_epochs
from vertex_emulator.tuning.statistics import data_stats

Tell = Callable[[dict[str, Any]], None]
Point = tuple[int, float, float, int, float]

_SECONDS_BETWEEN_REPORTS = 0.5


class _Progress:
    """Takes in the training's steps and epochs, tells the server now and then, and writes the checkpoints."""

    def __init__(self, order: Order, epochs: int, steps: int, validation: Dataset | None, tell: Tell) -> None:
        self._order = order
        self._validation = validation
        self._evaluator: Evaluator | None = None
        self._all_steps = steps
        self._tell = tell
        self._began = time.monotonic()
        wanted = checkpoint_epochs(epochs, order.last_checkpoint_only)
        self._checkpoint_ids = {epoch: str(number) for number, epoch in enumerate(wanted, start=1)}
        self._epochs = self._steps = 0
        self._points: dict[str, list[Point]] = {"train": [], "eval": []}
        self._told = 0.0

    def on_step(self, metrics: StepMetrics) -> None:
        """Takes in a step, when it is time for it."""
        pace = self._order.pace
        _sleep_until(self._began + pace.training * metrics.step / self._all_steps)
        self._steps = metrics.step
        self._points["train"].append(_point(metrics))
        if self._steps == self._all_steps // 2 + 1:
            self._report()
            self._tell({"event": "halfway"})
            time.sleep(pace.halfway)
            self._began += pace.halfway
        self._report_if_due()

    def on_epoch(self, epoch: int, model: StandIn, validation: StepMetrics | None) -> None:
        """Takes in an epoch's end, or with epoch 0 the beginning; exports the checkpoint that is due."""
        self._epochs = epoch
        if validation is not None:
            self._points["eval"].append(_point(validation))
        checkpoint_id = self._checkpoint_ids.get(epoch)
        if checkpoint_id is None:
            self._report_if_due()
            return
        self._report()
        model.save(self._order.checkpoint_path(checkpoint_id))
        self._tell({"event": "checkpoint", "checkpointId": checkpoint_id, "epoch": epoch, "step": self._steps})
        if self._order.evaluation and self._validation:
            # Not before there is a checkpoint does the service find out that it cannot evaluate.
            self._evaluator = self._evaluator or Evaluator(self._validation.examples, self._order.evaluation)
            folder = Path(self._order.folder) / f"evaluation-{checkpoint_id}"
            folder.mkdir()
            evaluation = self._evaluator.evaluate(model, folder)
            self._tell({"event": "evaluation", "checkpointId": checkpoint_id, **evaluation})

    def _report_if_due(self) -> None:
        if time.monotonic() - self._told > _SECONDS_BETWEEN_REPORTS:
            self._report()

    def _report(self) -> None:
        self._tell({"event": "progress", "epochs": self._epochs, "steps": self._steps, **self._points})
        self._points = {"train": [], "eval": []}
        self._told = time.monotonic()


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _point(metrics: StepMetrics) -> Point:
    return (metrics.step, metrics.loss, metrics.accuracy, metrics.predictions, time.time())


def work(order: Order, tell: Tell) -> None:
    """Reads the datasets, trains, and leaves the checkpoints in the order's folder.

    Args:
        order: What to do.
        tell: Called with each message for the server.
    """
    try:
        _work(order, tell)
    except DatasetError as error:
        tell({"event": "refused", "message": str(error)})
    else:
        tell({"event": "done"})


def _work(order: Order, tell: Tell) -> None:
    began = time.monotonic()
    training, validation = _read(order.training, "training", order), None
    if order.validation:
        validation = _read(order.validation, "validation", order)
    records = training.records()
    epochs = order.epochs or default_epochs(len(records))
    steps = steps_per_epoch(len(records)) * epochs
    stats = data_stats(training, steps)
    _sleep_until(began + order.pace.reading)
    tell({"event": "read", "stats": stats, "epochs": epochs})
    training.check()
    if validation:
        check_validation_size(validation, training)
        validation.check()
    time.sleep(order.pace.waiting)
    progress = _Progress(order, epochs, steps, validation, tell)
    train(
        records,
        validation.records() if validation else [],
        Settings(epochs, order.learning_rate_multiplier, order.adapter_size),
        start=StandIn.load(Path(order.start)) if order.start else None,
        on_step=progress.on_step,
        on_epoch=progress.on_epoch,
    )


def _read(source: Source, purpose: str, order: Order) -> Dataset:
    return read_dataset(Path(source.path), f"The {purpose} dataset {source.uri}", order.max_example_tokens)


def _end_with_server() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(1)


def main() -> None:
    """Does the order on standard input."""
    order = Order.from_json(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_server, daemon=True).start()

    def tell(message: dict[str, Any]) -> None:
        sys.stdout.buffer.write(orjson.dumps(message) + b"\n")
        sys.stdout.buffer.flush()

    work(order, tell)


if __name__ == "__main__":
    main()
