"""Who is told of a run on this machine: nobody who is elsewhere."""

from rich.console import Console

from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import Notification
from gemini_sft.notification import on_this_machine, read_secret


def told_here(experiment: Experiment, console: Console) -> Experiment:
    """Returns the experiment for a run on this machine, and says so if somebody is left out.

    Only a webhook that a variable of the environment names, and that is itself on this machine, is told.
    """
    asked = experiment.notification
    kept = Notification(webhook=asked.webhook if asked.webhook and _is_here(asked.webhook) else None)
    if kept != asked:
        console.print("A run on this machine tells nobody elsewhere: notification is for --on vertex.")
    return experiment.model_copy(update={"notification": kept})


def _is_here(place: str) -> bool:
    # Secret Manager is not asked from here, not even for an address that might be this machine's.
    if not place.startswith("env:"):
        return False
    try:
        return on_this_machine(read_secret(place))
    except UserError:
        return False
