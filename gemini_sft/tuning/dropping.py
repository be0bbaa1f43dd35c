"""Training examples that Vertex AI left out, and whether they are too many."""

from typing import TYPE_CHECKING

from gemini_sft.tuning.record import DroppedExamples
from gemini_sft.tuning.request import TuningRequest

if TYPE_CHECKING:
    from google.genai.types import SupervisedTuningDataStats, TuningJob

_SHOWN = 10


def dropped_of(stats: "SupervisedTuningDataStats | None") -> DroppedExamples:
    """Returns what a job's statistics say of the examples that were left out."""
    return DroppedExamples(
        count=(stats.total_truncated_example_count if stats else 0) or 0,
        indices=list((stats.truncated_example_indices if stats else None) or []),
        reasons=list((stats.dropped_example_reasons if stats else None) or []),
    )


def too_many_dropped(request: TuningRequest, job: "TuningJob") -> str | None:
    """Returns what is wrong if a job has left out more of its training examples than the experiment allows.

    The service says so as soon as it has read the data, which is before it trains. The share is of the examples that it
    was sent. It names only some of them, and here they are named by the user's own file and line.
    """
    stats = job.tuning_data_stats.supervised_tuning_data_stats if job.tuning_data_stats else None
    dropped = dropped_of(stats)
    most = request.settings.max_dropped_rate
    if not dropped.count or dropped.count / max(request.examples, dropped.count) <= most:
        return None
    named = [
        f"{request.place(index)}: {dropped.reasons[n] if n < len(dropped.reasons) else 'no reason was given'}"
        for n, index in enumerate(dropped.indices[:_SHOWN])
    ]
    hidden = dropped.count - len(named)
    more = [f"and {hidden:,} more{' that it does not name' if hidden and len(dropped.indices) <= _SHOWN else ''}"]
    return (
        f"it left out {dropped.count:,} of {request.examples:,} training examples, more than the"
        f" {most:.3g} that tuning.max_dropped_rate allows; nothing was evaluated. Mend or remove them:\n  "
        + "\n  ".join([*named, *(more if hidden else [])])
    )
