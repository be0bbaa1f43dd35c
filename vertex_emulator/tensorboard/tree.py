"""Tensorboards, and in them experiments, runs and time series."""

from collections.abc import Mapping
from typing import ClassVar

from vertex_emulator.collection import Collection
from vertex_emulator.database import Database
from vertex_emulator.errors import ApiError
from vertex_emulator.names import canonical, new_name
from vertex_emulator.protobuf import types
from vertex_emulator.resources import Document

_FILTERABLE = frozenset({"name", "display_name", "create_time", "update_time"})


class _Node(Collection):
    """A resource that goes with all that is under it."""

    below: ClassVar["_Node | None"] = None
    unique_display_name: ClassVar[bool] = False

    def prepare(self, database: Database, document: Document) -> None:
        """Refuses the display name of another one under the same parent, where Vertex wants them unique."""
        if not self.unique_display_name:
            return
        for other in self.under(database, document["name"].rsplit("/", 2)[0]):
            same = other.get("displayName") == document.get("displayName")
            if same and other["name"] != document["name"]:
                raise ApiError(
                    "ALREADY_EXISTS",
                    f"{self.kind} `{other['name']}` already has the display name {document['displayName']!r}.",
                )

    def remove(self, database: Database, document: Document) -> None:
        """Deletes from the leaves up, so that nothing is left without a parent if the emulator is killed."""
        if self.below is not None:
            for child in self.below.under(database, document["name"]):
                self.below.remove(database, child)
        super().remove(database, document)


class _TimeSeries(_Node):
    path = ("tensorboards", "experiments", "runs", "timeSeries")
    message = types.TensorboardTimeSeries
    list_key = "tensorboardTimeSeries"
    id_parameter = "tensorboardTimeSeriesId"
    required = ("displayName", "valueType")
    output_only = frozenset({"metadata"})
    mutable = frozenset({"displayName", "description", "pluginName", "pluginData"})
    filterable = _FILTERABLE | {"value_type", "plugin_name"}
    unique_display_name = True

    def remove(self, database: Database, document: Document) -> None:
        """Deletes a time series and its points."""
        for points in database.list("points", document["name"]):
            database.delete(points["name"])
        super().remove(database, document)


class _Runs(_Node):
    path = ("tensorboards", "experiments", "runs")
    message = types.TensorboardRun
    list_key = "tensorboardRuns"
    id_parameter = "tensorboardRunId"
    id_made = "none"
    required = ("displayName",)
    mutable = frozenset({"displayName", "description", "labels"})
    filterable = _FILTERABLE | {"labels"}
    below = _TimeSeries()
    unique_display_name = True


class _Experiments(_Node):
    path = ("tensorboards", "experiments")
    message = types.TensorboardExperiment
    list_key = "tensorboardExperiments"
    id_parameter = "tensorboardExperimentId"
    id_made = "none"
    output_only = frozenset({"source"})
    mutable = frozenset({"displayName", "description", "labels"})
    filterable = _FILTERABLE | {"labels", "source"}
    below = _Runs()


class _Tensorboards(_Node):
    path = ("tensorboards",)
    message = types.Tensorboard
    list_key = "tensorboards"
    required = ("displayName",)
    output_only = frozenset({"blobStoragePathPrefix", "runCount", "satisfiesPzs", "satisfiesPzi"})
    mutable = frozenset({"displayName", "description", "labels", "isDefault"})
    filterable = _FILTERABLE | {"labels", "is_default"}
    slow = frozenset({"create", "update"})
    below = _Experiments()

    def prepare(self, database: Database, document: Document) -> None:
        """Lets a location have one default tensorboard only: the one named last."""
        if not document.get("isDefault"):
            return
        for other in self.under(database, document["name"].rsplit("/", 2)[0]):
            if other.pop("isDefault", False) and other["name"] != document["name"]:
                self.save(database, other)

    def view(self, database: Database, document: Document) -> Document:
        """Counts the runs."""
        experiments = database.list("experiments", document["name"])
        count = sum(len(database.list("runs", experiment["name"])) for experiment in experiments)
        return {**document, "runCount": count} if count else document


_tensorboards, _experiments, _runs, _time_series = _Tensorboards(), _Experiments(), _Runs(), _TimeSeries()
routes = [*_time_series.routes, *_runs.routes, *_experiments.routes, *_tensorboards.routes]


def create_tensorboard(
    database: Database, location: str, *, display_name: str, labels: Mapping[str, str] | None = None
) -> str:
    """Makes a tensorboard in `location` (canonical) and returns its full resource name."""
    name = new_name(database, location, "tensorboards")
    fields = {"displayName": display_name, "labels": dict(labels or {})}
    _tensorboards.add(database, name, {key: value for key, value in fields.items() if value})
    return name


def create_run(database: Database, tensorboard: str, *, experiment_id: str, run_id: str, display_name: str = "") -> str:
    """Makes a run of an experiment, and that experiment if it is missing.

    Args:
        database: Where it is kept.
        tensorboard: Full name of the tensorboard.
        experiment_id: Last part of the experiment's name.
        run_id: Last part of the run's name.
        display_name: The run's name for people, unique in the experiment; the id if empty.

    Returns:
        The run's full resource name.

    Raises:
        ApiError: 404 if there is no such tensorboard; 409 if there is a run of that id or display name.
    """
    experiment = f"{canonical(tensorboard)}/experiments/{experiment_id}"
    if database.get(experiment) is None:
        # The label by which Vertex tells a TensorBoard experiment that backs an experiment.
        label = {"vertex_tensorboard_experiment_source": "vertex_experiment"}
        _experiments.add(database, experiment, {"displayName": experiment_id, "labels": label})
    run = f"{experiment}/runs/{run_id}"
    _runs.add(database, run, {"displayName": display_name or run_id})
    return run


def time_series_named(database: Database, run: str, tag: str) -> Document:
    """Returns the scalar time series of a run with the display name `tag`, which is made if it is missing."""
    for series in _time_series.under(database, run):
        if series["displayName"] == tag:
            return series
    fields = {"displayName": tag, "valueType": "SCALAR", "pluginName": "scalars"}
    return _time_series.add(database, new_name(database, run, "timeSeries"), fields)
