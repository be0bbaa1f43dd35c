"""Who is told of a run on this machine: nobody who is elsewhere."""

from rich.console import Console

from gemini_sft.errors import UserError
from gemini_sft.experiment import Experiment
from gemini_sft.experiment.schema import Notification
from gemini_sft.notification import on_this_machine, read_secret
from launcher.place import Where


def told_here(experiment: Experiment, console: Console) -> Experiment:
    """Returns the experiment for a run on this machine, and says so if somebody is left out.

    Only a webhook that a variable of the environment names, and that is itself on this machine, is told.
    """
    asked = experiment.notification
    why = _not_here(asked.webhook) if asked.webhook else ""
    kept = Notification(webhook=None if why else asked.webhook)
    if kept != asked:
        console.print(
            "A run on this machine tells nobody elsewhere: notification is for --on vertex, and for a webhook on this"
            f" machine{why}."
        )
    return experiment.model_copy(update={"notification": kept})


def told_there(experiment: Experiment, on: Where, console: Console) -> Experiment:
    """Returns the experiment for a run elsewhere, and says so if somebody is left out: Kubeflow sends no e-mail."""
    if on is not Where.KUBEFLOW or not experiment.notification.email:
        return experiment
    console.print("Kubeflow sends no e-mail: notification.email is for --on vertex. A webhook is told as there.")
    kept = experiment.notification.model_copy(update={"email": []})
    return experiment.model_copy(update={"notification": kept})


def _not_here(place: str) -> str:
    """Returns why a webhook is not told from here, for the end of a sentence; empty if it is."""
    # Secret Manager is not asked from here, not even for an address that might be this machine's.
    if not place.startswith("env:"):
        return " that a variable names"
    try:
        return "" if on_this_machine(read_secret(place)) else f", which {place} is not"
    except UserError as error:
        return f" ({error})"
