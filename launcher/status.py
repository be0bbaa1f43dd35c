"""`gemini-sft status`: how the last runs stand, or one of them with its tasks."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gemini_sft.errors import RunError, UserError
from gemini_sft.experiment import load_experiment
from gemini_sft.steps.places import PROGRESS, beside
from gemini_sft.telling import duration, lines
from gemini_sft.vertex import console_link
from launcher import results, retraining
from launcher.found import Found, recent, resolve
from launcher.place import Place, Site, at_place, notes
from launcher.running import failure
from launcher.runs import read_comparison
from launcher.showing import show, show_verdict
from launcher.submission import FoundRun, Run, RunView
from launcher.tasks import TaskView
from launcher.watching import picture, watch

_WIDEST = 1000


def show_recent(site: Site, console: Console) -> dict[str, Any]:
    """Shows the last runs of a project and region.

    Returns:
        The object that `--json` prints: `runs`, the newest first, each as `_described` has it.
    """
    with at_place(site, notes()) as place:
        found = recent(place.target)
        where = f"project {place.target.project}, region {place.target.location}"
    if found:
        print_runs(found, console)
    else:
        console.print(f"No runs in {where}.")
    return {"runs": [_described(one) for one in found]}


def table(found: list[Found]) -> Table:
    """Returns runs as a table; the column of the experiment is there if a run's id does not begin with it."""
    named = all(one.id.startswith(one.experiment) for one in found)
    result = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for column in ["run", "pipeline", "state", "submitted", "took"] + ([] if named else ["experiment"]):
        result.add_column(column, no_wrap=column in ("run", "state"), justify="right" if column == "took" else "left")
    for one in found:
        took = "" if one.seconds is None else duration(one.seconds)
        pipeline = one.pipeline.removeprefix("gemini-") + (", scheduled" if one.schedule else "")
        cells = [one.id, pipeline, one.state.lower(), f"{one.created.astimezone():%m-%d %H:%M}", took, one.experiment]
        result.add_row(*(Text(cell) for cell in cells[: len(result.columns)]))
    return result


def print_runs(found: list[Found], console: Console) -> None:
    """Prints runs as a table, which is as wide as it is if no terminal limits it or its ids would not be whole."""
    runs = table(found)
    beside = 54  # what the other columns take when they wrap
    if not console.is_terminal or max(len(one.id) for one in found) + beside > console.width:
        runs.width = console.measure(runs, options=console.options.update(max_width=_WIDEST)).maximum
    console.print(runs, crop=False)


def show_one(site: Site, run: str, wait: bool, console: Console) -> tuple[dict[str, Any], bool]:
    """Shows a run with its tasks, and once it has ended its verdict; its results are fetched if they are not here.

    Args:
        site: Where it is.
        run: Which run, see `resolve`.
        wait: Whether to follow it to its end.
        console: Where to show it.

    Returns:
        The object that `--json` prints, which is that of a list of runs and `error`, `tasks`, `link`, `verdict`,
        `reasons`, `report` and `artifacts`, or in place of a verdict what `report` prints of a scheduled run or a
        recheck; and whether the run has ended without success.

    Raises:
        UserError: There is no such run, or several.
        RunError: Vertex AI did not answer.
    """
    with at_place(site, notes()) as place:
        one = resolve(place.target, run)
        submitted = FoundRun(one.id, place.target)
        link = console_link(place.target.project, place.target.location, one.id) if site.on_vertex else None
        console.print(Text(f"Run {one.id}: {_what(one)}, submitted {_local(one.created)}"), soft_wrap=True)
        view = _followed(submitted, one, place, console) if wait else submitted.view()
        if not wait:
            console.print(picture(view))
        one = resolve(place.target, one.id)
        took = f" after {duration(one.seconds)}" if one.seconds is not None else ""
        console.print(Text(f"{view.state.capitalize()}{took}."))
        error = failure(view) if view.ended and not view.succeeded else ""
        if error:
            console.print(Text(error, "red"), soft_wrap=True)
        if link:
            console.print(Text(f"Console: {link}"), soft_wrap=True)
        folder = _results(submitted, one, view, site.data_dir, console) if view.ended else None
    verdict: dict[str, Any] = {"verdict": None, "reasons": [], "report": None, "artifacts": None}
    if folder and retraining.is_retraining(folder):
        retraining.show(folder, console)
        verdict |= retraining.reported(folder)
    elif folder:
        comparison = read_comparison(folder)
        if wait:
            show(folder, console)
        else:
            show_verdict(comparison, folder / results.REPORT, console)
        verdict |= {"verdict": comparison.verdict.value, "reasons": comparison.reasons}
        verdict |= {"report": str(folder / results.REPORT), "artifacts": str(folder)}
    tasks = [_task(task) for task in view.tasks]
    described = {**_described(one), "state": view.state, "error": error or None, "tasks": tasks, "link": link}
    return described | verdict, view.ended and not view.succeeded


def _followed(run: Run, one: Found, place: Place, console: Console) -> RunView:
    doing = f"{PROGRESS}/{one.id}"
    try:
        return watch(run, console, place.check, lambda: lines(beside(one.experiment_uri, doing)))
    except RunError:
        place.check()  # or else an emulator that is gone is no more than a service that does not answer
        raise


def _results(run: Run, one: Found, view: RunView, data_dir: Path, console: Console) -> Path | None:
    """Returns the folder with the results of a run that has ended, fetched if need be; None if it left no verdict."""
    folder = data_dir / "runs" / one.id
    if any((folder / mark).is_file() for mark in (results.REPORT, results.PLAN)):
        return folder
    if not one.experiment_uri:
        return None
    try:
        with suppress(KeyError):  # it did not come to its verdict
            experiment = load_experiment(one.experiment_uri, allow_retired=True)
            results.fetch(run.artifacts(), folder, experiment, one.experiment_uri)
            return folder
    except (UserError, RunError) as error:
        if view.succeeded:
            console.print(Text(f"Its results could not be fetched: {error}", "yellow"), soft_wrap=True)
    return None


def _what(one: Found) -> str:
    of = f" of {one.experiment}" if one.experiment_uri else ""
    return f"{one.pipeline}{of}" + (f", by schedule {one.schedule}" if one.schedule else "")


def _local(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _described(one: Found) -> dict[str, Any]:
    return {
        "run_id": one.id,
        "pipeline": one.pipeline,
        "experiment": one.experiment or None,
        "experiment_uri": one.experiment_uri or None,
        "state": one.state,
        "created": one.created.isoformat(),
        "started": one.started and one.started.isoformat(),
        "ended": one.ended and one.ended.isoformat(),
        "seconds": None if one.seconds is None else round(one.seconds, 1),
        "schedule": one.schedule or None,
    }


def _task(task: TaskView) -> dict[str, Any]:
    return {
        "name": task.name,
        "state": task.state,
        "started": task.started and task.started.isoformat(),
        "ended": task.ended and task.ended.isoformat(),
        "error": task.error or None,
    }
