"""What a cleanup would delete and why: pure rules over what there is.

A run is spent when it was rejected, or is older than wished. A version goes when nothing uses it and every run whose
model it is is spent; an endpoint when all that it serves goes; files of a run when it is spent and none of its versions
is in use. What is not known is kept.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from gemini_sft.release.cleanup_estate import HOLDERS, REJECT, Endpoint, Estate, Job, Object, Run, Version
from gemini_sft.release.cleanup_items import Item, Kept, Kind, Plan

_YOUNG = timedelta(days=1)
_STALE_ANSWERS = timedelta(days=7)
"""Older answers are asked for anew, see `inference.journal`."""
_DEFAULT = "default"


def plan(estate: Estate, now: datetime, older_than: timedelta) -> Plan:
    """Returns what a cleanup would delete.

    Args:
        estate: What there is.
        now: The time.
        older_than: The age at which a run that was not rejected is spent; less than a day counts as a day.
    """
    rules = _Rules(estate, now, max(older_than, _YOUNG))
    order = list(Kind)
    items = sorted(rules.items(), key=lambda item: (order.index(item.kind), item.name))
    return Plan(tuple(items), tuple(rules.kept_things()))


class _Rules:
    def __init__(self, estate: Estate, now: datetime, older_than: timedelta) -> None:
        self._estate, self._now, self._older_than = estate, now, older_than
        self._by_label: dict[str, list[Run]] = {}
        for run in estate.runs:
            self._by_label.setdefault(run.label, []).append(run)
        self._endpoints = {one.name: one for one in estate.endpoints}
        self._versions = {one.name: one for one in estate.versions}
        self._makers = {job.version: job.run for job in estate.jobs if job.version}
        self._siblings: dict[str, list[Version]] = {}
        for version in estate.versions:
            self._siblings.setdefault(version.model, []).append(version)
        self._why_kept = {one.name: why for one in estate.versions if (why := self._use(one) or self._wanted(one))}
        self._spread()

    def items(self) -> Iterator[Item]:
        """Yields all that goes."""
        yield from self._endpoint_items()
        yield from self._model_items()
        yield from self._experiment_items()
        for kind, found in ((Kind.ARTIFACTS, self._estate.artifacts), (Kind.ANSWERS, self._estate.answers)):
            for run_id, objects in sorted(found.items()):
                yield from self._files_of_run(kind, run_id, objects)
        yield from self._staged_items()

    def kept_things(self) -> Iterator[Kept]:
        """Yields the versions and runs under way that stay."""
        yield from (Kept(name, why) for name, why in sorted(self._why_kept.items()))
        yield from (Kept(run.id, "it is under way") for run in self._estate.runs if run.under_way)
        if unknown := self._unknown_inputs():
            yield Kept("staged files", f"what {unknown[0]} refers to is not known")

    # Runs

    def _spent(self, run: Run) -> str | None:
        """Returns why a run is of no use any more; None if it may be."""
        if run.under_way or run.ended is None:
            return None
        if run.verdict == REJECT:
            return "rejected"
        age = self._now - run.ended
        return f"{age.days} days old" if age >= self._older_than else None

    def _runs_of(self, version: Version) -> list[Run]:
        """Returns the runs whose model a version is: its maker, and those that adopted its job."""
        return [run for run in self._estate.runs if self._is_of(version, run)]

    def _made_by(self, run: Run) -> list[Version]:
        return [one for one in self._estate.versions if self._is_of(one, run)]

    def _is_of(self, version: Version, run: Run) -> bool:
        # Who promotes a version may put another run into its label; its job still says who has made it.
        return run.label in (version.run, self._makers.get(version.name)) or run.model == version.name

    def _adopting(self) -> Run | None:
        return next((run for run in self._estate.runs if run.adopts), None)

    def _unused(self, run: Run) -> str | None:
        """Returns why the files of a run go; None if they stay."""
        in_use = any(self._use(one) for one in self._made_by(run))
        return None if in_use else self._spent(run)

    # Versions

    def _use(self, version: Version) -> str | None:
        """Returns who uses a version, whatever its runs came to."""
        if held := sorted(version.aliases & HOLDERS):
            return f"it is the {held[0]}"
        if not version.own:
            return "it does not have this experiment's labels"
        for name in sorted(version.endpoints):
            endpoint = self._endpoints.get(name)
            if endpoint is None or not endpoint.own:
                return f"the endpoint {name} serves it, which is not this experiment's"
        return None

    def _wanted(self, version: Version) -> str | None:
        """Returns why the runs of a version keep it."""
        if run := self._adopting():
            return f"run {run.id} is under way and may use it"
        runs = self._runs_of(version)
        if not runs:
            return "no run is known that has made it"
        # A run that came to no verdict does not speak for a model that another run has judged.
        judged = [run for run in runs if run.verdict] or runs
        for run in (one for one in runs if one.under_way):
            return f"run {run.id} is under way"
        for run in judged:
            if self._spent(run) is None:
                verdict = f", {run.verdict}" if run.verdict else ""
                return f"its run {run.id} is not old enough{verdict}"
        return None

    def _spread(self) -> None:
        """Keeps what hangs together with what is kept, until nothing is added."""
        while True:
            before = len(self._why_kept)
            for version in self._estate.versions:
                if version.name in self._why_kept:
                    continue
                for name in sorted(version.endpoints):
                    others = self._endpoints[name].serves - {version.name}
                    if any(self._stays(other) for other in others):
                        self._why_kept[version.name] = f"the endpoint {name} serves it beside a model that stays"
                siblings = self._siblings[version.model]
                if _DEFAULT in version.aliases and any(self._stays(one.name) for one in siblings):
                    self._why_kept[version.name] = "it is the default version of a model that stays"
            if len(self._why_kept) == before:
                return

    def _stays(self, name: str) -> bool:
        return name not in self._versions or name in self._why_kept

    def _why(self, version: Version) -> tuple[str, str]:
        """Returns the run that stands for a version that goes, and why it goes."""
        runs = self._runs_of(version)
        for run in [run for run in runs if run.verdict] or runs:
            if why := self._spent(run):
                return run.id, why
        raise AssertionError(f"{version.name} stays")

    # Items

    def _model_items(self) -> Iterator[Item]:
        for model, versions in sorted(self._siblings.items()):
            going = [one for one in versions if not self._stays(one.name)]
            if going and len(going) == len(versions):
                run, why = self._why(going[0])
                yield Item(Kind.MODEL, model, run, why, _names(versions))
                continue
            for one in going:
                run, why = self._why(one)
                yield Item(Kind.VERSION, one.name, run, why, (one.name,))

    def _endpoint_items(self) -> Iterator[Item]:
        makers = {name: job for job in self._estate.jobs for name in job.endpoints}
        for endpoint in self._estate.endpoints:
            job = makers.get(endpoint.name)
            if not endpoint.own or any(self._stays(one) for one in endpoint.serves):
                continue
            if endpoint.serves:
                run, why = self._why(self._versions[min(endpoint.serves)])
            elif job and (found := self._leftover(job)):
                run, why = found
            else:
                continue
            yield self._endpoint_item(endpoint, job, run, why)

    def _endpoint_item(self, endpoint: Endpoint, job: Job | None, run: str, why: str) -> Item:
        versions = {*endpoint.serves, *([job.version] if job and job.version else [])}
        return Item(Kind.ENDPOINT, endpoint.name, run, why, tuple(sorted(versions)))

    def _experiment_items(self) -> Iterator[Item]:
        for job in self._estate.jobs:
            if job.experiment and (found := self._leftover(job)):
                run, why = found
                versions = (job.version,) if job.version else ()
                yield Item(Kind.EXPERIMENT, job.experiment, run, why, versions, job.name)

    def _leftover(self, job: Job) -> tuple[str, str] | None:
        """Returns the run and the reason for which what a job has left beside its model goes; None if it stays."""
        if not job.ended or self._adopting():
            return None
        if version := self._versions.get(job.version):
            return None if self._stays(version.name) else self._why(version)
        runs = [*self._by_label.get(job.run, []), *(one for one in self._estate.runs if one.model == job.version != "")]
        if not runs or any(run.under_way for run in runs):
            return None
        judged = [run for run in runs if run.verdict] or runs
        whys = [self._spent(run) for run in judged]
        return (judged[0].id, whys[0]) if whys[0] and all(whys) else None

    def _files_of_run(self, kind: Kind, run_id: str, objects: tuple[Object, ...]) -> Iterator[Item]:
        if kind is Kind.ARTIFACTS and self._adopting():
            return  # what is under way may read what an earlier run has prepared
        run = next((one for one in self._estate.runs if one.id == run_id), None)
        why = self._unused(run) if run else None
        made = self._made_by(run) if run else []
        if why is None and kind is Kind.ANSWERS and not (run and (run.under_way or any(map(self._use, made)))):
            objects = tuple(one for one in objects if self._now - one.written >= _STALE_ANSWERS)
            why = "answers too old to be used"
        if why:
            folders = _in_folders(objects, lambda uri: uri.partition(f"/{run_id}/")[0] + f"/{run_id}")
            for folder, files in folders:
                yield Item(kind, folder, run_id, why, _names(made), objects=files)

    def _unknown_inputs(self) -> list[str]:
        """Returns the runs that are kept and the schedules of which nobody knows what they refer to."""
        runs = [f"run {run.id}" for run in self._estate.runs if run.inputs is None and not self._unused(run)]
        return runs + [f"schedule {name}" for name, inputs in self._estate.schedules.items() if inputs is None]

    def _staged_items(self) -> Iterator[Item]:
        if self._unknown_inputs():
            return
        kept = {uri for run in self._estate.runs if not self._unused(run) for uri in run.inputs or ()}
        # What a schedule was given must be there whenever it is due, whatever became of the runs before.
        kept |= {uri for inputs in self._estate.schedules.values() for uri in inputs or ()}
        going = [
            one
            for one in self._estate.staged
            if one.uri not in kept and (self._now - one.written >= _YOUNG or self._was_for_rejected(one))
        ]
        for folder, files in _in_folders(going, lambda uri: uri.rpartition("/")[0]):
            uris = {one.uri for one in files}
            made = [one for run in self._estate.runs if uris & (run.inputs or set()) for one in self._made_by(run)]
            yield Item(
                Kind.STAGING,
                folder,
                "",
                "no run that is kept and no schedule refers to it",
                _names(made),
                objects=files,
            )

    def _was_for_rejected(self, staged: Object) -> bool:
        """Returns whether a rejected run refers to a file, and nobody has staged it again since that run began."""
        return any(
            run.verdict == REJECT and staged.uri in (run.inputs or ()) and run.began and run.began >= staged.written
            for run in self._estate.runs
        )


def _names(versions: Iterable[Version]) -> tuple[str, ...]:
    return tuple(sorted({one.name for one in versions}))


def _in_folders(objects: Iterable[Object], folder_of: Callable[[str], str]) -> Iterator[tuple[str, tuple[Object, ...]]]:
    found: dict[str, list[Object]] = {}
    for one in objects:
        found.setdefault(folder_of(one.uri), []).append(one)
    yield from ((folder, tuple(files)) for folder, files in sorted(found.items()))
