"""`gemini-sft cleanup`: what rejected and old runs have left, shown and, if wished, deleted."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gemini_sft.catalog import catalog
from gemini_sft.cost.words import counted, usd
from gemini_sft.experiment import load_experiment
from gemini_sft.release.cleanup_delete import Done, carry_out
from gemini_sft.release.cleanup_estate import Scope
from gemini_sft.release.cleanup_items import Item, Kept, Kind, Plan
from gemini_sft.release.cleanup_look import look
from gemini_sft.release.cleanup_plan import plan
from gemini_sft.steps.places import ANSWERS, CLEANED, COMMANDS, EVALUATIONS, OUTCOMES, PROGRESS
from launcher.place import Request, at_place
from launcher.target import Target

_WIDEST = 120
_MOST_KEPT = 20
_RESOURCES = (Kind.ENDPOINT, Kind.VERSION, Kind.MODEL, Kind.EXPERIMENT)
_NOUNS = {Kind.VERSION: "model version", Kind.ANSWERS: "folder of answers", Kind.STAGING: "staged file"}


def clean(request: Request, days: int, delete: bool, console: Console) -> dict[str, Any]:
    """Shows what a cleanup would delete, and deletes it if wished.

    Args:
        request: Which experiment, and where.
        days: From which age on runs go that were not rejected.
        delete: Whether to delete.
        console: Where to show it.

    Returns:
        The object that `--json` prints; its `state` is PLANNED, DELETED, or INCOMPLETE if something could not be
        deleted.

    Raises:
        UserError: Something that the user gave is wrong, or there is no permission to look.
        ServiceError: Vertex AI or Cloud Storage did not say what there is.
    """
    name = load_experiment(str(request.experiment_file), request.overrides, allow_retired=True).name
    with at_place(request, console) as place:
        scope = _scope(place.target, name)
        planned = plan(look(scope), datetime.now(UTC), timedelta(days=days))
        _show(planned, scope, console)
        done: list[Done] = []
        if delete and planned.items:
            done = carry_out(scope, planned.items, lambda one: _show_done(one, console))
            _show_end(done, console)
        elif planned.items:
            console.print("Nothing was deleted. To delete all of this, add --yes.")
    return _document(planned, done, name, delete)


def _scope(target: Target, name: str) -> Scope:
    staging = f"gs://{target.bucket}/staging/{name}"
    return Scope(
        project=target.project,
        location=target.location,
        experiment=name,
        pipelines=target.pipeline_root,
        staging=staging,
        outcomes=f"{staging}/{OUTCOMES}",
        commands=f"{staging}/{COMMANDS}",
        cleaned=f"{staging}/{CLEANED}",
        by_run=(f"{staging}/{EVALUATIONS}",),
        answers=(f"{staging}/{ANSWERS}", f"{staging}/{PROGRESS}"),
    )


def _show(planned: Plan, scope: Scope, console: Console) -> None:
    bucket = _bucket(scope.staging)
    if planned.items:
        console.print(Text(f"What rejected and old runs of {scope.experiment} have left in {scope.project}, {bucket}:"))
        console.print(_table(planned.items, bucket, min(console.width, _WIDEST)))
        console.print(Text(_total(planned.items)))
    else:
        where = f"{scope.experiment} in {scope.project}, {scope.location}"
        console.print(Text(f"There is nothing to clean up of {where}."), soft_wrap=True)
    _show_kept(planned.kept, console)


def _table(items: Iterable[Item], bucket: str, width: int) -> Table:
    """Returns what would be deleted, by run: what and how many, names, size and monthly cost of files."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, width=width)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("USD/month", justify="right")
    for (run, why), some in groupby(sorted(items, key=_by_run), key=lambda item: (item.run, item.why)):
        table.add_row(Text("run" if run else "staged", "bold"), Text(f"{run}: {why}" if run else why, "bold"))
        for (kind, place), alike in groupby(some, key=lambda item: (item.kind, _place(item))):
            for row in _rows(kind, place, list(alike), bucket):
                table.add_row(*row)
        table.add_row()
    return table


def _bucket(uri: str) -> str:
    return uri[: uri.index("/", len("gs://")) + 1]


def _by_run(item: Item) -> tuple[bool, str, str, int, str, str]:
    return not item.run, item.run, item.why, list(Kind).index(item.kind), _place(item), item.name


def _place(item: Item) -> str:
    """Returns the region of a resource; nothing for files."""
    return item.name.split("/")[3] if item.kind in _RESOURCES else ""


def _rows(kind: Kind, place: str, items: Sequence[Item], bucket: str) -> Iterable[tuple[Text, ...]]:
    """Yields the lines of one kind of thing: resources together, for they are many and alike; folders one by one."""
    if kind in _RESOURCES:
        ids = ", ".join(item.name.rpartition("/")[2] for item in items)
        free = "" if kind is Kind.EXPERIMENT else "0"
        yield Text(counted(len(items), _noun(kind))), Text(f"{ids} ({place})"), Text(), Text(free)
        return
    for item in items:
        what, cost = counted(len(item.objects), "file"), usd(catalog().storage.usd_a_month(item.bytes))
        folder = f"{item.name.removeprefix(bucket)}/"
        yield Text(what), Text(folder), Text(_size(item.bytes)), Text(cost.removesuffix(" USD"))


def _noun(kind: Kind) -> str:
    return _NOUNS.get(kind, kind.value)


def _size(size: float) -> str:
    units = ["B", "KB", "MB", "GB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:,.0f} {units[0]}" if units[0] == "B" or size >= 10 else f"{size:,.1f} {units[0]}"


def _total(items: Sequence[Item]) -> str:
    price = catalog().storage
    size = sum(item.bytes for item in items)
    return (
        f"Together: {_amounts(items)}. To keep the files costs {usd(price.usd_a_month(size))} a month"
        f" ({price.per_gb_month:g} USD per GB, {price.date}). Endpoints and models of tuned Gemini cost nothing by the"
        " hour, but count against the quotas of the project."
    )


def _amounts(items: Iterable[Item]) -> str:
    items = list(items)
    kinds = Counter(item.kind for item in items if item.kind in _RESOURCES)
    parts = [counted(kinds[kind], _noun(kind)) for kind in _RESOURCES if kinds[kind]]
    if files := sum(len(item.objects) for item in items):
        parts.append(f"{counted(files, 'file')} of {_size(sum(item.bytes for item in items))}")
    return ", ".join(parts) or "nothing"


def _show_kept(kept: Sequence[Kept], console: Console) -> None:
    for one in kept[:_MOST_KEPT]:
        console.print(Text(f"Kept: {_short(one.name)}: {one.why}.", "dim"), soft_wrap=True)
    if len(kept) > _MOST_KEPT:
        console.print(Text(f"Kept: {len(kept) - _MOST_KEPT:,} more (--json names them).", "dim"))


def _short(name: str) -> str:
    parts = name.split("/")
    return f"model {parts[-1]} ({parts[3]})" if len(parts) == 6 else name


def _show_done(done: Done, console: Console) -> None:
    name = done.item.name.rpartition("/")[2] if done.item.kind in _RESOURCES else f"{done.item.name}/"
    what = f"{_noun(done.item.kind)} {name}"
    if done.deleted:
        console.print(Text(f"✓ {what}", "green"), soft_wrap=True)
    else:
        sign, style, why = ("✗", "bold red", done.error) if done.error else ("·", "yellow", f"left: {done.refused}")
        console.print(Text(f"{sign} {what}: {why}", style), soft_wrap=True)


def _show_end(done: Sequence[Done], console: Console) -> None:
    console.print(Text(f"Deleted: {_amounts(one.item for one in done if one.deleted)}."))
    if rest := [one.item for one in done if not one.deleted]:
        console.print(Text(f"Still there: {_amounts(rest)}. Run the cleanup again to go on with them.", "yellow"))


def _document(planned: Plan, done: Sequence[Done], name: str, delete: bool) -> dict[str, Any]:
    price = catalog().storage
    fates = {id(one.item): one for one in done}
    state = "INCOMPLETE" if any(one.error for one in done) else "DELETED" if delete else "PLANNED"
    size = sum(item.bytes for item in planned.items)
    return {
        "experiment": name,
        "state": state,
        "items": [_item(item, fates.get(id(item))) for item in planned.items],
        "kept": [{"name": one.name, "why": one.why} for one in planned.kept],
        "endpoints": sum(item.kind is Kind.ENDPOINT for item in planned.items),
        "models": sum(item.kind in (Kind.MODEL, Kind.VERSION) for item in planned.items),
        "bytes": size,
        "usd_a_month": price.usd_a_month(size),
        "price_date": price.date.isoformat(),
    }


def _item(item: Item, done: Done | None) -> dict[str, Any]:
    fate = "planned" if done is None else "deleted" if done.deleted else "failed" if done.error else "left"
    return {
        "kind": item.kind.value,
        "name": item.name,
        "run": item.run or None,
        "why": item.why,
        "files": [one.uri for one in item.objects],
        "bytes": item.bytes,
        "usd_a_month": catalog().storage.usd_a_month(item.bytes),
        "fate": fate,
        "reason": (done.error or done.refused or None) if done else None,
    }
