"""`gemini-sft schedule`: an experiment that runs again and again."""

from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from rich.console import Console

from gemini_sft.cost import Quote
from gemini_sft.errors import DataError, ServiceError, UserError
from gemini_sft.experiment import Experiment, load_experiment
from gemini_sft.steps.find_models import find_models
from launcher.checking import Checked, check_data, show_data, show_total
from launcher.compiling import compile_for
from launcher.labels import run_labels
from launcher.notifying import told_here, told_there
from launcher.place import PipelineName, Place, Request, Site, at_place, disk_errors
from launcher.preflight.ready import require_ready
from launcher.schedule.kubeflow_schedules import KubeflowSchedules
from launcher.schedule.schedules import Order, Schedule, Schedules
from launcher.schedule.showing import document, show_caps, show_schedule, show_sources, show_table
from launcher.schedule.timing import Asked, Timing
from launcher.schedule.vertex_schedules import VertexSchedules
from launcher.staging import is_local, stage

_PIPELINE: PipelineName = "retrain"
_MOST_MISSED = 10_000


def create(request: Request, asked: Asked, console: Console) -> dict[str, Any]:
    """Makes the schedule of an experiment.

    Returns:
        The object that `--json` prints.

    Raises:
        UserError: Something that the user gave is wrong, there is a schedule, a run would cost too much, or the service
            refused.
        ServiceError: A service did not answer.
    """
    timing = asked.timing(datetime.now(UTC))
    experiment = _experiment(request, console)
    with request.alone(experiment, console), at_place(request, console) as place:
        schedules = _schedules(place, request)
        if there := schedules.all(experiment.name):
            raise UserError(
                f"{experiment.name} has a schedule already, {there[0].id}: change it with"
                f" `{request.command('schedule update')}`, or delete it first"
            )
        order, quote = _order(experiment, timing, place, request, console)
        made = schedules.create(order)
        console.print(f"The schedule {made.name} is made, as {made.id}.")
        return _show_ordered(made, quote, experiment, place, request, console)


def update(request: Request, asked: Asked, console: Console) -> dict[str, Any]:
    """Changes when the schedule of an experiment is due, and has it run the experiment as it is now.

    Returns:
        The object that `--json` prints.

    Raises:
        UserError: As in `create`; or there is no schedule, or one that has ended.
        ServiceError: A service did not answer.
    """
    experiment = _experiment(request, console)
    with request.alone(experiment, console), at_place(request, console) as place:
        schedules = _schedules(place, request)
        there = _one(schedules, experiment.name, place)
        _require_open(there)
        timing = asked.timing(datetime.now(UTC), there)
        order, quote = _order(experiment, timing, place, request, console)
        changed = schedules.update(there, order)
        console.print(f"The schedule {changed.name} is changed, and runs the experiment as it is now.")
        return _show_ordered(changed, quote, experiment, place, request, console)


def list_all(site: Site, console: Console) -> dict[str, Any]:
    """Shows the schedules of a project and region.

    Returns:
        The object that `--json` prints.

    Raises:
        UserError: There is no project, or the service refused.
        ServiceError: The service did not answer.
    """
    with at_place(site, console) as place:
        found = _schedules(place, site).all()
        if found:
            show_table(found, console)
            _say_when_it_fires(place, site, console)
        else:
            console.print(f"There is no schedule in {_where(place)}: make one with `gemini-sft schedule create`.")
        return {"schedules": [document(one) for one in found], "problems": []}


def pause(site: Site, given: str, console: Console) -> dict[str, Any]:
    """Lets a schedule start no more runs; those under way go on.

    Args:
        site: Where it is.
        given: The experiment's file, its name, or the schedule's id.
        console: Where to say what was done.

    Returns:
        The object that `--json` prints.

    Raises:
        UserError: There is no such schedule, or it has ended.
        ServiceError: The service did not answer.
    """
    with at_place(site, console) as place:
        schedules = _schedules(place, site)
        there = _one(schedules, _name(given), place)
        _require_open(there)
        now = there if there.state == "PAUSED" else schedules.pause(there)
        already = " already" if now is there else ""
        console.print(f"The schedule {now.name} is paused{already}: it starts no runs. Runs under way go on.")
        return {"schedule": document(now), "problems": []}


def resume(site: Site, given: str, console: Console) -> dict[str, Any]:
    """Lets a paused schedule start runs again, from its next due time on; what it missed is not made up.

    Args, returns, raises: As `pause`; the object says how many due times were `missed`, or null if that is not known.
    """
    with at_place(site, console) as place:
        schedules = _schedules(place, site)
        there = _one(schedules, _name(given), place)
        _require_open(there)
        missed = None
        if there.state == "PAUSED":
            now = schedules.resume(there)
            missed = _missed(now)
            console.print(f"The schedule {now.name} is active again.")
            if missed:
                console.print(f"It was due {missed:,} times while it was paused: those runs are not made up.")
        else:
            now = there
            console.print(f"The schedule {now.name} is active already.")
        show_schedule(now, console)
        _say_when_it_fires(place, site, console)
        return {"schedule": document(now), "missed": missed, "problems": []}


def delete(site: Site, given: str, console: Console) -> dict[str, Any]:
    """Deletes a schedule; its runs stay, and one that is under way goes on.

    Args, returns, raises: As `pause`.
    """
    with at_place(site, console) as place:
        schedules = _schedules(place, site)
        there = _one(schedules, _name(given), place)
        schedules.delete(there)
        console.print(f"The schedule {there.name} is deleted: it starts no more runs. Runs under way go on.")
        return {"schedule": document(there) | {"state": "DELETED", "next_run": None, "due": []}, "problems": []}


def _experiment(request: Request, console: Console) -> Experiment:
    experiment = request.experiment()
    if request.on_vertex:
        return told_there(experiment, request.on, console)
    return told_here(experiment, console)


def _schedules(place: Place, site: Site) -> Schedules:
    if site.kubeflow:
        return KubeflowSchedules(site.kubeflow, place.target, site.service_account)
    return VertexSchedules(place.target)


def _order(
    experiment: Experiment, timing: Timing, place: Place, request: Request, console: Console
) -> tuple[Order, Quote | None]:
    """Stages and compiles what is to be run, and quotes one run if its data can be read from here."""
    checked = _checked(experiment, request, console)
    target = place.target
    template = compile_for(experiment, request.compiled(experiment), _PIPELINE)
    require_ready(experiment, place, template, checked, request, console)
    experiment_uri = stage(experiment, target)
    quote = None
    if checked:
        checked.hand_over_counts(experiment_uri)
        quote, error = checked.quote(target, experiment_uri)
        show_total(quote, console)
        if error:
            raise error
    else:
        find_models(
            project=target.project,
            location=target.location,
            experiment_uri=experiment_uri,
            models_uri=str(request.checks(experiment) / "models.json"),
        )
    order = Order(
        name=experiment.name,
        cron=timing.cron,
        start=timing.start,
        end=timing.end,
        max_runs=timing.max_runs,
        template=template,
        parameters={"project": target.project, "location": target.location, "experiment_uri": experiment_uri},
        labels=run_labels(experiment.name, template.stem),
    )
    return order, quote


def _checked(experiment: Experiment, request: Request, console: Console) -> Checked | None:
    """Returns the data as they are now; None if they lie elsewhere and cannot be read from here."""
    try:
        with disk_errors(request.data_dir):
            checked = check_data(experiment, request.checks(experiment))
    except (DataError, ServiceError) as error:
        if is_local(experiment):
            raise
        console.print(f"The data cannot be read from here, so that each run quotes itself: {error}")
        return None
    if checked.problems:
        raise DataError(checked.problems)
    show_data(checked.summary, console)
    return checked


def _show_ordered(
    schedule: Schedule,
    quote: Quote | None,
    experiment: Experiment,
    place: Place,
    request: Request,
    console: Console,
) -> dict[str, Any]:
    show_schedule(schedule, console)
    costs = show_caps(schedule, quote, experiment, console)
    sources = show_sources(experiment, request.command("schedule update"), console)
    _say_when_it_fires(place, request, console)
    return {"schedule": document(schedule), **costs, **sources, "problems": []}


def _say_when_it_fires(place: Place, site: Site, console: Console) -> None:
    if site.kubeflow:
        console.print(
            "Kubeflow reads the cron in the time zone of its own controller (CRON_SCHEDULE_TIMEZONE, or else UTC): the"
            " times above hold if that is the one that they are in."
        )
    if not place.outlives_us:
        command = f"gemini-sft emulator --data-dir {site.data_dir}"
        console.print(f"It is kept in {site.data_dir}, and runs start only while `{command}` is open.")


def _one(schedules: Schedules, given: str, place: Place) -> Schedule:
    """Returns the schedule of that name or id.

    Raises:
        UserError: There is none, or there are several, which nothing here makes.
    """
    found = schedules.all()
    fitting = [one for one in found if given in (one.name, one.id)]
    if not fitting:
        names = f"there are {', '.join(one.name for one in found)}" if found else "there is none at all"
        raise UserError(f"there is no schedule {given} in {_where(place)}: {names}")
    if len(fitting) > 1:
        ids = ", ".join(one.id for one in fitting)
        raise UserError(f"several schedules are called {given}: give the id of one of them ({ids})")
    return fitting[0]


def _name(given: str) -> str:
    """Returns the name of the experiment in a file; anything else is a name itself."""
    is_file = given.endswith((".yaml", ".yml")) or Path(given).is_file()
    return load_experiment(given, allow_retired=True).name if is_file else given


def _require_open(schedule: Schedule) -> None:
    if schedule.state == "COMPLETED":
        raise UserError(f"the schedule {schedule.name} has come to its end: delete it, and create another")


def _missed(schedule: Schedule) -> int | None:
    """Returns how often it was due between its last pause and its resumption; None if the service does not say."""
    paused, resumed, cron = schedule.paused, schedule.resumed, schedule.cron
    if not (paused and resumed and cron):
        return None
    limit = min(resumed, schedule.end or resumed)
    due = takewhile(lambda one: one[1] <= limit, zip(range(_MOST_MISSED), cron.due(paused), strict=False))
    return sum(1 for _ in due)


def _where(place: Place) -> str:
    return f"{place.target.project}, {place.target.location}"
