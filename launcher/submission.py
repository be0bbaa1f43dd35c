"""Submitting a compiled pipeline to Vertex AI, and asking how it goes."""

import contextlib
import logging
import os
import secrets
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gemini_sft.errors import RunError, ServiceError, UserError
from launcher.target import Target
from launcher.tasks import Tasks, TaskView, plain, read_pipeline

_SUCCEEDED = "SUCCEEDED"
_ENDED = {_SUCCEEDED, "FAILED", "CANCELLED"}
_SUBMIT_TIMEOUT_SECONDS = 60.0
_SHOWS_SECONDS = 3.0


@dataclass(frozen=True)
class RunView:
    """One run as it stands now."""

    state: str
    error: str
    tasks: tuple[TaskView, ...]

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in _ENDED

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.state == _SUCCEEDED


def new_run_id(experiment_name: str) -> str:
    """Returns a name for a run that sorts by time and meets no other's."""
    return f"{experiment_name}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


class Run:
    """A pipeline job of the Vertex AI SDK."""

    def __init__(
        self,
        template: Path,
        run_id: str,
        target: Target,
        parameters: dict[str, Any],
        labels: dict[str, str] | None = None,
    ) -> None:
        """Prepares the job; nothing is sent yet."""
        with quiet():
            aiplatform = sdk(target)
            self.id = run_id
            self._target = target
            self._submitted = False
            self._tasks = Tasks(read_pipeline(template))
            self._job = aiplatform.PipelineJob(
                display_name=run_id,
                job_id=run_id,
                template_path=str(template),
                pipeline_root=target.pipeline_root,
                parameter_values=parameters,
                labels=labels,
                # What is under way when something fails is paid for: it goes on, and a new run takes it up. Whether
                # Vertex AI would start the exit task after `fast`, Google does not say.
                failure_policy="slow",
                project=target.project,
                location=target.location,
            )

    def submit(self) -> None:
        """Starts the run.

        Raises:
            UserError: Vertex AI refused it as wrong.
            ServiceError: Vertex AI did not take it.
        """
        self._submitted = True
        try:
            with api_errors("submit the pipeline"), quiet(), _without_bucket_check():
                self._job.submit(
                    service_account=self._target.service_account, create_request_timeout=_SUBMIT_TIMEOUT_SECONDS
                )
        except ServiceError:
            # The answer may be all that was lost. The run has a name of ours, by which it can be looked for.
            if not self._shows_itself():
                raise

    def view(self) -> RunView:
        """Returns the run as it stands now.

        Raises:
            ServiceError: Vertex AI did not say.
        """
        with api_errors("read the pipeline's state"), quiet():
            state = self._job.state.name.removeprefix("PIPELINE_STATE_")
            resource = self._job.gca_resource
        tasks = self._tasks.views(resource.job_detail.task_details, ended=state in _ENDED)
        return RunView(state, plain(resource.error.message), tasks)

    def artifacts(self) -> dict[str, dict[str, str]]:
        """Returns the URI of each output artifact, by the task's name in `view` and the output's name."""
        return {
            task: {name: outputs.artifacts[0].uri for name, outputs in detail.outputs.items() if outputs.artifacts}
            for task, detail in self._tasks.named(self._job.gca_resource.job_detail.task_details)
        }

    def custom_jobs(self) -> dict[str, list[str]]:
        """Returns the ids of the custom jobs that ran each task, one an attempt, by the task's name in `view`."""
        found = {}
        for task, detail in self._tasks.named(self._job.gca_resource.job_detail.task_details):
            container = detail.executor_detail.container_detail
            names = [*container.failed_main_jobs, *([container.main_job] if container.main_job else [])]
            found[task] = [name.rpartition("/")[2] for name in names]
        return found

    def cancel(self, patience_seconds: float) -> bool:
        """Asks Vertex AI to end the run, and waits a little for the end; a run that was never submitted has none.

        Returns:
            Whether the run is known to be over.
        """
        if not self._submitted:
            return True
        if not self._shows_itself():
            return False
        deadline = time.monotonic() + patience_seconds
        with contextlib.suppress(UserError, RunError), api_errors("cancel the run"), quiet():
            self._job.cancel()
            while time.monotonic() < deadline:
                if self.view().ended:
                    return True
                time.sleep(0.2)
        return False

    def _shows_itself(self) -> bool:
        """Returns whether Vertex AI has the run, which may be slow to show if its submission brought no answer."""
        from google.api_core.exceptions import NotFound

        if self._job._gca_resource.name:
            return True
        deadline = time.monotonic() + _SHOWS_SECONDS
        with contextlib.suppress(UserError, RunError), api_errors(f"read the run {self.id}"), quiet():
            while time.monotonic() < deadline:
                with contextlib.suppress(NotFound):
                    self._job = _job(self.id, self._target)
                    return True
                time.sleep(0.2)
        return False


class FoundRun(Run):
    """A run that was submitted before, by whomever."""

    def __init__(self, run_id: str, target: Target) -> None:
        """Asks Vertex AI for it.

        Raises:
            UserError: There is none, or Vertex AI refused to tell of it.
            ServiceError: Vertex AI did not say.
        """
        from google.protobuf.json_format import MessageToDict

        with api_errors(f"read the run {run_id}"), quiet():
            self._job = _job(run_id, target)
        self.id = run_id
        self._target = target
        self._submitted = True
        self._tasks = Tasks(MessageToDict(self._job.gca_resource._pb.pipeline_spec))


def _job(run_id: str, target: Target) -> Any:
    return sdk(target).PipelineJob.get(run_id, project=target.project, location=target.location)


def sdk(target: Target) -> Any:
    """Returns the module `google.cloud.aiplatform`, pointed at a project and region of Vertex AI or of its emulator."""
    with quiet():
        from google.cloud import aiplatform

        aiplatform.init(
            project=target.project,
            location=target.location,
            api_endpoint=os.environ.get("VERTEX_API_ENDPOINT"),
            api_transport=os.environ.get("VERTEX_API_TRANSPORT"),
        )
    return aiplatform


@contextlib.contextmanager
def api_errors(what: str) -> Iterator[None]:
    """Turns the errors of Google's libraries into ours; `what` says what was tried, as in "submit the pipeline"."""
    from google.api_core.exceptions import ClientError, GoogleAPIError, TooManyRequests
    from google.auth.exceptions import GoogleAuthError
    from requests import RequestException

    try:
        yield
    except TooManyRequests as error:
        raise ServiceError(f"Google has no room to {what} just now: {error.message}") from error
    except ClientError as error:
        raise UserError(f"Google refused to {what}: {error.message}") from error
    except (GoogleAPIError, RequestException) as error:
        raise ServiceError(f"Google did not {what}: {getattr(error, 'message', error)}") from error
    except GoogleAuthError as error:
        raise UserError(f"no Google credentials: run `gcloud auth application-default login` ({error})") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps the SDK's own chatter and its warnings about its future from the user's terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _without_bucket_check() -> Iterator[None]:
    """Spares the SDK's look at the bucket's owner: we have listed it among the project's own when staging.

    The SDK would ask the Resource Manager over gRPC, at an address that nothing in the environment can change, and
    after a minute of trying would submit all the same.
    """
    from google.cloud.aiplatform.utils import gcs_utils

    name = "create_gcs_bucket_for_pipeline_artifacts_if_it_does_not_exist"
    original = getattr(gcs_utils, name)
    setattr(gcs_utils, name, lambda **_: None)
    try:
        yield
    finally:
        setattr(gcs_utils, name, original)
