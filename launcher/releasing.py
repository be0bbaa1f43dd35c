"""`gemini-sft rollback`: the model that was in use before takes the place of the one that is."""

from dataclasses import asdict
from typing import Any

from rich.console import Console

from gemini_sft.experiment import load_experiment
from gemini_sft.release import rollback
from launcher.place import Request, at_place


def roll_back(request: Request, console: Console) -> dict[str, Any]:
    """Puts the previous champion of an experiment in use again.

    Returns:
        The object that `--json` prints: `was`, `champion` and `previous`, each a resource name or None;
        `finished_only`, whether an interrupted move was finished and nothing else done; and `problems`, of which there
        are none.

    Raises:
        UserError: There is nothing to roll back to, or something that the user gave is wrong.
        RunError: Vertex AI refused or did not answer, or somebody else moved the alias at the same moment.
    """
    # Its name is all that is needed: to be taken back, a model needs neither its data nor metrics that can be loaded.
    name = load_experiment(str(request.experiment_file), request.overrides, allow_retired=True).name
    with at_place(request, console) as place:
        done = rollback(place.target.project, place.target.location, name)
    if done.was == done.champion:
        console.print("An interrupted promotion or rollback was finished, and nothing else was done.")
    else:
        console.print(f"Was champion: {done.was}")
    console.print(f"Is champion:  {done.champion}")
    console.print(f"Before it:    {done.previous or 'none'}")
    return {**asdict(done), "finished_only": done.was == done.champion, "problems": []}


def nothing(problems: list[str]) -> dict[str, Any]:
    """Returns the same object for a rollback that was not done."""
    return dict.fromkeys(("was", "champion", "previous", "finished_only")) | {"problems": problems}
