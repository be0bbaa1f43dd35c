"""Which optimizer steps end an epoch."""

from itertools import pairwise

from gemini_sft.tuning.record import TuningRecord


def epoch_ends(record: TuningRecord) -> dict[int, int]:
    """Returns the last step of every epoch, by the epoch's number, counted from 1; empty if nothing tells.

    Checkpoints tell it. A job keeps about ten of many, and the last only if it was asked to; the epochs between are
    taken to be equally long, which they are but for a step.
    """
    known = {0: 0}
    for one in sorted(record.checkpoints, key=lambda one: one.epoch):
        if one.epoch > max(known) and one.step > max(known.values()):
            known[one.epoch] = one.step
    if record.epochs and record.epochs > max(known) and record.steps > max(known.values()):
        known[record.epochs] = record.steps
    ends = {}
    for (first, start), (last, end) in pairwise(known.items()):
        for epoch in range(first + 1, last + 1):
            ends[epoch] = start + round((end - start) * (epoch - first) / (last - first))
    return ends
