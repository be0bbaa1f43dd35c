"""Kubeflow Pipelines in the place of Vertex AI Pipelines: the client, a run, and what it cannot be given."""

import contextlib
import io
import json
import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from gemini_sft import storage
from gemini_sft.errors import RunError, ServiceError, UserError
from launcher.place import Kubeflow
from launcher.submission import RunView, quiet
from launcher.target import Target
from launcher.tasks import Tasks, TaskView, plain, read_pipeline

_STATES = {"CANCELED": "CANCELLED", "CANCELING": "CANCELLING"}
_TOKEN = "KFP_TOKEN"
_LONGEST = 500


def portable(template: Path) -> Path:
    """Returns a compiled pipeline as Kubeflow takes it: the same without importers.

    An importer puts an artifact into the lineage that lies anywhere. Kubeflow's knows buckets only, and a run in which
    one fails has failed; nothing reads what ours give.
    """
    spec = yaml.safe_load(template.read_text("utf-8"))
    executors, components = spec["deploymentSpec"]["executors"], spec["components"]
    labels = {label for label, executor in executors.items() if "importer" in executor}
    gone = {name for name, component in components.items() if component.get("executorLabel") in labels}
    for part in (spec["root"], *components.values()):
        tasks = part.get("dag", {}).get("tasks", {})
        for name in [name for name, task in tasks.items() if task["componentRef"]["name"] in gone]:
            del tasks[name]
    for name in gone:
        del components[name]
    for label in labels:
        del executors[label]
    target = template.with_name(f"{template.stem}-kubeflow.yaml")
    target.write_text(yaml.safe_dump(spec, sort_keys=True), "utf-8")
    return target


def connect(kubeflow: Kubeflow) -> Any:
    """Returns a client of Kubeflow Pipelines.

    Its token is the variable KFP_TOKEN; without it the client goes by its own variables and files.

    Raises:
        UserError: Kubeflow refused it.
        ServiceError: It did not answer.
    """
    with kubeflow_errors("be reached"), silent():
        from kfp.client import Client

        class Impatient(Client):  # type: ignore[misc]
            """The client, but for its asking five times, with pauses, whether the service is well."""

            def get_kfp_healthz(self, sleep_duration: int = 0) -> Any:
                return self._healthz_api.healthz_service_get_healthz()

        return Impatient(
            host=kubeflow.host, namespace=kubeflow.namespace or "kubeflow", existing_token=os.environ.get(_TOKEN)
        )


class KubeflowRun:
    """A run of Kubeflow Pipelines, as `Run` is one of Vertex AI's."""

    def __init__(
        self,
        kubeflow: Kubeflow,
        experiment: str,
        service_account: str | None,
        template: Path,
        run_id: str,
        target: Target,
        parameters: dict[str, Any],
    ) -> None:
        """Prepares the run; nothing is sent yet.

        Args:
            kubeflow: Where it runs.
            experiment: Under which experiment of Kubeflow it is listed.
            service_account: Kubernetes' service account to run as; None for the namespace's own.
            template: The compiled pipeline, as `portable` returns it.
            run_id: Its name.
            target: Where models and files are.
            parameters: Of the pipeline.
        """
        self.id = run_id
        self._experiment = experiment
        self._service_account = service_account
        self._kubeflow = kubeflow
        self._template = template
        self._target = target
        self._parameters = parameters
        spec = read_pipeline(template)
        self._tasks = Tasks(spec)
        self._pipeline = spec["pipelineInfo"]["name"]
        definitions = [component.get("outputDefinitions", {}) for component in spec["components"].values()]
        self._outputs = {name for one in definitions for name in one.get("artifacts", {})}
        self._key = ""

    @property
    def link(self) -> str:
        """The address of its page, once it is submitted."""
        return f"{self._kubeflow.host.rstrip('/')}/#/runs/details/{self._key}"

    def submit(self) -> None:
        """Starts the run.

        Raises:
            UserError: Kubeflow refused it.
            ServiceError: It did not take it.
        """
        self._client = connect(self._kubeflow)
        with kubeflow_errors("take the run"), silent():
            group = self._client.create_experiment(self._experiment, namespace=self._kubeflow.namespace)
            run = self._client.run_pipeline(
                experiment_id=group.experiment_id,
                # What the placeholder for the job's name becomes, by which the tasks know their run.
                job_name=self.id,
                pipeline_package_path=str(self._template),
                params=self._parameters,
                pipeline_root=self._target.pipeline_root,
                service_account=self._service_account,
            )
        self._key = run.run_id

    def view(self) -> RunView:
        """Returns the run as it stands now.

        Raises:
            ServiceError: Kubeflow did not say.
        """
        with kubeflow_errors("say how the run stands"), silent():
            run = self._client.get_run(self._key)
        state = _state(run.state)
        details = run.run_details.task_details if run.run_details else None
        known = [(self._tasks.shown(one.display_name), one) for one in details or ()]
        views = [
            TaskView(
                name, _state(one.state), one.start_time, one.end_time, plain(one.error.message) if one.error else ""
            )
            for name, one in sorted(known, key=lambda pair: pair[1].create_time or datetime.max.replace(tzinfo=UTC))
            if name
        ]
        return RunView(state, plain(run.error.message or "") if run.error else "", tuple(views))

    def artifacts(self) -> dict[str, dict[str, str]]:
        """Returns the URI of each output artifact that the run has left, by the task's name in `view` and the output's.

        The API tells ids alone, so the bucket is asked: Kubeflow puts an artifact at ROOT/PIPELINE/RUN/TASK/ANY/OUTPUT,
        and before its release 2.4 without ANY.
        """
        found: dict[str, dict[str, str]] = {}
        root = f"{self._target.pipeline_root}/{self._pipeline}/{self._key}"
        for uri in storage.list_files(root, deep=True):
            task, *below = uri.removeprefix(f"{root}/").split("/")
            name = self._tasks.shown(task)
            place = next((place for place, part in enumerate(below[:2]) if part in self._outputs), None)
            if name and place is not None:
                found.setdefault(name, {})[below[place]] = "/".join([root, task, *below[: place + 1]])
        return found

    def cancel(self, patience_seconds: float) -> bool:
        """Asks Kubeflow to end the run, and waits a little for the end; a run that was never submitted has none.

        Returns:
            Whether the run is known to be over.
        """
        if not self._key:
            return True
        deadline = time.monotonic() + patience_seconds
        with contextlib.suppress(UserError, RunError), kubeflow_errors("end the run"), silent():
            self._client.terminate_run(self._key)
            while time.monotonic() < deadline:
                if self.view().ended:
                    return True
                time.sleep(0.2)
        return False


@contextlib.contextmanager
def kubeflow_errors(what: str) -> Iterator[None]:
    """Turns the errors of the client into ours; `what` says what Kubeflow was to do, as in "take the run"."""
    from kfp_server_api.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        said = _message(error)
        if error.status in (401, 403):
            raise UserError(f"Kubeflow does not let you in: set {_TOKEN} to a token of its own ({said})") from error
        if error.status is not None and 400 <= error.status < 500:
            raise UserError(f"Kubeflow refused to {what}: {said}") from error
        raise ServiceError(f"Kubeflow did not {what}: {said}") from error
    except HTTPError as error:
        reason = getattr(error, "reason", None) or error
        raise ServiceError(f"Kubeflow did not {what}: {type(reason).__name__}; is --host right?") from error


def _message(error: Any) -> str:
    """Returns what the server says, or else the status."""
    try:
        body = json.loads(error.body)
    except (TypeError, ValueError):
        return f"{error.status} {error.reason}"
    said = body.get("error") or body.get("message") if isinstance(body, dict) else None
    return re.sub(r"\s+", " ", str(said))[:_LONGEST] if said else f"{error.status} {error.reason}"


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Keeps what the client prints and warns of from the user's terminal."""
    with quiet(), contextlib.redirect_stdout(io.StringIO()):
        yield


def _state(state: str | None) -> str:
    """Returns a state as Vertex AI spells it."""
    return _STATES.get(state or "", state or "PENDING")
