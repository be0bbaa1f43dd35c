"""Schedules of Vertex AI, which its emulator plays too."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from launcher.schedule.schedules import LastRun, Order, Schedule
from launcher.submission import api_errors, quiet, sdk
from launcher.target import Target


class VertexSchedules:
    """The schedules of a project and region."""

    def __init__(self, target: Target) -> None:
        """Asks nothing yet."""
        self._target = target
        self._sdk = sdk(target)

    def all(self, name: str | None = None) -> list[Schedule]:
        """See `Schedules`."""
        # Those of other programs do not run an experiment of ours, and schedules of notebooks have no pipeline at all.
        wanted = "create_pipeline_job_request:*" + (f' AND display_name="{name}"' if name else "")
        with _asking("list the schedules"):
            found = self._sdk.PipelineJobSchedule.list(filter=wanted)
            views = [self._view(one.gca_resource) for one in found]
        return sorted((one for one in views if one.experiment_uri), key=lambda one: (one.name, one.id))

    def create(self, order: Order) -> Schedule:
        """See `Schedules`."""
        assert order.cron is not None
        with _asking("create the schedule"):
            made = self._sdk.PipelineJobSchedule(pipeline_job=self._job(order), display_name=order.name)
            made.create(
                cron=str(order.cron),
                start_time=_rfc3339(order.start),
                end_time=_rfc3339(order.end),
                max_run_count=order.max_runs,
                # The first limits how many are being started, the second how many are under way.
                max_concurrent_run_count=1,
                max_concurrent_active_run_count=1,
                # The schedule takes the job's labels, but not what it runs as.
                service_account=self._target.service_account,
            )
            return self._view(made.gca_resource)

    def update(self, schedule: Schedule, order: Order) -> Schedule:
        """See `Schedules`."""
        from google.protobuf.field_mask_pb2 import FieldMask

        with _asking("update the schedule"):
            there = self._sdk.PipelineJobSchedule.get(schedule.id)
            # The SDK's own `update` does not know of the pipeline; nor does it show one that was never created.
            fresh = self._sdk.PipelineJobSchedule(pipeline_job=self._job(order), display_name=order.name)
            request = fresh._gca_resource.create_pipeline_job_request
            before = there.gca_resource.create_pipeline_job_request.pipeline_job.service_account
            if account := self._target.service_account or before:
                request.pipeline_job.service_account = account
            fields: dict[str, Any] = {
                "cron": str(order.cron) if order.cron else None,
                "start_time": order.start,
                "end_time": order.end,
                "max_run_count": order.max_runs,
                "create_pipeline_job_request": request,
            }
            fields = {name: value for name, value in fields.items() if value is not None}
            for name, value in fields.items():
                setattr(there.gca_resource, name, value)
            there.api_client.update_schedule(schedule=there.gca_resource, update_mask=FieldMask(paths=list(fields)))
        return self._again(schedule)

    def pause(self, schedule: Schedule) -> Schedule:
        """See `Schedules`."""
        with _asking("pause the schedule"):
            self._sdk.PipelineJobSchedule.get(schedule.id).pause()
        return self._again(schedule)

    def resume(self, schedule: Schedule) -> Schedule:
        """See `Schedules`."""
        with _asking("resume the schedule"):
            # Whatever its `catch_up` says, the SDK asks for no catching up, which is what is wanted.
            self._sdk.PipelineJobSchedule.get(schedule.id).resume(catch_up=False)
        return self._again(schedule)

    def delete(self, schedule: Schedule) -> None:
        """See `Schedules`."""
        with _asking("delete the schedule"):
            self._sdk.PipelineJobSchedule.get(schedule.id).delete()

    def _again(self, schedule: Schedule) -> Schedule:
        with _asking("read the schedule"):
            return self._view(self._sdk.PipelineJobSchedule.get(schedule.id).gca_resource)

    def _job(self, order: Order) -> Any:
        return self._sdk.PipelineJob(
            display_name=order.name,
            template_path=str(order.template),
            pipeline_root=self._target.pipeline_root,
            parameter_values=dict(order.parameters),
            labels=dict(order.labels),
            project=self._target.project,
            location=self._target.location,
        )

    def _view(self, resource: Any) -> Schedule:
        job = resource.create_pipeline_job_request.pipeline_job
        parameters = dict(job.runtime_config.parameter_values)
        ours = "experiment_uri" in parameters
        return Schedule(
            name=resource.display_name,
            id=resource.name.rpartition("/")[2],
            state=resource.state.name,
            timing=resource.cron,
            next_run=_time(resource, "next_run_time") if resource.state.name == "ACTIVE" else None,
            start=_time(resource, "start_time"),
            end=_time(resource, "end_time"),
            max_runs=resource.max_run_count or None,
            runs=resource.started_run_count,
            paused=_time(resource, "last_pause_time"),
            resumed=_time(resource, "last_resume_time"),
            last=self._last(resource.name) if ours else None,
            experiment_uri=str(parameters.get("experiment_uri", "")),
            pipeline=job.pipeline_spec["pipelineInfo"]["name"] if ours else "",
            pipeline_root=job.runtime_config.gcs_output_directory,
            service_account=job.service_account,
            labels=dict(job.labels),
        )

    def _last(self, name: str) -> LastRun | None:
        """Returns the run that was started last; the SDK's `list_jobs` would read them all."""
        from google.cloud.aiplatform import initializer, utils
        from google.protobuf.field_mask_pb2 import FieldMask

        client = initializer.global_config.create_client(
            client_class=utils.PipelineJobClientWithOverride, location_override=self._target.location
        )
        request = {
            "parent": f"projects/{self._target.project}/locations/{self._target.location}",
            "filter": f"schedule_name={name}",
            "order_by": "create_time desc",
            "page_size": 1,
            "read_mask": FieldMask(paths=["name", "state", "create_time"]),
        }
        job = next(iter(client.list_pipeline_jobs(request=request)), None)
        if job is None:
            return None
        state = job.state.name.removeprefix("PIPELINE_STATE_")
        return LastRun(job.name.rpartition("/")[2], state, _time(job, "create_time") or datetime.now(UTC))


@contextmanager
def _asking(what: str) -> Iterator[None]:
    with api_errors(what), quiet():
        yield


def _time(resource: Any, field: str) -> datetime | None:
    """Returns a time of a resource, to the second, in UTC; None if it has none."""
    value = getattr(resource, field)
    return datetime.fromtimestamp(int(value.timestamp()), UTC) if value else None


def _rfc3339(time: datetime | None) -> str | None:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
