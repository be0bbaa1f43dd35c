"""Trains the adapter: Kullback-Leibler loss over each prompt's candidates, Adam, warm-up, cosine decay."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vertex_emulator.standin.answering import Habit, learn_habit
from vertex_emulator.standin.candidates import Candidates, Floats
from vertex_emulator.standin.lessons import Lesson, Strings, Teacher, remember
from vertex_emulator.standin.model import StandIn
from vertex_emulator.standin.ranker import Adapter, Example, add_gradients, mapped_strings, scores
from vertex_emulator.standin.records import BATCH_SIZE, Record, Settings, StepMetrics, steps_per_epoch

LEARNING_RATE = 0.01
"""Peak learning rate at multiplier 1."""

_WARM_UP = 0.1
_FINAL_SHARE = 0.1
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.99, 1e-6
_MAX_RATE = 1000.0
"""Bounds the learning rate, so that scores stay finite at any multiplier."""

_HABIT_RECORDS = 200


def learning_rate(step: int, steps: int, multiplier: float) -> float:
    """Return the learning rate of a step, from 1: a linear rise over 10 % of the steps, a cosine to 10 %."""
    rise = max(1, round(_WARM_UP * steps))
    peak = LEARNING_RATE * multiplier
    if step <= rise:
        return peak * step / rise
    progress = (step - rise) / max(1, steps - rise)
    return peak * (_FINAL_SHARE + (1 - _FINAL_SHARE) * 0.5 * (1 + float(np.cos(np.pi * progress))))


class Adam:
    """The Adam optimizer (Kingma and Ba, 2015) over an adapter's arrays, which it changes in place."""

    def __init__(self, parameters: dict[str, Floats]) -> None:
        """Start with moments of zero for each array."""
        self._parameters = parameters
        self._first = {name: np.zeros_like(array) for name, array in parameters.items()}
        self._second = {name: np.zeros_like(array) for name, array in parameters.items()}
        self._steps = 0

    def step(self, gradients: dict[str, Floats], rate: float) -> None:
        """Move every array against its gradient."""
        self._steps += 1
        size = min(rate, _MAX_RATE) * np.sqrt(1 - _BETA_2**self._steps) / (1 - _BETA_1**self._steps)
        for name, array in self._parameters.items():
            gradient, first, second = gradients[name], self._first[name], self._second[name]
            first += (1 - _BETA_1) * (gradient - first)
            second += (1 - _BETA_2) * (gradient * gradient - second)
            np.subtract(array, np.float32(size) * first / (np.sqrt(second) + np.float32(_EPSILON)), out=array)


class _Tally:
    """Sums the outcomes of examples, each of one lesson or of one for each slot.

    An example is right if all its lessons are. One without a usable candidate counts as wrong and has no loss.
    """

    def __init__(self) -> None:
        self._loss = 0.0
        self._usable = self._right = self._seen = 0

    def add(self, lessons: Sequence[Lesson], logarithms: Sequence[NDArray[np.float64]]) -> None:
        self._seen += 1
        losses = []
        right = 0
        for lesson, values in zip(lessons, logarithms, strict=True):
            if len(lesson.wanted):
                losses.append(max(0.0, -lesson.entropy - float(lesson.wanted @ values)))
                right += bool(lesson.right[int(np.argmax(values - lesson.corrections))])
        if losses:
            self._usable += 1
            self._loss += sum(losses) / len(losses)
        self._right += right == len(lessons)

    def metrics(self, step: int, epoch: int, loss_without_usable: float = 0.0) -> StepMetrics:
        loss = self._loss / self._usable if self._usable else loss_without_usable
        return StepMetrics(step, epoch, loss, self._right / max(1, self._seen), self._seen)


def train(
    records: Sequence[Record],
    validation: Sequence[Record],
    settings: Settings,
    *,
    start: StandIn | None = None,
    on_step: Callable[[StepMetrics], None],
    on_epoch: Callable[[int, StandIn, StepMetrics | None], None],
) -> StandIn:
    """Train a model; the same records and settings give bit-identical weights in one environment.

    Args:
        records: Training records, at least one. Those that no candidate can answer teach nothing, but are
            counted in `predictions`, and as wrong in `accuracy`. A step of no others repeats the last loss.
        validation: Records to measure on before training and after each epoch; may be empty.
        settings: Hyperparameters. A model continued from a larger adapter keeps its size.
        start: The model to continue from; the base if `None`.
        on_step: Called after each optimizer step with the batch's metrics as they were before the step.
        on_epoch: Called with the epoch, the model so far and the validation metrics (`None` without
            validation records): for epoch 0 with the untouched start, then after every epoch.

    Returns:
        The model after the last epoch.

    Raises:
        ValueError: If there are no records, or one has no turns.
    """
    if not records:
        raise ValueError("no training records; at least 1 is needed")
    for number, record in enumerate([*records, *validation]):
        if not record.turns:
            raise ValueError(f"record {number} has no turn before its target")
    start = start or StandIn.base()
    trainer = _Trainer(records, validation, settings, start)
    on_epoch(0, start, trainer.validate(0))
    model = start
    for epoch in range(1, settings.epochs + 1):
        trainer.run_epoch(epoch, on_step)
        model = trainer.model_so_far()
        on_epoch(epoch, model, trainer.validate(epoch))
    return model


class _Trainer:
    """One training under way."""

    def __init__(
        self, records: Sequence[Record], validation: Sequence[Record], settings: Settings, start: StandIn
    ) -> None:
        self._random = np.random.default_rng(settings.seed)
        self._settings = settings
        self._model, pages = remember(start, records, settings.adapter_size, self._random)
        strings = Strings(self._model.answer_numbers)
        slots = len(self._model.frame.slots) if self._model.frame else 1
        teacher = Teacher(self._model, strings, (len(records) + len(validation)) * slots, self._random)
        self._lessons: list[tuple[Lesson, ...]] = []
        self._habit_prompts: list[tuple[Candidates, Example]] = []
        self._habit_targets = [record.target for record in records[:_HABIT_RECORDS]]
        for record, page in zip(records, pages, strict=True):
            if self._model.frame:
                self._lessons.append(teacher.prepare_slots(self._model.frame, record.target, page))
                continue
            lesson, candidates, example = teacher.prepare(record.target, page)
            self._lessons.append((lesson,))
            if len(self._habit_prompts) < _HABIT_RECORDS:
                self._habit_prompts.append((candidates, example))
        self._validation: list[tuple[Lesson, ...]] = []
        for record in validation:
            page = self._model.read(record.system, record.turns)
            if self._model.frame:
                self._validation.append(teacher.prepare_slots(self._model.frame, record.target, page))
            else:
                self._validation.append((teacher.prepare(record.target, page)[0],))
        self._vectors = strings.vectors()
        self._optimizer = Adam(self._model.adapter.parameters())
        self._steps = steps_per_epoch(len(records)) * settings.epochs
        self._step = 0
        self._last_loss = 0.0

    def run_epoch(self, epoch: int, on_step: Callable[[StepMetrics], None]) -> None:
        """Go through all lessons once, in a new order."""
        order = self._random.permutation(len(self._lessons))
        for begin in range(0, len(order), BATCH_SIZE):
            self._step += 1
            batch = [self._lessons[number] for number in order[begin : begin + BATCH_SIZE]]
            gradients, tally = self._gradients(batch)
            rate = learning_rate(self._step, self._steps, self._settings.learning_rate_multiplier)
            self._optimizer.step(gradients, rate)
            metrics = tally.metrics(self._step, epoch, self._last_loss)
            self._last_loss = metrics.loss
            on_step(metrics)

    def _gradients(self, batch: Sequence[tuple[Lesson, ...]]) -> tuple[dict[str, Floats], _Tally]:
        adapter = self._model.adapter
        tally = _Tally()
        counts = [sum(1 for lesson in lessons if len(lesson.wanted)) for lessons in batch]
        usable = max(1, sum(1 for count in counts if count))
        gradients = {name: np.zeros_like(array) for name, array in adapter.parameters().items()}
        mapped = self._mapped([lesson.example for lessons in batch for lesson in lessons])
        onto = np.zeros_like(mapped)
        for lessons, count in zip(batch, counts, strict=True):
            logarithms = [_log_softmax(adapter, lesson, mapped) for lesson in lessons]
            tally.add(lessons, logarithms)
            for lesson, values in zip(lessons, logarithms, strict=True):
                if len(lesson.wanted):
                    errors = ((np.exp(values) - lesson.wanted) / (usable * count)).astype(np.float32)
                    add_gradients(gradients, adapter, lesson.example, mapped, errors, onto)
        if len(self._vectors):
            gradients["strings_out"] += onto @ self._vectors
        return gradients, tally

    def validate(self, epoch: int) -> StepMetrics | None:
        """Measure on the validation records, if there are any."""
        if not self._validation:
            return None
        mapped = self._mapped([lesson.example for lessons in self._validation for lesson in lessons])
        tally = _Tally()
        for lessons in self._validation:
            tally.add(lessons, [_log_softmax(self._model.adapter, lesson, mapped) for lesson in lessons])
        return tally.metrics(self._step, epoch)

    def model_so_far(self) -> StandIn:
        """Return a model of its own with the weights so far and the answer habit that suits them."""
        adapter = self._model.adapter.copy()
        if self._model.frame:
            return replace(self._model, adapter=adapter, habit=Habit(1, float("inf")))
        mapped = self._mapped([example for _, example in self._habit_prompts])
        pages = [(found, scores(adapter, example, mapped)) for found, example in self._habit_prompts]
        return replace(self._model, adapter=adapter, habit=learn_habit(pages, self._habit_targets))

    def _mapped(self, examples: Sequence[Example]) -> Floats:
        """Map the strings that these examples offer; the columns of all others stay 0."""
        mapped = np.zeros((self._model.adapter.strings_out.shape[0], len(self._vectors)), dtype=np.float32)
        used = np.unique(np.concatenate([example.strings for example in examples]))
        if len(used):
            mapped[:, used] = mapped_strings(self._model.adapter, self._vectors[used])
        return mapped


def _log_softmax(adapter: Adapter, lesson: Lesson, mapped: Floats) -> NDArray[np.float64]:
    """Return the logarithm of the probability of each candidate, (n,); finite for any finite scores."""
    values = scores(adapter, lesson.example, mapped).astype(np.float64) + lesson.corrections
    if not len(values):
        return values
    values -= values.max()
    return np.asarray(values - np.log(np.exp(values).sum()))
