"""Looking at what an experiment has left on Vertex AI and in its bucket."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from gemini_sft import storage, vertex
from gemini_sft.decision.outcome import read_outcomes
from gemini_sft.errors import UserError
from gemini_sft.refusals import refusals
from gemini_sft.release.cleanup_estate import Endpoint, Estate, Job, Object, Run, Scope, Version
from gemini_sft.release.cleanup_reading import (
    Document,
    experiment_uri,
    has_ended,
    labelled,
    named,
    pipelines_of,
    place,
    project_of,
    schedules_of,
    served_by,
    started_by,
    version_name,
)
from gemini_sft.release.cleanup_runs import Inputs, find_runs

_HASH = re.compile(r"[0-9a-f]{16}")
_READERS = 8


def look(scope: Scope) -> Estate:
    """Returns what an experiment has left.

    Raises:
        UserError: There are no credentials, no permission to look, or no such bucket.
        ServiceError: Vertex AI or Cloud Storage did not say.
    """
    staged = _objects(scope.staging)
    pipelines = list(pipelines_of(scope))
    jobs = list(vertex.listed(f"{place(scope)}/tuningJobs", scope.location, "tuningJobs", labelled(scope)))
    outcomes = {one.run_id: one for one in read_outcomes(scope.outcomes)}
    versions = list(_versions(scope, {*(_made(one)[0] for one in jobs), *(one.model for one in outcomes.values())}))
    endpoints = {one["name"]: one for one in _endpoints(scope, jobs, versions)}
    written = {one.uri: one.written for one in staged}
    inputs = Inputs(scope)
    runs = list(find_runs(scope, pipelines, jobs, versions, outcomes, written, inputs))
    numbers = {project_of(one) for one in (*pipelines, *jobs)}
    experiments = _experiments(scope) if any(one.get("experiment") for one in jobs) else set()
    return Estate(
        runs=tuple(runs),
        versions=tuple(_version(scope, one, endpoints.keys()) for one in versions),
        endpoints=tuple(_endpoint(scope, one) for one in endpoints.values()),
        jobs=tuple(_job(scope, one, experiments) for one in jobs),
        artifacts=_grouped([*_all_artifacts(scope, runs, numbers), *_below(scope.by_run, staged, 0)]),
        answers=_grouped(_below(scope.answers, staged, -2)),
        staged=tuple(one for one in staged if _HASH.fullmatch(one.uri.removeprefix(f"{scope.staging}/").split("/")[0])),
        schedules={
            one["name"].rpartition("/")[2]: inputs.of(experiment_uri(started_by(one))) for one in schedules_of(scope)
        },
    )


def _made(job: Document) -> tuple[str, list[str]]:
    """Returns the model and the endpoints that a job has made, which may be gone."""
    tuned = job.get("tunedModel", {})
    endpoints = [tuned.get("endpoint"), *(one.get("endpoint") for one in tuned.get("checkpoints", []))]
    return tuned.get("model", ""), sorted({one for one in endpoints if one})


def _versions(scope: Scope, known: set[str]) -> Iterator[Document]:
    """Yields all versions of the models that were found by their label, or that jobs and outcomes name."""
    models = {named(scope, name).partition("@")[0] for name in known if name}
    found = vertex.listed(f"{place(scope)}/models", scope.location, "models", labelled(scope))
    models |= {named(scope, one["name"]).partition("@")[0] for one in found}

    def versions_of(model: str) -> list[Document]:
        location = vertex.location_of(model, scope.location)
        if vertex.find(model, location) is None:
            return []
        return list(vertex.listed(f"{model}:listVersions", location, "models"))

    with ThreadPoolExecutor(_READERS) as pool:
        for versions in pool.map(versions_of, sorted(models)):
            yield from versions


def _endpoints(scope: Scope, jobs: list[Document], versions: list[Document]) -> Iterator[Document]:
    """Yields the endpoints with the experiment's label, and all others that serve one of its versions."""
    made = {named(scope, name) for job in jobs for name in _made(job)[1]}
    serving = {named(scope, one["endpoint"]) for version in versions for one in version.get("deployedModels", [])}
    locations = {vertex.location_of(name, scope.location) for name in made | serving}
    found = [
        one | {"name": named(scope, one["name"])}
        for location in sorted(locations | {scope.location})
        for one in vertex.listed(
            f"projects/{scope.project}/locations/{location}/endpoints", location, "endpoints", labelled(scope)
        )
    ]
    yield from found
    others = sorted(serving - {one["name"] for one in found})
    with ThreadPoolExecutor(_READERS) as pool:
        for one in pool.map(lambda name: vertex.find(name, vertex.location_of(name, "")), others):
            if one:
                yield one | {"name": named(scope, one["name"])}


def _experiments(scope: Scope) -> set[str]:
    """Returns the names of all Vertex AI experiments of the region."""
    contexts = f"{place(scope)}/metadataStores/default/contexts"
    found = vertex.listed(contexts, scope.location, "contexts", 'schema_title="system.Experiment"')
    return {named(scope, one["name"]) for one in found}


def _version(scope: Scope, model: Document, endpoints: Iterable[str]) -> Version:
    labels = model.get("labels", {})
    serving = {named(scope, one["endpoint"]) for one in model.get("deployedModels", [])}
    return Version(
        name=version_name(scope, model),
        own=scope.owns(labels),
        run=labels.get("run", ""),
        aliases=frozenset(model.get("versionAliases", [])),
        endpoints=frozenset(serving & set(endpoints)),
    )


def _endpoint(scope: Scope, endpoint: Document) -> Endpoint:
    serves = frozenset(served_by(scope, endpoint).values())
    return Endpoint(endpoint["name"], scope.owns(endpoint.get("labels", {})), serves)


def _job(scope: Scope, job: Document, experiments: set[str]) -> Job:
    model, endpoints = _made(job)
    experiment = named(scope, job.get("experiment", ""))
    return Job(
        name=named(scope, job["name"]),
        run=job.get("labels", {}).get("run", ""),
        ended=has_ended(job),
        version=named(scope, model),
        endpoints=frozenset(named(scope, one) for one in endpoints),
        experiment=experiment if experiment in experiments else "",
    )


def _all_artifacts(scope: Scope, runs: list[Run], numbers: set[str]) -> Iterator[tuple[str, Object]]:
    """Yields what the pipelines of runs have left, with their ids; Vertex AI puts it below the project's number."""
    folders = [(run.id, f"{scope.pipelines}/{number}/{run.id}") for run in runs for number in sorted(numbers)]
    with ThreadPoolExecutor(_READERS) as pool:
        for (run_id, _), found in zip(folders, pool.map(lambda pair: _objects(pair[1]), folders), strict=True):
            yield from ((run_id, one) for one in found)


def _below(folders: Iterable[str], objects: Iterable[Object], place: int) -> Iterator[tuple[str, Object]]:
    """Yields the objects below folders with the name of one of the folders that they are in: a run's.

    Args:
        folders: Where to look.
        objects: All that there is.
        place: Which part of the path below the folder it is, as an index.
    """
    for folder in folders:
        for one in objects:
            if one.uri.startswith(f"{folder}/") and len(parts := one.uri.removeprefix(f"{folder}/").split("/")) > 1:
                yield parts[place], one


def _grouped(pairs: Iterable[tuple[str, Object]]) -> dict[str, tuple[Object, ...]]:
    found = defaultdict(list)
    for run_id, one in pairs:
        found[run_id].append(one)
    return {run_id: tuple(some) for run_id, some in found.items()}


def _objects(folder: str) -> list[Object]:
    """Returns all objects below a folder; none if there is no such folder."""
    from google.api_core.exceptions import NotFound

    beginning = storage.blob(f"{folder}/_")
    bucket = beginning.bucket.name
    with refusals(folder):
        try:
            found = list(beginning.bucket.list_blobs(prefix=beginning.name.removesuffix("_")))
        except NotFound as error:
            # To go on would mean to know nothing of verdicts.
            mend = "nothing has been run with it; give --bucket with the one that the runs had"
            raise UserError(f"there is no bucket gs://{bucket}: {mend}") from error
    return [
        Object(f"gs://{bucket}/{one.name}", one.size or 0, one.updated or datetime.now(UTC), int(one.generation or 0))
        for one in found
    ]
