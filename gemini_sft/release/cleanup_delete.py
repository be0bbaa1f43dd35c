"""Carrying out what a cleanup has planned, after one more look at each thing."""

import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from gemini_sft import storage, vertex
from gemini_sft.errors import GeminiSftError
from gemini_sft.refusals import refusals
from gemini_sft.release.cleanup_estate import HOLDERS, Object, Scope
from gemini_sft.release.cleanup_items import Item, Kind
from gemini_sft.release.cleanup_reading import (
    Document,
    has_ended,
    named,
    pipelines_of,
    served_by,
    version_name,
)
from gemini_sft.release.removing import delete, undeploy_all

_REGISTERED = (Kind.ENDPOINT, Kind.VERSION, Kind.MODEL, Kind.EXPERIMENT)
_WRITERS = 8


@dataclass(frozen=True)
class Done:
    """What became of one item: deleted if there is nothing to say against it.

    Attributes:
        item: Of the plan.
        refused: Why it was left: it is not any more what it was when it was planned. Empty if it was not.
        error: Why it could not be deleted; empty if it could.
    """

    item: Item
    refused: str = ""
    error: str = ""

    @property
    def deleted(self) -> bool:
        """Whether it is gone."""
        return not self.refused and not self.error


def carry_out(scope: Scope, items: Sequence[Item], told: Callable[[Done], None] = lambda done: None) -> list[Done]:
    """Deletes what was planned, in its order; what cannot be deleted keeps nothing else from it.

    First of all the mark of `Scope.cleaned` is renewed: from then on no run takes prepared data from an earlier one of
    before. Runs that had done so by then are under way, and what they read is left.

    Right before each deletion, aliases, labels and deployments are read again. A model is left if one of its endpoints
    had to be, and the curves of a job if its model had to be.

    Args:
        scope: Whose it is.
        items: Of the plan.
        told: Is told of each as it is done.

    Returns:
        What became of each.

    Raises:
        ServiceError: The mark could not be written; then nothing is deleted.
    """
    found, left = [], set[str]()
    if items:
        storage.write_text(scope.cleaned, f"{datetime.now(UTC).isoformat()} {secrets.token_hex(8)}\n")
    for item in items:
        done = _one(scope, item, left)
        if not done.deleted and item.kind in _REGISTERED:
            left.update(item.versions)
        found.append(done)
        told(done)
    return found


def _one(scope: Scope, item: Item, left: set[str]) -> Done:
    if item.kind in (Kind.VERSION, Kind.MODEL, Kind.EXPERIMENT) and left & set(item.versions):
        return Done(item, refused="what hangs on it had to be left")
    try:
        if why := _objection(scope, item):
            return Done(item, refused=why)
        _delete(scope, item)
    except GeminiSftError as error:
        return Done(item, error=str(error))
    return Done(item)


def _objection(scope: Scope, item: Item) -> str | None:
    """Returns what speaks against a deletion now; None if nothing does."""
    if why := next(_of_versions(scope, item), None):
        return why
    if item.kind not in (*_REGISTERED, Kind.ARTIFACTS):
        return None
    if begun := next(pipelines_of(scope, under_way=True), None):
        return f"run {begun['name'].rpartition('/')[2]} has begun and may use it"
    looks = {Kind.ENDPOINT: _of_endpoint, Kind.MODEL: _of_model, Kind.EXPERIMENT: _of_experiment}
    return looks[item.kind](scope, item) if item.kind in looks else None


def _of_versions(scope: Scope, item: Item) -> Iterator[str]:
    for name in item.versions:
        version = _find(name)
        if version is None:
            continue
        if held := sorted({*version.get("versionAliases", [])} & HOLDERS):
            yield f"{name} is now the {held[0]}"
        if item.kind in _REGISTERED and not scope.owns(version.get("labels", {})):
            yield f"{name} does not have this experiment's labels any more"
        if item.kind is Kind.EXPERIMENT:
            yield f"{name} is still there"


def _of_endpoint(scope: Scope, item: Item) -> str | None:
    endpoint = _find(item.name)
    if endpoint is None:
        return None
    if not scope.owns(endpoint.get("labels", {})):
        return "it does not have this experiment's labels any more"
    if others := set(served_by(scope, endpoint).values()) - set(item.versions):
        return f"it now serves {min(others)} too"
    return None


def _of_model(scope: Scope, item: Item) -> str | None:
    if _find(item.name) is None:
        return None
    location = vertex.location_of(item.name, scope.location)
    found = {version_name(scope, one) for one in vertex.listed(f"{item.name}:listVersions", location, "models")}
    return f"it now has the version {min(others)} too" if (others := found - set(item.versions)) else None


def _of_experiment(scope: Scope, item: Item) -> str | None:
    job = _find(item.job)
    if job is None or not scope.owns(job.get("labels", {})) or not has_ended(job):
        return f"its tuning job {item.job} is not one of this experiment's that has ended"
    if named(scope, job.get("experiment", "")) != item.name:
        return f"its tuning job {item.job} has another one now"
    return None


def _delete(scope: Scope, item: Item) -> None:
    location = vertex.location_of(item.name, scope.location)
    match item.kind:
        case Kind.ENDPOINT:
            undeploy_all(item.name, list(served_by(scope, _find(item.name) or {})), location)
            delete(item.name, location)
        case Kind.VERSION:
            delete(f"{item.name}:deleteVersion", location)
        case Kind.MODEL:
            delete(item.name, location)
        case Kind.EXPERIMENT:
            for name in [*_curves(scope, item.name), *_nodes(item.name), item.name]:
                delete(name, location)
        case _:
            with ThreadPoolExecutor(_WRITERS) as pool:
                list(pool.map(_delete_object, item.objects))


def _curves(scope: Scope, experiment: str) -> Iterator[str]:
    """Yields what an experiment has in a TensorBoard, and that TensorBoard if it was made for it alone."""
    backing = (_find(experiment) or {}).get("metadata", {}).get("backing_tensorboard_resource", "")
    board = _find(backing) if backing else None
    if board is None:
        return
    experiments = f"{backing}/experiments"
    own = f"{experiments}/{experiment.rpartition('/')[2]}"
    yield own
    location = vertex.location_of(backing, scope.location)
    # It may be the default one of the region, in which others keep theirs.
    others = vertex.listed(experiments, location, "tensorboardExperiments")
    if scope.owns(board.get("labels", {})) and not any(
        named(scope, one["name"]) != named(scope, own) for one in others
    ):
        yield backing


def _nodes(experiment: str) -> Iterator[str]:
    """Yields the runs of an experiment, and the artifacts that only it has; the experiment itself is to go last."""
    store, _, experiment_id = experiment.rpartition("/contexts/")
    location = vertex.location_of(experiment, "")
    context = _find(experiment)
    if context is None:
        return
    runs = list(vertex.listed(f"{store}/contexts", location, "contexts", f'parent_contexts:"{context["name"]}"'))
    for one in [context, *runs]:
        for artifact in vertex.listed(f"{store}/artifacts", location, "artifacts", f'in_context("{one["name"]}")'):
            if artifact["name"].rpartition("/")[2].startswith(experiment_id):
                yield artifact["name"]
    yield from (one["name"] for one in runs)


def _delete_object(one: Object) -> None:
    """Deletes an object, unless it was written again since it was planned."""
    from google.api_core.exceptions import NotFound, PreconditionFailed

    with refusals(one.uri, "deleted"), contextlib.suppress(NotFound, PreconditionFailed):
        storage.blob(one.uri).delete(if_generation_match=one.generation)


def _find(name: str) -> Document | None:
    return vertex.find(name, vertex.location_of(name, ""))
