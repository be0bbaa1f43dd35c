"""`gemini-sft cancel`: ends a run."""

from rich.console import Console

from gemini_sft.errors import UserError
from launcher.found import resolve
from launcher.place import Site, at_place, notes
from launcher.running import JOB_FATE
from launcher.submission import FoundRun, RunView

_PATIENCE_SECONDS = 30.0
_TUNING = "tune model"


def cancel(site: Site, run: str, console: Console) -> None:
    """Ends a run, waits a little for its end, and says what becomes of a tuning job that it waits for.

    Args:
        site: Where it is.
        run: Which run, see `resolve`.
        console: Where to say it.

    Raises:
        UserError: There is no such run, or it has ended already.
        RunError: Vertex AI did not answer.
    """
    with at_place(site, notes()) as place:
        one = resolve(place.target, run)
        submitted = FoundRun(one.id, place.target)
        before = submitted.view()
        if before.ended:
            raise UserError(f"the run {one.id} has ended already, as {before.state}: there is nothing to cancel")
        if not submitted.cancel(_PATIENCE_SECONDS):
            view = submitted.view()
            if view.state not in ("CANCELLING", "CANCELLED"):
                raise UserError(f"the run {one.id} could not be cancelled: it is {view.state}")
        over = submitted.view()
        tells = f"is being cancelled: `{site.command_on('status', one.id, place.target)} --wait` shows its end"
        console.print(f"The run {one.id} {_end(over) if over.ended else tells}.", soft_wrap=True)
        if any(task.name.startswith(_TUNING) and task.state == "RUNNING" for task in before.tasks):
            console.print(JOB_FATE)


def _end(view: RunView) -> str:
    return "is cancelled" if view.state == "CANCELLED" else f"ended before that, as {view.state}"
