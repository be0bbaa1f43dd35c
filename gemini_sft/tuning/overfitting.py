"""Where validation loss was lowest, and whether it has turned since: the sign of over-fitting."""

import math
from dataclasses import dataclass

from gemini_sft.tuning.curves import Curves
from gemini_sft.tuning.epochs import epoch_ends
from gemini_sft.tuning.record import TuningRecord

_RISE_IN_NATS = 0.02
_RISE_IN_SHARES = 0.02


@dataclass(frozen=True)
class LowestLoss:
    """The lowest validation loss of a tuning job, in nats per token, and the last one.

    Attributes:
        value: The lowest.
        step: Where it was first reached.
        epoch: In which epoch that was; None if nothing tells.
        ends_epoch: Whether `step` is the last of `epoch`.
        last: The loss at the end.
        last_step: The end.
    """

    value: float
    step: int
    epoch: int | None
    ends_epoch: bool
    last: float
    last_step: int

    @property
    def turned(self) -> bool:
        """Whether the loss ended noticeably above its lowest point: by more than 0.02 nats and more than 2 % of it.

        With 0.02 nats more, the right piece of text has become 2 % less likely, whatever the loss is. The same job run
        twice differs by some thousandths, and so do neighbouring points of a curve that has become flat; high losses
        differ by more, which is why the rise is held against the lowest point, too. Only the end counts: a loss that
        rose and came back has done no harm to the model that is there now.
        """
        return self.last - self.value > max(_RISE_IN_NATS, _RISE_IN_SHARES * self.value)


def lowest_validation_loss(curves: Curves, record: TuningRecord) -> LowestLoss | None:
    """Returns where validation loss was lowest; None if there is no validation loss."""
    if curves.validation_loss is None:
        return None
    curve = curves.validation_loss
    points = [point for point in zip(curve.steps, curve.values, strict=True) if math.isfinite(point[1])]
    if not points:
        return None
    step, value = min(points, key=lambda point: point[1])
    ends = epoch_ends(record)
    epoch = next((epoch for epoch, end in ends.items() if step <= end), None) if step > 0 else None
    return LowestLoss(
        value=value,
        step=step,
        epoch=epoch,
        ends_epoch=epoch is not None and ends[epoch] == step,
        last=points[-1][1],
        last_step=points[-1][0],
    )
