"""`gemini-sft run --no-wait`: a run that goes on without us."""

import shlex
from typing import Any

from rich.console import Console

from gemini_sft.errors import UserError
from gemini_sft.vertex import console_link
from launcher import retraining
from launcher.emulator import StandingEmulator
from launcher.place import Request
from launcher.target import Target


def require_lasting(request: Request) -> None:
    """Refuses to leave a run at a place that ends with the command.

    Raises:
        UserError: It does.
    """
    if not request.on_vertex and StandingEmulator.find(request.data_dir) is None:
        raise UserError(
            "--no-wait: the embedded emulator ends with the command, and the run with it: keep one open in another"
            f" terminal with `gemini-sft emulator --data-dir {shlex.quote(str(request.data_dir))}`, or give --on vertex"
        )


def link_of(target: Target, run_id: str) -> str:
    """Returns where the Pipelines UI of Vertex AI shows a run."""
    return console_link(target.project, target.location, run_id)


def leave(request: Request, target: Target, run_id: str, link: str, seconds: float, console: Console) -> dict[str, Any]:
    """Says how to go on with a run that was submitted.

    Returns:
        The object that `--json` prints: that of a run without a result, and `link`.
    """
    console.print("It goes on without this command." + ("" if request.kubeflow else " Next:"))
    for verb in () if request.kubeflow else ("status", "logs", "cancel"):
        console.print(f"  {request.command_on(verb, run_id, target)}", soft_wrap=True)
    nothing = retraining.nothing_of(request.pipeline)
    return nothing(run_id, "SUBMITTED", [], seconds) | {"link": link or None}
