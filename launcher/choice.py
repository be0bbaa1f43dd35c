"""Which checkpoint a run has taken, in the terminal."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gemini_sft.experiment.tuning import CheckpointChoice
from gemini_sft.tuning import Candidate, Selection
from gemini_sft.tuning.tried import Tried, compared, is_best, job_of, tried

_NOTHING = "–"


def show_choice(selection: Selection, console: Console) -> None:
    """Prints the checkpoint that was taken and, of a sweep, its trials."""
    if selection.trials:
        console.print(trials_table(selection))
    console.print(Text(words(selection)))


def words(selection: Selection) -> str:
    """Returns a line such as `Checkpoint 2 of 3 (epoch 2): rougeL_f on validation 0.412, best of 3` with a stop."""
    one, job = selection.taken, job_of(selection)
    name = f"checkpoint {job.place(one)} of {len(job.candidates)}" if len(job.candidates) > 1 else "the only checkpoint"
    name += "" if one.epoch is None else f" (epoch {one.epoch})"
    named = f"Trial {job.name}, {name}" if job.name else name[0].upper() + name[1:]
    tries = len(compared(selection))
    if selection.by is CheckpointChoice.METRIC and one.score is not None:
        which = "lowest" if selection.lower_is_better else "best"
        rank = f", {which} of {tries}" if tries > 1 and is_best(selection) else ""
        return f"{named}: {selection.metric} on validation {one.score:.3f}{rank}."
    if selection.by is CheckpointChoice.LOSS and one.validation_loss is not None:
        rank = f", lowest of {tries}" if tries > 1 and is_best(selection) else ""
        return f"{named}: validation loss {one.validation_loss:.3f}{rank}."
    return f"{named}: {selection.reason.rstrip('.')}."


def trials_table(selection: Selection) -> Table:
    """Returns the trials of a sweep by their best checkpoints, the best trial first."""
    jobs = tried(selection)
    table = Table(title=f"{len(jobs)} trials by their best checkpoints, on validation", title_justify="left")
    table.add_column("trial", overflow="fold")
    for column in ("epoch", selection.metric, "loss"):
        table.add_column(column, justify="right")
    table.add_column("", no_wrap=True)
    for job in jobs:
        # Text, because names are not markup.
        cells = [Text(job.name or _NOTHING), *map(Text, _numbers(job.best)), Text(_remark(job))]
        table.add_row(*cells, style="bold" if job.taken else None)
    return table


def _numbers(one: Candidate) -> tuple[str, str, str]:
    score, loss = (_NOTHING if number is None else f"{number:.3f}" for number in (one.score, one.validation_loss))
    return (_NOTHING if one.epoch is None else f"{one.epoch}"), score, loss


def _remark(job: Tried) -> str:
    if job.taken:
        return "taken"
    return "not scored" if job.best.error else ""
